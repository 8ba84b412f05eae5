#![allow(clippy::unwrap_used)]

use super::super::testing::{at, hardware, key, revocation, store};
use super::*;
use bonafide_core::signature::published::Reason;
use proptest::prelude::*;
use std::process::{Command, Stdio};

fn reason(line: &str) -> String {
    let import = import(line);
    assert!(import.entries.is_empty(), "{line}");
    import.skipped[0].reason.clone()
}

fn line(principals: &str, options: &str) -> String {
    format!("{principals} {options} {}", key(1).to_openssh())
}

#[test]
fn reads_what_openssh_reads() {
    let text = format!(
        "# comment\n\nada@example.org {}\n  \"Ada Lovelace,ada\"  namespaces=\"git,generated-by-*\",Valid-After=\"20260131Z\",\
         valid-before=\"202701311230\" {}  Ada's \"key\"\r\nbob namespaces=\"*\" {}\n",
        key(1).to_openssh(),
        hardware(2).to_openssh(),
        key(3).to_openssh(),
    );
    let import = import(&text);
    assert_eq!(import.skipped, []);
    let [first, second, third] = &import.entries[..] else { unreachable!("{:?}", import.entries) };
    assert_eq!(
        (first.principals[0].as_str(), &first.key, &first.comment),
        ("ada@example.org", &key(1), &None)
    );
    assert_eq!(second.principals, ["Ada Lovelace", "ada"]);
    assert_eq!(second.key, hardware(2));
    assert_eq!(second.comment.as_deref(), Some("Ada's \"key\""));
    assert_eq!(second.valid_after, Some("2026-01-31T00:00:00Z".parse().unwrap()));
    assert_eq!(second.valid_before, Some("2027-01-31T12:30:00Z".parse().unwrap()));
    assert_eq!((third.principals[0].as_str(), &third.key), ("bob", &key(3)));
}

#[test]
fn lines_that_can_not_be_used_are_told() {
    for (text, word) in [
        (line("ada", "cert-authority"), "authority"),
        (line("ada", "namespaces=\"git\""), "namespaces"),
        (line("ada", "namespaces=\"*,!generated-by-human\""), "namespaces"),
        (line("ada", "namespaces=\"generated-by-huma\""), "namespaces"),
        (line("*@example.org", ""), "pattern"),
        (line("ada,!eve", ""), "pattern"),
        (line("ada,,eve", ""), "name"),
        (line("a\u{202e}b", ""), "name"),
        (line("ada", "valid-after=\"2026\""), "date"),
        (line("ada", "valid-after=\"20260230Z\""), "date"),
        (line("ada", "valid-after=\"20260202Z\",valid-before=\"20260201Z\""), "ends"),
        (line("ada", "valid-after=20260202Z"), "quotes"),
        (line("ada", "namespaces=\"x"), "quote"),
        (line("\"ada", ""), "quote"),
        (line("ada", "no-touch-required"), "option"),
        (line("ada", "namespaces=\"*\",namespaces=\"*\""), "option"),
        ("ada".to_owned(), "no key"),
        ("ada ssh-ed25519".to_owned(), "no key"),
        ("ada ssh-ed25519 AAAA".to_owned(), "key"),
        ("ada ssh-rsa AAAAB3NzaC1yc2E= x".to_owned(), "ssh-rsa"),
        ("ada ecdsa-sha2-nistp256 AAAA".to_owned(), "ecdsa"),
        ("ada sk-ecdsa-sha2-nistp256@openssh.com AAAA".to_owned(), "ecdsa"),
    ] {
        let reason = reason(&text);
        assert!(reason.contains(word) && !reason.contains('\n'), "{text}: {reason}");
    }
    let told = import(&format!("\n# x\nada ssh-rsa AAAA\n{}", line("ada", "")));
    assert_eq!((told.entries.len(), told.skipped[0].line), (1, 3));
    assert!(told.skipped[0].to_string().starts_with("line 3 is left out: "));
}

#[test]
fn contacts_go_out_and_come_back() {
    let (_one, from) = store();
    from.add_contact("Ada, *the* \"first\"!", &key(1), Some("by telephone"), at(0)).unwrap();
    from.add_contact("李 清照", &hardware(2), None, at(0)).unwrap();
    from.add_contact("Eve", &key(3), None, at(0)).unwrap();
    from.revoke(&key(3), revocation(0, Reason::Compromised)).unwrap();
    let text = from.export_allowed_signers().unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");

    let (_two, to) = store();
    to.add_contact("Li", &hardware(2), None, at(0)).unwrap();
    let text = format!(
        "{text}{}\nx ssh-dss AAAA\n",
        line("bob", "valid-before=\"20261201Z\"").replace(&key(1).to_openssh(), &key(4).to_openssh(),)
    );
    let imported = to.import_allowed_signers(&text, at(7)).unwrap();
    assert_eq!((imported.added, imported.known, imported.skipped.len()), (2, 1, 1));
    let contacts = to.contacts().unwrap();
    assert_eq!(contacts[1].name, "Ada, *the* \"first\"!");
    assert_eq!(contacts[1].keys[0].note.as_deref(), Some("by telephone"));
    assert_eq!(to.contact_of(&key(4), at(0)).unwrap().as_deref(), Some("bob"));
    assert_eq!(to.contact_of(&key(4), "2026-12-01T00:00:00Z".parse().unwrap()).unwrap(), None);
    assert!(to.export_allowed_signers().unwrap().contains("valid-before=\"20261201000000Z\""));
}

#[test]
fn ssh_keygen_accepts_the_export() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("key");
    let keygen = |args: &[&str], input: &str| {
        let mut command = Command::new("ssh-keygen");
        command.current_dir(folder.path()).args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn()?;
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes())?;
        child.wait_with_output()
    };
    let made = keygen(&["-q", "-t", "ed25519", "-N", "", "-f", secret.to_str().unwrap()], "");
    if !made.is_ok_and(|output| output.status.success()) {
        use std::io::Write;
        writeln!(std::io::stderr(), "SKIPPED: there is no ssh-keygen here").unwrap();
        return;
    }
    let public = std::fs::read_to_string(secret.with_extension("pub")).unwrap();
    let signed = PublicKey::from_openssh(&public).unwrap();
    std::fs::write(folder.path().join("text"), "hello").unwrap();
    assert!(keygen(&["-Y", "sign", "-f", "key", "-n", NAMESPACE, "text"], "").unwrap().status.success());
    for (name, principal) in [
        ("ada@example.org", "ada@example.org"),
        ("Ada Lovelace", "Ada Lovelace"),
        ("李清照", "李清照"),
        ("#1, the \"best\" *?!", "%231%2C the %22best%22 %2A%3F%21"),
        ("100% \\ x", "100%25 %5C x"),
    ] {
        let (_kept, store) = store();
        let entries = [
            Entry {
                principals: vec![name.to_owned()],
                key: signed.clone(),
                valid_after: Some(at(0).min("2020-01-01T00:00:00Z".parse().unwrap())),
                valid_before: Some("2099-01-01T00:00:00Z".parse().unwrap()),
                comment: Some("a note".to_owned()),
            },
            Entry {
                principals: vec!["other".to_owned()],
                key: hardware(1),
                valid_after: None,
                valid_before: None,
                comment: None,
            },
        ];
        store.import_allowed_signers(&export(&entries), at(0)).unwrap();
        let text = store.export_allowed_signers().unwrap();
        std::fs::write(folder.path().join("allowed"), &text).unwrap();
        let found = keygen(&["-Y", "find-principals", "-s", "text.sig", "-f", "allowed"], "").unwrap();
        assert_eq!(String::from_utf8_lossy(&found.stdout).trim(), principal, "{text}");
        let verify = |namespace: &str, principal: &str| {
            let args = ["-Y", "verify", "-f", "allowed", "-I", principal, "-n", namespace, "-s", "text.sig"];
            keygen(&args, "hello").unwrap()
        };
        let output = verify(NAMESPACE, principal);
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(!verify("git", principal).status.success());
        assert!(!verify(NAMESPACE, "other").status.success());
    }
}

fn a_name() -> impl Strategy<Value = String> {
    "[ -~é李]{1,20}|.{1,10}".prop_filter("a contact's name", |name: &String| is_name(name))
}

fn an_entry() -> impl Strategy<Value = Entry> {
    let date = || proptest::option::of((0..200_000_000_000_u64).prop_map(Timestamp::from_unix));
    let comment = proptest::option::of("[!-~é]([ -~é]{0,20}[!-~é])?");
    (proptest::collection::vec(a_name(), 1..4), 0..9_u32, any::<bool>(), date(), date(), comment)
        .prop_filter("ends after it begins", |(_, _, _, after, before, _)| {
            after.zip(*before).is_none_or(|(after, before)| after < before)
        })
        .prop_map(|(principals, number, in_hardware, valid_after, valid_before, comment)| {
            let key = if in_hardware { hardware(number) } else { key(number) };
            Entry { principals, key, valid_after, valid_before, comment }
        })
}

proptest! {
    #[test]
    fn what_is_written_is_read(entries in proptest::collection::vec(an_entry(), 0..5)) {
        let import = import(&export(&entries));
        prop_assert_eq!(import.entries, entries);
        prop_assert_eq!(import.skipped, []);
    }

    #[test]
    fn any_text_is_read_or_told(text in "(?s).{0,200}") {
        let lines = text.lines().count();
        let import = import(&text);
        prop_assert!(import.entries.len() + import.skipped.len() <= lines);
    }

    #[test]
    fn any_line_like_one_is_read_or_told(
        start in "[a%\"*,! é]{0,9}",
        options in "(namespaces|valid-after|cert-authority|x|=|,|\"|\\\\|2026| ){0,9}",
        end in "(ssh-ed25519|ssh-rsa|AAAA| |é){0,5}",
    ) {
        let text = format!("{start} {options} {end}");
        let import = import(&text);
        prop_assert!(import.entries.len() + import.skipped.len() <= 1);
    }
}
