#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

/// A server that gives the same raw responses in order, one a connection, then stops.
fn serve(responses: Vec<String>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for response in responses {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            // The client may have seen enough and gone.
            let _ = stream.write_all(response.as_bytes());
        }
    });
    address
}

fn ok(media_type: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn moved(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

fn only(permitted: SocketAddr) -> Fetcher {
    Fetcher::new(Arc::new(move |address| address == permitted || is_public(address.ip())))
}

#[test]
fn fetches_a_page_and_follows_a_redirect() {
    let address = serve(vec![moved("/b.html?x=1#part"), ok("text/html; charset=utf-8", "<p>hé")]);
    let page = only(address).fetch(&format!("http://{address}/a")).unwrap();
    assert_eq!(page.text, "<p>hé");
    assert_eq!(page.format, Format::Html);
    assert_eq!(page.url, format!("http://{address}/b.html?x=1"));
}

#[test]
fn a_redirect_to_loopback_is_refused_before_any_connection() {
    let inner = TcpListener::bind("127.0.0.1:0").unwrap();
    inner.set_nonblocking(true).unwrap();
    let target = inner.local_addr().unwrap();
    for to in [format!("http://{target}/"), format!("http://localhost:{}/", target.port())] {
        let address = serve(vec![moved(&to)]);
        let error = only(address).fetch(&format!("http://{address}/")).unwrap_err();
        match &error {
            FetchError::Redirect { to: named, source } => {
                assert_eq!(*named, to);
                assert!(matches!(**source, FetchError::Private { address, .. } if address.is_loopback()));
            }
            other => panic!("{other}"),
        }
        assert_eq!(inner.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }
}

#[test]
fn a_redirect_to_another_scheme_or_with_credentials_is_refused() {
    for (to, word) in [
        ("file:///etc/passwd", "http"),
        ("ftp://example.org/", "http"),
        ("http://u:p@example.org/", "password"),
    ] {
        let address = serve(vec![moved(to)]);
        let error = only(address).fetch(&format!("http://{address}/")).unwrap_err();
        assert!(matches!(error, FetchError::Redirect { .. }), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn redirects_in_a_circle_end() {
    let address = serve(vec![moved("/"); MAX_REDIRECTS + 1]);
    let error = only(address).fetch(&format!("http://{address}/")).unwrap_err();
    assert!(matches!(error, FetchError::TooManyRedirects), "{error}");
}

#[test]
fn private_addresses_are_refused_however_they_are_written() {
    for url in [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://10.1.2.3/",
        "http://169.254.169.254/latest/",
        "http://0/",
        "http://[fe80::1]/",
        "http://[fd00::1]/",
        "http://100.64.0.1:8017/",
        "http://[64:ff9b::a00:1]/",
    ] {
        let error = Fetcher::default().fetch(url).unwrap_err();
        assert!(matches!(error, FetchError::Private { .. }), "{url}: {error}");
    }
}

#[test]
fn bad_addresses_have_clear_errors() {
    for url in
        ["", "nonsense", "http://", "ftp://example.org/", "file:///etc/passwd", "http://[::1", "http://a b/"]
    {
        let error = Fetcher::default().fetch(url).unwrap_err();
        assert!(matches!(error, FetchError::BadUrl { .. }), "{url}: {error}");
    }
    let error = Fetcher::default().fetch("https://user@example.org/").unwrap_err();
    assert!(matches!(error, FetchError::Credentials), "{error}");
}

#[test]
fn statuses_types_sizes_and_encodings_are_checked() {
    let fetch = |response: String| {
        let address = serve(vec![response]);
        only(address).fetch(&format!("http://{address}/page.md")).unwrap_err()
    };
    let missing = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    assert!(matches!(fetch(missing.to_owned()), FetchError::Status { status, .. } if status.as_u16() == 404));
    assert!(matches!(fetch(ok("image/png", "x")), FetchError::MediaType { .. }));
    assert!(matches!(
        fetch(ok("text/plain", &"a".repeat(super::super::MAX_BYTES + 1))),
        FetchError::Document(DocumentError::TooLarge { .. })
    ));
    let latin =
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=iso-8859-1\r\nconnection: close\r\n\r\n";
    let mut latin = latin.to_vec();
    latin.extend(b"caf\xe9");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(&latin);
    });
    let error = only(address).fetch(&format!("http://{address}/")).unwrap_err();
    assert!(error.to_string().contains("iconv -f iso-8859-1"), "{error}");
}

#[test]
fn raw_markdown_is_recognised() {
    let address = serve(vec![ok("text/plain", "# x")]);
    let page = only(address).fetch(&format!("http://{address}/page.md")).unwrap();
    assert_eq!(page.format, Format::Markdown);
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let fetcher = only(address).with_limits(Duration::from_millis(200), Duration::from_millis(300));
    let start = Instant::now();
    let error = fetcher.fetch(&format!("http://{address}/")).unwrap_err();
    assert!(matches!(error, FetchError::Timeout { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10));
    drop(listener);
}

#[test]
fn a_server_that_drips_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n");
        while stream.write_all(b"a").is_ok() {
            if stopped.recv_timeout(Duration::from_millis(20))
                != Err(std::sync::mpsc::RecvTimeoutError::Timeout)
            {
                break;
            }
        }
    });
    let fetcher = only(address).with_limits(Duration::from_millis(200), Duration::from_millis(400));
    let error = fetcher.fetch(&format!("http://{address}/")).unwrap_err();
    assert!(matches!(error, FetchError::Timeout { .. }), "{error}");
    drop(stop);
}

#[test]
fn public_addresses_are_told_from_the_others() {
    for public in [
        "1.1.1.1",
        "93.184.216.34",
        "172.32.0.1",
        "192.0.1.1",
        "100.128.0.1",
        "2606:4700::1111",
        "2a00::1",
        "64:ff9b::101:101",
    ] {
        assert!(is_public(public.parse().unwrap()), "{public}");
    }
    for other in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.8.8.8",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:8.8.8.8",
        "::8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!is_public(other.parse().unwrap()), "{other}");
    }
}
