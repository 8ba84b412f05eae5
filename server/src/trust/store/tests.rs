#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::testing::{at, hardware, key, revocation, store};
use super::*;
use bonafide_core::signature::published::Reason;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

fn names(store: &TrustStore) -> Vec<String> {
    store.contacts().unwrap().into_iter().map(|contact| contact.name).collect()
}

fn ada() -> Identity {
    Identity::parse("https://ada.example").unwrap()
}

#[test]
fn contacts_are_added_found_and_removed() {
    let (_folder, store) = store();
    assert!(store.contacts().unwrap().is_empty());
    assert!(!store.path().exists());
    store.add_contact("Ada Lovelace", &key(1), Some("by telephone"), at(0)).unwrap();
    store.add_contact("Ada Lovelace", &hardware(2), None, at(1)).unwrap();
    store.add_contact("Ada Lovelace", &key(1), None, at(2)).unwrap();
    store.add_contact("Bob", &key(3), None, at(3)).unwrap();
    let contacts = store.contacts().unwrap();
    assert_eq!(contacts.len(), 2);
    assert_eq!(contacts[0].keys.len(), 2);
    assert_eq!(
        (contacts[0].keys[0].note.as_deref(), contacts[0].keys[0].added),
        (Some("by telephone"), at(0))
    );
    assert_eq!(store.contact_of(&hardware(2), at(9)).unwrap().as_deref(), Some("Ada Lovelace"));
    assert_eq!(store.contact_of(&key(9), at(9)).unwrap(), None);
    assert!(
        matches!(store.add_contact("Eve", &key(3), None, at(4)), Err(TrustError::Taken(name)) if name == "Bob")
    );

    let removed = store.remove_contact(&key(1).fingerprint()).unwrap();
    assert_eq!((removed.name.as_str(), removed.keys[0].key.clone()), ("Ada Lovelace", key(1)));
    assert_eq!(names(&store), ["Ada Lovelace", "Bob"]);
    store.remove_contact(&hardware(2).fingerprint()).unwrap();
    store.remove_contact("Bob").unwrap();
    assert!(store.contacts().unwrap().is_empty());
    assert!(matches!(store.remove_contact("Bob"), Err(TrustError::UnknownContact(_))));
}

#[test]
fn names_and_notes_are_visible() {
    let (_folder, store) = store();
    for name in ["", " ", " a", "a ", "a\nb", "a\u{202e}b", "a\u{200b}", "a\u{a0}b", &"é".repeat(65)] {
        assert!(
            matches!(store.add_contact(name, &key(1), None, at(0)), Err(TrustError::Name(_))),
            "{name:?}"
        );
    }
    for note in ["a\nb", "\u{1b}[31m", &"x".repeat(281)] {
        assert!(matches!(store.add_contact("a", &key(1), Some(note), at(0)), Err(TrustError::Note)));
    }
    store.add_contact(&"é".repeat(64), &key(1), Some(""), at(0)).unwrap();
}

#[test]
fn pins_grow_and_are_forgotten() {
    let (_folder, store) = store();
    assert_eq!(store.pinned(&ada()).unwrap(), None);
    store.pin(&ada(), &[key(1)], at(0)).unwrap();
    store.pin(&ada(), &[key(1), key(2)], at(5)).unwrap();
    let pin = store.pinned(&ada()).unwrap().unwrap();
    assert_eq!(pin.first_seen, at(0));
    assert_eq!(pin.keys.iter().map(|pinned| pinned.first_seen).collect::<Vec<_>>(), [at(0), at(5)]);
    assert_eq!(store.pins().unwrap()[0].0, "https://ada.example");
    store.unpin(&ada()).unwrap();
    assert!(matches!(store.unpin(&ada()), Err(TrustError::NotPinned(_))));
}

#[test]
fn the_worst_revocation_stays() {
    let (_folder, store) = store();
    let known = |store: &TrustStore| store.revocations().unwrap()[0].revocation;
    store.revoke(&key(1), revocation(50, Reason::Retired)).unwrap();
    store.revoke(&key(1), revocation(60, Reason::Superseded)).unwrap();
    assert_eq!(known(&store), revocation(50, Reason::Retired));
    store.revoke(&key(1), revocation(90, Reason::Compromised)).unwrap();
    store.revoke(&key(1), revocation(10, Reason::Retired)).unwrap();
    assert_eq!(known(&store), revocation(90, Reason::Compromised));
    store.revoke(&key(1), revocation(20, Reason::Compromised)).unwrap();
    assert_eq!(known(&store), revocation(20, Reason::Compromised));
    assert_eq!(store.revocations().unwrap().len(), 1);
}

#[test]
fn the_file_is_for_people_and_for_nobody_else() {
    let (_folder, store) = store();
    store.add_contact("Ada", &key(1), Some("met in London"), at(0)).unwrap();
    let text = fs::read_to_string(store.path()).unwrap();
    for part in ["\n  \"contacts\"", "Ada", "ssh-ed25519 AAAA", "met in London", "2026-11-25T08:00:00Z"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        store.add_contact("Bob", &key(2), None, at(0)).unwrap();
        for name in [TRUST_FILE, "trust.json.1", LOCK_FILE] {
            assert_eq!(mode(&store.folder.join(name)), 0o600, "{name}");
        }
        assert_eq!(mode(&store.folder), 0o700);
    }
}

#[cfg(unix)]
#[test]
fn files_and_folders_open_to_others_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, store) = store();
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    store.add_contact("Ada", &key(1), None, at(0)).unwrap();
    for mode in [0o644, 0o620, 0o602, 0o610] {
        set(&store.path(), mode);
        let error = store.contacts().unwrap_err();
        assert!(matches!(error, TrustError::Wide { .. }), "{error}");
        assert!(error.to_string().contains(&format!("`chmod 600 {}`", store.path().display())), "{error}");
        assert!(store.add_contact("Bob", &key(2), None, at(0)).is_err());
    }
    set(&store.path(), 0o600);
    for mode in [0o720, 0o770, 0o702, 0o777] {
        set(&store.folder, mode);
        let error = store.contacts().unwrap_err().to_string();
        assert!(error.contains(&format!("`chmod 700 {}`", store.folder.display())), "{error}");
        assert!(store.add_contact("Bob", &key(2), None, at(0)).is_err());
    }
    // What is in the folder may be seen.
    set(&store.folder, 0o755);
    assert_eq!(names(&store), ["Ada"]);
}

#[test]
fn older_versions_are_kept() {
    let (_folder, store) = store();
    for number in 0..12 {
        store.add_contact(&number.to_string(), &key(number), None, at(0)).unwrap();
        // Nothing changes, so nothing is kept.
        store.add_contact(&number.to_string(), &key(number), None, at(0)).unwrap();
    }
    for number in 1..=9 {
        let text = fs::read(private::version(&store.path(), number)).unwrap();
        let stored: Stored = serde_json::from_slice(&text).unwrap();
        assert_eq!(stored.contacts.len(), 12 - number as usize);
    }
    assert!(!private::version(&store.path(), 10).exists());
}

#[test]
fn a_damaged_file_is_refused_and_kept_and_an_older_one_named() {
    let (_folder, store) = store();
    for number in 0..3 {
        store.add_contact(&number.to_string(), &key(number), None, at(0)).unwrap();
    }
    fs::write(store.path(), "{\"version\": 1, \"contacts\": [").unwrap();
    fs::write(private::version(&store.path(), 1), "").unwrap();
    let error = store.contacts().unwrap_err().to_string();
    assert!(error.contains("trust.json.2;") && error.contains("`cp ") && !error.contains('\n'), "{error}");
    assert!(store.add_contact("x", &key(9), None, at(0)).is_err());
    assert!(fs::read_to_string(store.path()).unwrap().ends_with('['));
    fs::copy(private::version(&store.path(), 2), store.path()).unwrap();
    assert_eq!(names(&store), ["0"]);

    fs::write(store.path(), "{\"version\": 1, \"keys\": []}").unwrap();
    assert!(matches!(store.contacts(), Err(TrustError::Damaged { .. })), "unknown members would be lost");
    fs::write(store.path(), "{\"version\": 2, \"groups\": []}").unwrap();
    assert!(matches!(store.contacts(), Err(TrustError::Version { version: 2, .. })));
    fs::remove_file(store.path()).unwrap();
    assert!(store.contacts().unwrap().is_empty());
}

#[test]
fn another_process_sees_changes_and_both_lose_nothing() {
    let (_folder, store) = store();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let folder = &store.folder;
            scope.spawn(move || {
                let store = TrustStore::new(folder);
                for number in 0..5 {
                    let number = writer * 10 + number;
                    store.add_contact(&number.to_string(), &key(number), None, at(0)).unwrap();
                    assert!(names(&store).contains(&number.to_string()));
                }
            });
        }
    });
    assert_eq!(store.contacts().unwrap().len(), 20);
    assert!(private::version(&store.path(), 9).exists());
}

const KILL_FOLDER: &str = "BONAFIDE_TEST_KILL_FOLDER";

/// Does nothing by itself; the next test runs it in a process of its own and kills that.
#[test]
fn changes_until_killed() {
    let Some(folder) = std::env::var_os(KILL_FOLDER) else { return };
    let store = TrustStore::new(Path::new(&folder));
    let newest = names(&store).iter().filter_map(|name| name.parse::<u32>().ok()).max();
    for number in newest.unwrap_or(0) + 1.. {
        store.add_contact(&number.to_string(), &key(number), None, at(0)).unwrap();
        // Past the test harness, which would hold it back.
        writeln!(std::io::stdout(), "\nadded {number}").unwrap();
        for old in names(&store).iter().filter_map(|name| name.parse::<u32>().ok()) {
            if old + 3 < number {
                store.remove_contact(&old.to_string()).unwrap();
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn a_process_killed_at_any_moment_loses_nothing_it_had_finished() {
    let (_folder, store) = store();
    store.add_contact("first", &key(0), None, at(0)).unwrap();
    let mut finished = 0;
    for round in 0..30 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "trust::store::tests::changes_until_killed", "--nocapture"])
            .env(KILL_FOLDER, &store.folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut added = || {
            lines
                .by_ref()
                .map_while(Result::ok)
                .find_map(|line| line.strip_prefix("added ")?.parse::<u32>().ok())
        };
        finished = finished.max(added().unwrap());
        // Other moments in each round; readers find a whole file meanwhile.
        let until = std::time::Instant::now() + Duration::from_micros(1700 * round);
        while std::time::Instant::now() < until {
            assert!(names(&store).contains(&"first".to_owned()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        while let Some(number) = added() {
            finished = finished.max(number);
        }
        let newest = names(&store).iter().filter_map(|name| name.parse().ok()).max();
        assert!((Some(finished)..=Some(finished + 1)).contains(&newest), "{newest:?} after {finished}");
    }
    assert!(finished >= 30);
    store.add_contact("last", &key(1_000_000), None, at(0)).unwrap();
    let left: Vec<_> = fs::read_dir(&store.folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".new")), "{left:?}");
}
