//! `bonafide key trust`, `distrust` and `contacts`: whose keys the user trusts.

use super::super::Error;
use super::super::messages::Lang;
use super::texts::{self, Say, labels};
use crate::directory::Directory;
use crate::document::fetch::public_only;
use crate::keystore;
use crate::paths::Paths;
use crate::trust::{Contact, TrustError, TrustStore};
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::published::KeyList;
use bonafide_core::signature::statement::Identity;
use bonafide_core::signature::time::Timestamp;
use std::io::Read;
use std::path::{Path, PathBuf};

/// No file of keys is longer; sites may publish as much.
const MAX_FILE: u64 = 1_000_000;

#[derive(Debug, clap::Args)]
pub(super) struct TrustArgs {
    /// What to call whose key it is
    #[arg(required_unless_present = "import")]
    name: Option<String>,
    /// The key: a file (NAME.pub or human-keys.json), a line "ssh-ed25519 AAAA…", https://ORIGIN or github:USER
    #[arg(required_unless_present = "import", num_args = 1.., value_name = "KEY")]
    key: Vec<String>,
    /// A line to remember about it
    #[arg(long)]
    note: Option<String>,
    /// Trust all keys of a file of allowed signers, as ssh-keygen uses them
    #[arg(long, value_name = "ALLOWED_SIGNERS", conflicts_with_all = ["name", "key", "note"])]
    import: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct ContactsArgs {
    /// As JSON
    #[arg(long)]
    json: bool,
    /// As a file of allowed signers, for ssh-keygen
    #[arg(long, conflicts_with = "json")]
    export: bool,
}

pub(super) fn trust(args: &TrustArgs, paths: &Paths, lang: Lang) -> Result<(), Error> {
    let store = TrustStore::new(&paths.config);
    let now = keystore::now();
    if let Some(path) = &args.import {
        let imported = store.import_allowed_signers(&read(path)?, now)?;
        for skipped in &imported.skipped {
            anstream::eprintln!("{}: {skipped}", path.display());
        }
        let said = Say::Imported { added: imported.added, known: imported.known };
        anstream::eprintln!("{}", said.text(lang));
        return Ok(());
    }
    let name = args.name.as_deref().unwrap_or_default();
    let directory = Directory::new(&paths.cache, public_only());
    // A line that was not quoted comes as several words.
    let found = find(&args.key.join(" "), &directory, now)?;
    add(&store, name, &found, args.note.as_deref(), now)?;
    for key in &found.keys {
        anstream::println!("{}", key.fingerprint());
    }
    if let Some(stale) = &found.stale {
        anstream::eprintln!("{}", Say::OldKeys { reason: stale }.text(lang));
    }
    anstream::eprintln!("{}", Say::Trusted { name, count: found.keys.len() }.text(lang));
    Ok(())
}

/// Ends trust in a contact, in one key, or in what an identity was seen with.
pub(super) fn distrust(name: &str, paths: &Paths, lang: Lang) -> Result<(), Error> {
    let store = TrustStore::new(&paths.config);
    let said = match store.remove_contact(name) {
        Ok(removed) => Say::Distrusted { name: &removed.name, count: removed.keys.len() }.text(lang),
        Err(TrustError::UnknownContact(_)) if identity(name).is_some() => {
            let Some(identity) = identity(name) else { return Ok(()) };
            store.unpin(&identity)?;
            Say::Forgotten { identity: &identity.text() }.text(lang)
        }
        Err(error) => return Err(error.into()),
    };
    anstream::eprintln!("{said}");
    Ok(())
}

pub(super) fn contacts(args: &ContactsArgs, paths: &Paths, lang: Lang) -> Result<(), Error> {
    let store = TrustStore::new(&paths.config);
    if args.export {
        anstream::print!("{}", store.export_allowed_signers()?);
        return Ok(());
    }
    let contacts = store.contacts()?;
    if args.json {
        let all: Vec<_> = contacts.iter().map(describe).collect();
        anstream::println!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    if contacts.is_empty() {
        anstream::eprintln!("{}", Say::NoContacts.text(lang));
    }
    let revoked = store.revocations()?;
    for contact in &contacts {
        anstream::println!("{}", contact.name);
        for known in &contact.keys {
            // What a site says of others' keys does not count before they have signed for it.
            let ended = revoked.iter().find(|r| r.key == known.key && (r.by.is_none() || r.confirmed));
            let ended = ended.map(|r| {
                let reason = texts::reason(lang, r.revocation.reason);
                format!(", {} {} ({reason})", labels(lang).revoked, r.revocation.at)
            });
            let note = known.note.iter().map(|note| format!(", {note}"));
            let rest: String = ended.into_iter().chain(note).collect();
            anstream::println!("  {}, {}{rest}", known.key.fingerprint(), known.added);
        }
    }
    Ok(())
}

/// A contact for programs.
fn describe(contact: &Contact) -> serde_json::Value {
    let key = |known: &crate::trust::ContactKey| {
        serde_json::json!({
            "key": known.key,
            "fingerprint": known.key.fingerprint(),
            "note": known.note,
            "added": known.added,
            "valid_from": known.valid_from,
            "valid_until": known.valid_until,
        })
    };
    serde_json::json!({"name": contact.name, "keys": contact.keys.iter().map(key).collect::<Vec<_>>()})
}

/// Keys that are to be trusted, and where they come from.
#[derive(Debug)]
struct Found {
    keys: Vec<PublicKey>,
    /// The identity that publishes them.
    identity: Option<Identity>,
    /// Why they are not from today.
    stale: Option<String>,
}

/// Finds out what kind of thing was given, and the keys that it leads to.
fn find(source: &str, directory: &Directory, now: Timestamp) -> Result<Found, Error> {
    if let Some(identity) = identity(source) {
        let fetched = directory.fetch(&identity, now)?;
        let keys = usable(&fetched.list, now);
        if keys.is_empty() {
            return Err(
                format!("{} publishes no key that is valid now: ask the author", identity.text()).into()
            );
        }
        let stale = fetched.stale.map(|error| error.to_string());
        return Ok(Found { keys, identity: Some(identity), stale });
    }
    if ["http://", "https://", "github:"].iter().any(|scheme| source.starts_with(scheme)) {
        return Err(format!("`{source}` is not an author's identity: give an origin such as https://example.org, without a path, or github:USER").into());
    }
    // A name of a key's type and a space begin a line; no file is likely to be called so.
    let is_line = source.starts_with("ssh-") || source.starts_with("sk-");
    let keys = if is_line && source.contains(' ') {
        vec![PublicKey::from_openssh(source)?]
    } else {
        in_file(&read(Path::new(source))?, now).map_err(|error| format!("{source}: {error}"))?
    };
    Ok(Found { keys, identity: None, stale: None })
}

/// The keys of a `.pub` file or of a list as sites publish it.
fn in_file(text: &str, now: Timestamp) -> Result<Vec<PublicKey>, Error> {
    if text.trim_start().starts_with('{') {
        let keys = usable(&KeyList::from_json(text)?, now);
        return if keys.is_empty() { Err("it lists no key that is valid now".into()) } else { Ok(keys) };
    }
    Ok(vec![PublicKey::from_openssh(text)?])
}

/// The keys of a list that were not revoked and are in their time.
fn usable(list: &KeyList, now: Timestamp) -> Vec<PublicKey> {
    let revoked =
        |key: &PublicKey| list.keys.iter().any(|other| other.key == *key && other.revoked.is_some());
    let fits = list.keys.iter().filter(|listed| {
        !revoked(&listed.key)
            && listed.valid_from.is_none_or(|from| from <= now)
            && listed.valid_until.is_none_or(|until| now < until)
    });
    let mut keys: Vec<_> = fits.map(|listed| listed.key.clone()).collect();
    keys.sort();
    keys.dedup();
    keys
}

/// Trusts all of the keys or, if one is somebody else's, none.
fn add(
    store: &TrustStore,
    name: &str,
    found: &Found,
    note: Option<&str>,
    now: Timestamp,
) -> Result<(), Error> {
    let contacts = store.contacts()?;
    let others = contacts.iter().filter(|contact| contact.name != name);
    for contact in others {
        if contact.keys.iter().any(|known| found.keys.contains(&known.key)) {
            return Err(TrustError::Taken(contact.name.clone()).into());
        }
    }
    let origin = found.identity.as_ref().map(Identity::text);
    for key in &found.keys {
        store.add_contact(name, key, note.or(origin.as_deref()), now)?;
    }
    if let Some(identity) = &found.identity {
        // So the user accepts keys that were changed, too.
        store.pin(identity, &found.keys, now)?;
    }
    Ok(())
}

/// Reads an identity as people type it.
fn identity(text: &str) -> Option<Identity> {
    Identity::parse(&super::identity(text).ok()?)
}

fn read(path: &Path) -> Result<String, Error> {
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text));
    match read {
        Ok(length) if length as u64 <= MAX_FILE => Ok(text),
        Ok(_) => Err(format!("{} is longer than 1 MB: no file of keys is", path.display()).into()),
        Err(error) => Err(format!("{} can't be read: {error}", path.display()).into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Write;
    use std::net::{SocketAddr, TcpListener};

    fn key(seed: u8) -> PublicKey {
        let secret = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        PublicKey::ed25519(secret.verifying_key().to_bytes()).unwrap()
    }

    fn now() -> Timestamp {
        Timestamp::from_unix(1_800_000_000)
    }

    fn list() -> String {
        serde_json::json!({"version": 1, "keys": [
            {"key": key(1), "name": "Ada"},
            {"key": key(2), "revoked": {"at": "2026-01-01T00:00:00Z"}},
            {"key": key(3), "valid_until": "2026-01-01T00:00:00Z"},
            {"key": key(4), "valid_from": "2099-01-01T00:00:00Z"},
        ]})
        .to_string()
    }

    /// A site that answers everything with one text.
    fn site(body: String) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4096]);
                let length = body.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
            }
        });
        address
    }

    #[test]
    fn a_site_is_asked_and_its_good_keys_are_trusted_and_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let address = site(list());
        let directory = Directory::for_tests(folder.path(), address);
        let origin = format!("https://localhost:{}", address.port());
        let found = find(&format!("{origin}/"), &directory, now()).unwrap();
        assert_eq!((found.keys.as_slice(), &found.stale), ([key(1)].as_slice(), &None));

        let store = TrustStore::new(&folder.path().join("config"));
        add(&store, "Ada", &found, None, now()).unwrap();
        let contacts = store.contacts().unwrap();
        assert_eq!((contacts[0].name.as_str(), contacts[0].keys[0].note.as_deref()), ("Ada", Some(&*origin)));
        assert!(store.pinned(&Identity::parse(&origin).unwrap()).unwrap().unwrap().holds(&key(1)));
        let taken = add(&store, "Eve", &found, None, now()).unwrap_err().to_string();
        assert!(taken.contains("\"Ada\"") && store.contacts().unwrap().len() == 1, "{taken}");
    }

    #[test]
    fn lines_and_files_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::for_tests(folder.path(), SocketAddr::from(([127, 0, 0, 1], 9)));
        let path = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let line = format!("{} ada@example.org", key(1).to_openssh());
        for source in [line.clone(), path("ada.pub", &format!("{line}\n")), path("list.json", &list())] {
            assert_eq!(find(&source, &directory, now()).unwrap().keys, [key(1)], "{source}");
        }
        for wrong in [
            "https://ada.example/keys".to_owned(),
            "http://ada.example".to_owned(),
            "nowhere".to_owned(),
            "ssh-rsa AAAA".to_owned(),
            path("empty.json", r#"{"version": 1, "keys": []}"#),
            path("private", "-----BEGIN OPENSSH PRIVATE KEY-----\n"),
        ] {
            let error = find(&wrong, &directory, now()).unwrap_err().to_string();
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
