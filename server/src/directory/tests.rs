#![allow(clippy::unwrap_used, clippy::panic)]

use super::testing::{Site, moved, ok, status};
use super::*;
use crate::document::fetch::public_only;
use crate::trust::testing::{at, hardware, key};
use bonafide_core::signature::published::ListedKey;
use proptest::prelude::*;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Instant;

fn listed(number: u32) -> ListedKey {
    ListedKey { key: key(number), name: None, valid_from: None, valid_until: None, revoked: None }
}

fn site() -> (tempfile::TempDir, Site, Directory) {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new();
    let directory = site.directory(folder.path());
    (folder, site, directory)
}

#[test]
fn fetches_once_and_keeps() {
    let (folder, site, directory) = site();
    site.publish(vec![listed(1)]);
    let fetched = directory.fetch(&site.identity(), at(0)).unwrap();
    assert_eq!((fetched.list.keys, fetched.fetched_at, fetched.stale), (vec![listed(1)], at(0), None));
    // Another process, and no request until a day has passed.
    let other = site.directory(folder.path());
    assert_eq!(other.fetch(&site.identity(), at(DAY - 1)).unwrap().fetched_at, at(0));
    assert_eq!(site.requests(), 1);
    site.publish(vec![listed(2)]);
    assert_eq!(other.fetch(&site.identity(), at(DAY)).unwrap().list.keys, [listed(2)]);
    assert_eq!(site.requests(), 2);
}

#[test]
fn file_names_are_hashes_and_files_are_private() {
    let (folder, site, directory) = site();
    site.publish(vec![listed(1)]);
    directory.fetch(&site.identity(), at(0)).unwrap();
    let kept = folder.path().join("cache/directory");
    let entries: Vec<_> = std::fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(entries.len(), 1);
    let name = entries[0].file_stem().unwrap().to_str().unwrap();
    assert!(name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&entries[0]).unwrap().permissions().mode() & 0o777, 0o600);
        // What others could have written is asked again.
        std::fs::set_permissions(&entries[0], std::fs::Permissions::from_mode(0o666)).unwrap();
        directory.fetch(&site.identity(), at(1)).unwrap();
        assert_eq!(site.requests(), 2);
    }
    std::fs::write(&entries[0], "{").unwrap();
    directory.fetch(&site.identity(), at(2)).unwrap();
}

#[test]
fn the_site_says_how_long_within_limits() {
    for (headers, life) in [
        ("cache-control: public, max-age=3600\r\n", HOUR),
        ("cache-control: max-age=1\r\n", 5 * MINUTE),
        ("cache-control: no-store\r\n", 5 * MINUTE),
        ("cache-control: max-age=99999999\r\n", 7 * DAY),
        ("cache-control: max-age=x\r\n", DAY),
    ] {
        let (_folder, site, directory) = site();
        site.set(WELL_KNOWN_PATH, ok(headers, "{\"version\":1,\"keys\":[]}"));
        for (seconds, requests) in [(0, 1), (life - 1, 1), (life, 2)] {
            directory.fetch(&site.identity(), at(seconds)).unwrap();
            assert_eq!(site.requests(), requests, "{headers} {seconds}");
        }
    }
}

#[test]
fn a_key_that_is_not_listed_is_looked_for_again() {
    let (_folder, site, directory) = site();
    let identity = site.identity();
    site.publish(vec![listed(1)]);
    directory.fetch_for(&identity, &key(2), at(0)).unwrap();
    site.publish(vec![listed(1), listed(2)]);
    directory.fetch_for(&identity, &key(2), at(PAUSE - 1)).unwrap();
    directory.fetch_for(&identity, &key(1), at(PAUSE)).unwrap();
    assert_eq!(site.requests(), 1);
    assert_eq!(directory.fetch_for(&identity, &key(2), at(PAUSE)).unwrap().list.keys.len(), 2);
    assert_eq!(site.requests(), 2);
}

#[test]
fn what_was_kept_serves_while_the_site_is_down_and_says_so() {
    let (folder, site, directory) = site();
    let identity = site.identity();
    site.publish(vec![listed(1)]);
    directory.fetch(&identity, at(0)).unwrap();
    site.hang_up();
    let stale = directory.fetch(&identity, at(DAY)).unwrap();
    assert_eq!((stale.list.keys, stale.fetched_at), (vec![listed(1)], at(0)));
    assert!(matches!(stale.stale, Some(DirectoryError::Unreachable { .. })));
    // It is let alone for ten minutes, not longer.
    assert!(directory.fetch(&identity, at(DAY + PAUSE - 1)).unwrap().stale.is_some());
    assert_eq!(site.requests(), 2);
    site.set(WELL_KNOWN_PATH, status("503 Busy"));
    let stale = directory.fetch(&identity, at(DAY + PAUSE)).unwrap();
    assert!(matches!(stale.stale, Some(DirectoryError::Status { status: 503, .. })));
    // The memory of a failure dies with the process.
    assert!(site.directory(folder.path()).fetch(&identity, at(DAY + PAUSE)).unwrap().stale.is_some());
    assert_eq!(site.requests(), 4);
    let error = directory.fetch(&identity, at(STALE_LIFE)).unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    site.publish(vec![listed(2)]);
    assert!(directory.fetch(&identity, at(STALE_LIFE + PAUSE)).unwrap().stale.is_none());
}

#[test]
fn a_site_that_takes_its_list_away_is_believed() {
    let (_folder, site, directory) = site();
    site.publish(vec![listed(1)]);
    directory.fetch(&site.identity(), at(0)).unwrap();
    site.set(WELL_KNOWN_PATH, status("404 Not Found"));
    let error = directory.fetch(&site.identity(), at(DAY)).unwrap_err();
    assert!(matches!(error, DirectoryError::NotPublished { status: 404, .. }));
    site.hang_up();
    let error = directory.fetch(&site.identity(), at(DAY + PAUSE)).unwrap_err();
    assert!(matches!(error, DirectoryError::Unreachable { .. }), "{error}");
}

#[test]
fn redirects_stay_on_the_origin() {
    let (_folder, site, directory) = site();
    let body = "{\"version\":1,\"keys\":[]}";
    site.set(WELL_KNOWN_PATH, moved("/1"));
    site.set("/1", moved(&format!("http://localhost:{}/2", site.address.port())));
    site.set("/2", moved("3"));
    site.set("/3", ok("", body));
    directory.fetch(&site.identity(), at(0)).unwrap();
    site.set("/3", moved("/4"));
    site.set("/4", ok("", body));
    let error = directory.fetch(&site.identity(), at(DAY)).unwrap_err();
    assert!(matches!(error, DirectoryError::TooManyRedirects { .. }), "{error}");

    let other = Site::new();
    other.set("/", ok("", body));
    let port = site.address.port();
    for (number, to) in [
        format!("http://localhost:{}/", other.address.port()),
        format!("http://127.0.0.1:{port}/3"),
        format!("https://localhost:{port}/3"),
        "//example.org/".to_owned(),
        "file:///etc/passwd".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        site.set(WELL_KNOWN_PATH, moved(to));
        let error = directory.fetch(&site.identity(), at((2 + number as u64) * DAY)).unwrap_err();
        assert!(matches!(error, DirectoryError::OtherOrigin { .. }), "{to}: {error}");
    }
    assert_eq!(other.requests(), 0);
}

#[test]
fn private_addresses_are_refused_before_any_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let directory = Directory::new(folder.path(), public_only());
    let origin = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let error = directory.fetch(&Identity::parse(&origin).unwrap(), at(0)).unwrap_err();
    assert!(matches!(error, DirectoryError::Private { address, .. } if address.is_loopback()), "{error}");
    assert!(matches!(directory.fetch_did(&origin), Err(DirectoryError::Private { .. })));
    for page in [format!("{origin}/"), "https://10.0.0.1/".to_owned(), "https://[::1]/".to_owned()] {
        assert!(matches!(directory.fetch_side("/x", &page), Err(DirectoryError::Private { .. })), "{page}");
    }
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn only_https_is_spoken() {
    let site = Site::new();
    let permitted = site.address;
    let folder = tempfile::tempdir().unwrap();
    let directory = Directory::new(folder.path(), Arc::new(move |address| address == permitted))
        .with_limits(Duration::from_millis(500), Duration::from_secs(1));
    site.publish(vec![]);
    let error = directory.fetch(&site.identity(), at(0)).unwrap_err();
    assert!(matches!(error, DirectoryError::Unreachable { .. }), "{error}");
    let page = format!("http://{permitted}/page");
    for (url, page) in
        [("/x", page.as_str()), ("ftp://e.org/x", "ftp://e.org/"), ("/x", "https://u:p@e.org/")]
    {
        let error = directory.fetch_side(url, page).unwrap_err();
        assert!(matches!(error, DirectoryError::BadUrl { .. }), "{error}");
    }
}

#[test]
fn what_is_no_list_is_refused() {
    let (_folder, site, directory) = site();
    for (number, (body, word)) in [
        ("<!doctype html>".to_owned(), "not readable"),
        ("{\"version\":2,\"keys\":[]}".to_owned(), "version 2"),
        ("{\"version\":1,\"keys\":[{\"key\":\"ssh-rsa AAAA\"}]}".to_owned(), "not readable"),
        (" ".repeat(1_000_001), "1 MB"),
    ]
    .into_iter()
    .enumerate()
    {
        site.set(WELL_KNOWN_PATH, ok("", &body));
        let error = directory.fetch(&site.identity(), at(number as u64 * HOUR)).unwrap_err().to_string();
        assert!(error.contains(word) && !error.contains('\n'), "{error}");
    }
    site.set(WELL_KNOWN_PATH, ok("content-type: image/png\r\n", "\u{feff}{\"version\":1,\"keys\":[]}"));
    directory.fetch(&site.identity(), at(DAY)).unwrap();
}

#[test]
fn slow_sites_are_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        use std::io::Write;
        // The first never answers; the second drips.
        let silent = listener.accept().unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
        drop(silent);
    });
    let directory = Directory::for_tests(folder.path(), address)
        .with_limits(Duration::from_millis(200), Duration::from_millis(400));
    let identity = Identity::parse(&format!("https://localhost:{}", address.port())).unwrap();
    for seconds in [0, PAUSE] {
        let start = Instant::now();
        let error = directory.fetch(&identity, at(seconds)).unwrap_err();
        assert!(
            matches!(&error, DirectoryError::Unreachable { reason, .. } if reason == "no answer in time"),
            "{error}"
        );
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn github_publishes_two_lists() {
    let (_folder, site, directory) = site();
    let ada = Identity::parse("github:ada").unwrap();
    let (signing, login) = ("/users/ada/ssh_signing_keys", "/ada.keys");
    site.set(
        signing,
        ok("", &format!("[{{\"id\":1,\"key\":\"{} x\",\"title\":\"t\"}}]", key(1).to_openssh())),
    );
    let lines = format!("{}\nssh-rsa AAAAB3NzaC1yc2E=\n{}\n", key(1).to_openssh(), hardware(2).to_openssh());
    site.set(login, ok("", &lines));
    let keys = |seconds| -> Result<Vec<PublicKey>, DirectoryError> {
        let fetched = directory.fetch(&ada, at(seconds))?;
        Ok(fetched.list.keys.into_iter().map(|listed| listed.key).collect())
    };
    assert_eq!(keys(0).unwrap(), [key(1), hardware(2)]);
    assert_eq!(keys(HOUR - 1).unwrap().len(), 2);
    assert_eq!(site.requests(), 2);
    site.set(signing, status("404 Not Found"));
    assert_eq!(keys(HOUR).unwrap(), [key(1), hardware(2)]);
    // Half of it is not taken for all.
    site.set(signing, status("403 Forbidden"));
    assert!(directory.fetch(&ada, at(2 * HOUR)).unwrap().stale.is_some());
    site.set(signing, status("404 Not Found"));
    site.set(login, status("404 Not Found"));
    assert!(matches!(keys(3 * HOUR), Err(DirectoryError::NotPublished { .. })));
    site.set(signing, ok("", "{}"));
    assert!(matches!(keys(4 * HOUR), Err(DirectoryError::Unreadable { .. })));
}

#[test]
fn did_documents_and_side_files() {
    let (_folder, site, directory) = site();
    let Identity::Origin(authority) = site.identity() else { panic!() };
    site.set("/.well-known/did.json", ok("", "{\"id\":\"did:web:x\"}"));
    assert_eq!(directory.fetch_did(&format!("https://{authority}")).unwrap()["id"], "did:web:x");
    for origin in ["github:ada", "http://example.org", "https://example.org/a", ""] {
        assert!(matches!(directory.fetch_did(origin), Err(DirectoryError::BadUrl { .. })), "{origin}");
    }
    site.set("/.well-known/did.json", ok("", "x"));
    let error = directory.fetch_did(&format!("https://{authority}")).unwrap_err();
    assert!(matches!(error, DirectoryError::Unreadable { .. }));

    site.set("/a/b.human.json", ok("", "[]"));
    let page = format!("http://{authority}/a/page?x#y");
    for url in ["b.human.json", "/a/b.human.json#x", &format!("http://{authority}/a/b.human.json")] {
        assert_eq!(directory.fetch_side(url, &page).unwrap(), "[]", "{url}");
    }
    for url in ["//example.org/a/b.human.json", "https://example.org/", "data:,x"] {
        assert!(matches!(directory.fetch_side(url, &page), Err(DirectoryError::ForeignSide { .. })), "{url}");
    }
    for (url, page) in [("x", "x"), ("http://[", page.as_str())] {
        assert!(matches!(directory.fetch_side(url, page), Err(DirectoryError::BadUrl { .. })), "{url}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_answer_is_a_list_or_an_error(body in "(?s).{0,60}", head in "[ -~]{0,20}") {
        let (_folder, site, directory) = site();
        site.set(WELL_KNOWN_PATH, ok(&format!("cache-control: {head}\r\n"), &body));
        prop_assert!(directory.fetch(&site.identity(), at(0)).is_err());
    }
}
