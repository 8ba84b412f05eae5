//! Keys in files, keys with an agent, and OpenSSH's own tools over both.

#![allow(clippy::unwrap_used, clippy::panic)]

#[cfg(unix)]
mod agent;

use super::*;
use bonafide_core::signature::ed25519;
use bonafide_core::signature::published::{KeyList, Reason};
use bonafide_core::signature::sshsig::{HashAlgorithm, SshSignature, signed_data};
use std::fs;
use std::path::Path;
use std::process::Command;

const TYPED: &str = "correct horse";

/// Knows one passphrase, or none.
struct Types(&'static str);

impl AskPassphrase for Types {
    fn existing(&self, _: &str) -> Result<Passphrase, PassphraseError> {
        Passphrase::new(self.0.to_owned()).ok_or(PassphraseError::Missing)
    }

    fn fresh(&self, name: &str) -> Result<Passphrase, PassphraseError> {
        self.existing(name)
    }
}

fn store() -> (tempfile::TempDir, Keystore) {
    let folder = tempfile::tempdir().unwrap();
    let store = Keystore::new(&folder.path().join("data"));
    (folder, store)
}

fn ada() -> Author {
    Author { name: "Ada".to_owned(), identity: Some("https://ada.example".to_owned()) }
}

fn passphrase() -> Passphrase {
    Passphrase::new(TYPED.to_owned()).unwrap()
}

/// Runs one of OpenSSH's tools; `None`, after a line that says so, where it is not installed.
fn tool(name: &str, prepare: impl FnOnce(&mut Command) -> &mut Command) -> Option<std::process::Output> {
    let mut command = Command::new(name);
    prepare(command.stdin(std::process::Stdio::null()));
    match command.output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: {name} is not here; it is part of OpenSSH");
            None
        }
        Err(error) => panic!("{name}: {error}"),
    }
}

#[test]
fn what_a_key_signs_is_good_and_only_with_its_passphrase() {
    let (_folder, store) = store();
    let made = store.create("main", ada(), Some(&passphrase())).unwrap();
    assert!(made.default && made.valid_from == Some(made.created) && !made.key.is_hardware());
    assert_eq!(store.list().unwrap(), std::slice::from_ref(&made));
    assert_eq!(store.is_encrypted(&made).unwrap(), Some(true));

    let signer = store.signer("main", &Types(TYPED)).unwrap();
    assert_eq!((signer.key(), signer.author(), signer.needs_touch()), (&made.key, &ada(), false));
    let signature = signer.sign(b"some data").unwrap();
    assert!(ed25519::verify(&made.key, b"some data", &signature).is_ok());
    assert!(ed25519::verify(&made.key, b"other data", &signature).is_err());
    assert_eq!(format!("{signer:?} {:?}", passphrase()), "Signer { name: \"main\", .. } Passphrase(…)");

    let wrong = store.signer("main", &Types("wrong horse")).unwrap_err();
    assert!(matches!(wrong, KeystoreError::WrongPassphrase(_)), "{wrong}");
    let none = store.signer("main", &Types("")).unwrap_err();
    assert!(matches!(none, KeystoreError::Passphrase(_)), "{none}");
}

#[test]
fn a_key_without_a_passphrase_asks_for_none() {
    let (_folder, store) = store();
    let made = store.create("open", ada(), None).unwrap();
    assert_eq!(store.is_encrypted(&made).unwrap(), Some(false));
    store.signer("open", &Types("")).unwrap().sign(b"data").unwrap();
}

#[test]
fn the_secret_is_nowhere_on_disk_in_the_open() {
    let (_folder, store) = store();
    store.create("main", ada(), Some(&passphrase())).unwrap();
    let signer = private::open(&store.path("main"), "main", &store.get("main").unwrap().key, &Types(TYPED));
    let secret = signer.unwrap().to_bytes();
    let text = fs::read(store.path("main")).unwrap();
    let blob = ssh_key::PrivateKey::from_openssh(text).unwrap().to_bytes().unwrap();
    assert!(!blob.windows(8).any(|window| window == &secret[..8]));
}

#[cfg(unix)]
#[test]
fn only_the_user_gets_at_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, store) = store();
    store.create("main", ada(), None).unwrap();
    let path = store.path("main");
    let keys = path.parent().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(keys), mode(&path)), (0o700, 0o600));

    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let error = store.signer("main", &Types("")).unwrap_err().to_string();
    assert!(error.contains(&format!("chmod 600 {}", path.display())), "{error}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();

    fs::set_permissions(keys, fs::Permissions::from_mode(0o755)).unwrap();
    let error = store.create("other", ada(), None).unwrap_err().to_string();
    assert!(error.contains(&format!("chmod 700 {}", keys.display())), "{error}");
    assert!(!store.path("other").exists());
}

#[test]
fn nothing_is_ever_overwritten() {
    let (_folder, store) = store();
    store.create("main", ada(), None).unwrap();
    let before = fs::read(store.path("main")).unwrap();
    assert!(matches!(store.create("main", ada(), None).unwrap_err(), KeystoreError::Exists(_)));
    for left in ["orphan", "half.pub"] {
        fs::write(store.path(left), "precious").unwrap();
    }
    for name in ["orphan", "half"] {
        assert!(
            matches!(store.create(name, ada(), None).unwrap_err(), KeystoreError::FileExists(_)),
            "{name}"
        );
    }
    assert_eq!(fs::read(store.path("main")).unwrap(), before);
    assert_eq!(fs::read(store.path("orphan")).unwrap(), b"precious");
    assert!(!store.path("half").exists());
    assert_eq!(store.list().unwrap().len(), 1);
}

#[test]
fn names_and_authors_are_held_to_their_rules() {
    let (_folder, store) = store();
    for name in ["", ".lock", "-x", "a b", "../x", "é", "a.pub", "profiles.json", &"x".repeat(65)] {
        assert!(matches!(store.create(name, ada(), None).unwrap_err(), KeystoreError::Name(_)), "{name:?}");
    }
    for (name, identity) in
        [("", None), ("A\u{202e}da", None), ("Ada", Some("http://ada.example")), (&*"x".repeat(65), None)]
    {
        let author = Author { name: name.to_owned(), identity: identity.map(str::to_owned) };
        let error = store.create("main", author, None).unwrap_err();
        assert!(matches!(error, KeystoreError::Author(_)), "{error}");
    }
    assert!(!store.path("main").exists());
}

#[test]
fn one_key_is_the_default() {
    let (_folder, store) = store();
    assert!(matches!(store.default().unwrap_err(), KeystoreError::NoKey));
    for name in ["a", "b", "c"] {
        store.create(name, ada(), None).unwrap();
    }
    assert_eq!(store.default().unwrap().name, "a");
    store.set_default("b").unwrap();
    assert_eq!(store.default().unwrap().name, "b");
    assert!(matches!(store.set_default("d").unwrap_err(), KeystoreError::Unknown(_)));

    let revocation = |reason| Revocation { at: now(), reason };
    store.revoke("b", revocation(Reason::Retired)).unwrap();
    assert!(matches!(store.default().unwrap_err(), KeystoreError::NoDefault));
    assert!(matches!(store.set_default("b").unwrap_err(), KeystoreError::Revoked(_)));
    store.revoke("a", revocation(Reason::Superseded)).unwrap();
    assert_eq!(store.default().unwrap().name, "c", "the only one that is left");
}

#[test]
fn a_revoked_key_signs_no_more_and_is_published_as_such() {
    let (_folder, store) = store();
    store.create("old", ada(), None).unwrap();
    store.create("new", Author { name: "Ada L.".to_owned(), identity: None }, None).unwrap();
    let stolen = Revocation { at: "2026-01-02T03:04:05Z".parse().unwrap(), reason: Reason::Compromised };
    store.revoke("old", Revocation { at: stolen.at, reason: Reason::Retired }).unwrap();
    store.revoke("old", stolen).unwrap();
    let error = store.revoke("old", Revocation { at: now(), reason: Reason::Retired }).unwrap_err();
    assert!(matches!(error, KeystoreError::Compromised(_)), "{error}");
    assert!(matches!(store.signer("old", &Types("")).unwrap_err(), KeystoreError::Revoked(_)));

    let list = store.publish_list(&[]).unwrap();
    assert_eq!(KeyList::from_json(&serde_json::to_string(&list).unwrap()).unwrap(), list);
    assert_eq!(list.find(&store.get("old").unwrap().key).unwrap().revoked, Some(stolen));
    let new = list.find(&store.get("new").unwrap().key).unwrap();
    assert_eq!((new.name.as_deref(), new.revoked), (Some("Ada L."), None));
    assert_eq!(store.publish_list(&["new".to_owned()]).unwrap().keys, std::slice::from_ref(new));
    let unknown = store.publish_list(&["x".to_owned()]).unwrap_err();
    assert!(matches!(unknown, KeystoreError::Unknown(_)));
}

#[test]
fn a_damaged_file_of_profiles_is_not_overwritten() {
    let (_folder, store) = store();
    store.create("main", ada(), None).unwrap();
    let profiles = store.path("profiles.json");
    fs::write(&profiles, "{").unwrap();
    assert!(matches!(store.list().unwrap_err(), KeystoreError::Damaged { .. }));
    assert!(store.create("other", ada(), None).is_err());
    assert_eq!(fs::read_to_string(&profiles).unwrap(), "{");
}

#[test]
fn a_file_that_was_exchanged_does_not_sign() {
    let (_folder, store) = store();
    store.create("a", ada(), None).unwrap();
    store.create("b", ada(), None).unwrap();
    fs::copy(store.path("b"), store.path("a")).unwrap();
    assert!(matches!(store.signer("a", &Types("")).unwrap_err(), KeystoreError::Replaced(_)));
    fs::write(store.path("a"), "nonsense").unwrap();
    assert!(matches!(store.signer("a", &Types("")).unwrap_err(), KeystoreError::NotAKey(_)));
}

#[test]
fn several_writers_lose_nothing() {
    let (_folder, store) = store();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let store = &store;
            scope.spawn(move || {
                (0..5).for_each(|n| drop(store.create(&format!("k{writer}-{n}"), ada(), None).unwrap()));
            });
        }
    });
    let keys = store.list().unwrap();
    assert_eq!((keys.len(), keys.iter().filter(|key| key.default).count()), (20, 1));
}

#[test]
fn ssh_keygen_reads_our_files() {
    let (_folder, store) = store();
    for (name, given) in [("locked", Some(passphrase())), ("open", None)] {
        let made = store.create(name, ada(), given.as_ref()).unwrap();
        let phrase = if given.is_some() { TYPED } else { "" };
        let path = store.path(name);
        let Some(read) = tool("ssh-keygen", |c| c.args(["-y", "-P", phrase, "-f"]).arg(&path)) else {
            return;
        };
        let line = String::from_utf8(read.stdout).unwrap();
        assert_eq!(line.trim_end(), format!("{} {name}", made.key.to_openssh()), "{:?}", read.stderr);
        let listed = tool("ssh-keygen", |c| c.arg("-lf").arg(store.path(&format!("{name}.pub")))).unwrap();
        assert!(String::from_utf8(listed.stdout).unwrap().contains(&made.key.fingerprint()));
    }
}

#[test]
fn ssh_keygen_verifies_what_we_sign() {
    let (folder, store) = store();
    store.create("main", ada(), None).unwrap();
    let signer = store.signer("main", &Types("")).unwrap();
    let hash = HashAlgorithm::Sha512;
    let signature = signer.sign(&signed_data(b"a message", hash)).unwrap();
    let signature = SshSignature { key: signer.key().clone(), hash, signature };
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let signature = file("signature", &signature.to_armour());
    let allowed = file("allowed", &format!("ada {}\n", signer.key().to_openssh()));
    let message = fs::File::open(file("message", "a message")).unwrap();
    let Some(output) = tool("ssh-keygen", |c| {
        c.args(["-Y", "verify", "-I", "ada", "-n", "generated-by-human", "-f"])
            .arg(&allowed)
            .arg("-s")
            .arg(&signature)
            .stdin(message)
    }) else {
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn keys_that_ssh_keygen_made_are_taken_over() {
    let (folder, store) = store();
    let keygen = |name: &str, kind: &str, phrase: &str, more: &[&str]| {
        let path = folder.path().join(name);
        let made = tool("ssh-keygen", |c| {
            c.args(["-q", "-t", kind, "-N", phrase, "-C", "ada", "-f"]).arg(&path).args(more)
        })?;
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Some(path)
    };
    let Some(locked) = keygen("locked", "ed25519", TYPED, &[]) else { return };
    let made = store.import_file("mine", ada(), &locked).unwrap();
    assert_eq!((made.valid_from, store.is_encrypted(&made).unwrap()), (None, Some(true)));
    assert_eq!(fs::read(store.path("mine")).unwrap(), fs::read(&locked).unwrap());
    store.signer("mine", &Types(TYPED)).unwrap().sign(b"data").unwrap();
    assert!(store.signer("mine", &Types("no")).is_err());
    assert!(matches!(store.import_file("again", ada(), &locked).unwrap_err(), KeystoreError::Known(_)));
    assert!(!store.path("again").exists());

    let rsa = keygen("rsa", "rsa", "", &["-b", "2048"]).unwrap();
    let error = store.import_file("rsa", ada(), &rsa).unwrap_err();
    assert!(matches!(error, KeystoreError::Algorithm { .. }), "{error}");
    let old = keygen("old", "rsa", "", &["-b", "2048", "-m", "PEM"]).unwrap();
    assert!(matches!(store.import_file("old", ada(), &old).unwrap_err(), KeystoreError::NotAKey(_)));
    let public = folder.path().join("locked.pub");
    assert!(store.import_file("public", ada(), &public).is_err());
    assert!(matches!(
        store.import_file("none", ada(), &folder.path().join("none")).unwrap_err(),
        KeystoreError::Io { .. }
    ));
    assert_eq!(store.list().unwrap().len(), 1);
}

#[test]
fn the_file_of_a_key_in_hardware_is_sent_to_the_agent() {
    let (folder, store) = store();
    let string = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat();
    let point = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes();
    let public = [b"sk-ssh-ed25519@openssh.com".as_slice(), &point, b"ssh:"].map(string).concat();
    // Flags, handle, reserved; then comment and padding.
    let secret = [public.as_slice(), &[1], &string(b"a handle"), &string(b""), &string(b"ada")].concat();
    let mut body = [[0; 8].as_slice(), &secret].concat();
    (1..=8u8).take((8 - body.len() % 8) % 8).for_each(|pad| body.push(pad));
    let whole = [
        b"openssh-key-v1\0".as_slice(),
        &[b"none".as_slice(), b"none", b""].map(string).concat(),
        &[0, 0, 0, 1],
        &string(&public),
        &string(&body),
    ];
    let key = ssh_key::PrivateKey::from_bytes(&whole.concat()).unwrap();
    let path = folder.path().join("id_ed25519_sk");
    key.write_openssh_file(&path, ssh_key::LineEnding::LF).unwrap();
    let error = store.import_file("device", ada(), &path).unwrap_err();
    assert!(matches!(error, KeystoreError::Hardware(_)), "{error}");
}

#[test]
fn every_error_is_one_line() {
    let path = Path::new("/keys/main").to_owned();
    for error in [
        KeystoreError::Wide { path: path.clone(), mode: "600" },
        KeystoreError::Name("x".to_owned()),
        KeystoreError::NoKey,
        KeystoreError::NotAKey(path.clone()),
        KeystoreError::Hardware(path),
        KeystoreError::Passphrase(PassphraseError::NoTerminal("x".to_owned())),
        KeystoreError::Agent(AgentError::None),
        KeystoreError::Agent(AgentError::NoSuchKey { wanted: "x".to_owned(), had: Vec::new() }),
    ] {
        let line = error.to_string();
        assert!(!line.contains('\n'), "{line}");
    }
}
