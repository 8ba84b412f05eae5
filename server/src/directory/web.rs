//! One file by https from the origin that was asked.

use super::DirectoryError;
use crate::document::fetch::{AddressPolicy, FetchError, get, redirect, translate};
use std::io::Read;
use std::time::{Duration, Instant};
use ureq::http::{HeaderMap, Response, header};
use url::Url;

const MAX_BYTES: usize = 1_000_000;
const MAX_REDIRECTS: usize = 3;
const LIMIT: Duration = Duration::from_secs(5);

/// How files are fetched.
pub(super) struct Web {
    policy: AddressPolicy,
    connect: Duration,
    total: Duration,
    scheme: &'static str,
    /// Authority of GitHub's API, and of its pages.
    pub(super) github: [String; 2],
}

/// What came.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) host: String,
    /// For how many seconds it holds, if it says.
    pub(super) max_age: Option<u64>,
}

impl Web {
    pub(super) fn new(policy: AddressPolicy) -> Self {
        let github = ["api.github.com", "github.com"].map(str::to_owned);
        Self { policy, connect: LIMIT, total: LIMIT, scheme: "https", github }
    }

    /// A server of a test has no certificate and stands on this machine.
    #[cfg(test)]
    pub(super) fn for_tests(permitted: std::net::SocketAddr) -> Self {
        let policy: AddressPolicy = std::sync::Arc::new(move |address| address.port() == permitted.port());
        let authority = format!("localhost:{}", permitted.port());
        Self { scheme: "http", github: [authority.clone(), authority], ..Self::new(policy) }
    }

    pub(super) fn set_limits(&mut self, connect: Duration, total: Duration) {
        (self.connect, self.total) = (connect, total);
    }

    /// When what begins now must be done.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.total
    }

    pub(super) fn url(&self, authority: &str, path: &str) -> Result<Url, DirectoryError> {
        let url = format!("{}://{authority}{path}", self.scheme);
        Url::parse(&url).map_err(|_| DirectoryError::BadUrl { url })
    }

    /// Fetches a file of text.
    pub(super) fn get(&self, url: Url, deadline: Instant) -> Result<Answer, DirectoryError> {
        let mut url = url;
        for _ in 0..=MAX_REDIRECTS {
            url.set_fragment(None);
            let plain = url.username().is_empty() && url.password().is_none();
            if url.scheme() != self.scheme || !plain {
                return Err(DirectoryError::BadUrl { url: short(url.as_str()) });
            }
            let response = self.get_once(&url, deadline)?;
            let Some(location) = redirect(&response) else { return answer(&url, response) };
            let to = url.join(location.trim());
            match to.ok().filter(|to| to.origin() == url.origin()) {
                Some(to) => url = to,
                None => return Err(DirectoryError::OtherOrigin { host: host(&url), to: short(&location) }),
            }
        }
        Err(DirectoryError::TooManyRedirects { host: host(&url) })
    }

    fn get_once(&self, url: &Url, deadline: Instant) -> Result<Response<ureq::Body>, DirectoryError> {
        let accept = "application/json, text/plain;q=0.9, */*;q=0.8";
        get(url, &self.policy, self.connect, deadline, accept).map_err(|error| failed(error, url))
    }
}

fn answer(url: &Url, mut response: Response<ureq::Body>) -> Result<Answer, DirectoryError> {
    let host = host(url);
    let status = response.status();
    if matches!(status.as_u16(), 404 | 410) {
        return Err(DirectoryError::NotPublished {
            host,
            path: url.path().to_owned(),
            status: status.as_u16(),
        });
    }
    if !status.is_success() {
        return Err(DirectoryError::Status { host, status: status.as_u16() });
    }
    let max_age = max_age(response.headers());
    let mut bytes = Vec::new();
    let read = response.body_mut().as_reader().take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| error.downcast::<ureq::Error>().unwrap_or_else(ureq::Error::Io))
        .map_err(|error| failed(translate(error, url), url))?;
    if bytes.len() > MAX_BYTES {
        return Err(DirectoryError::TooLarge { host });
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Answer { text: text.trim_start_matches('\u{feff}').to_owned(), host, max_age }),
        Err(_) => Err(DirectoryError::Unreadable { host, reason: "it is not UTF-8".to_owned() }),
    }
}

fn failed(error: FetchError, url: &Url) -> DirectoryError {
    match error {
        FetchError::Private { host, address } => DirectoryError::Private { host, address },
        FetchError::HostNotFound { host } => {
            DirectoryError::Unreachable { host, reason: "there is no such host".to_owned() }
        }
        FetchError::Timeout { host } => {
            DirectoryError::Unreachable { host, reason: "no answer in time".to_owned() }
        }
        FetchError::Connection { host, reason, .. } => DirectoryError::Unreachable { host, reason },
        other => DirectoryError::Unreachable { host: host(url), reason: other.to_string() },
    }
}

/// `max-age` of `Cache-Control`; 0 if it is not to be kept at all.
fn max_age(headers: &HeaderMap) -> Option<u64> {
    let values = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut age = None;
    for directive in values.flat_map(|value| value.split(',')) {
        let directive = directive.trim().to_ascii_lowercase();
        if matches!(directive.as_str(), "no-store" | "no-cache") {
            return Some(0);
        }
        if let Some(seconds) = directive.strip_prefix("max-age=") {
            age = age.or(seconds.trim_matches('"').parse().ok());
        }
    }
    age
}

/// With its port, if that is not the usual one.
fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

/// What a stranger sent, for one line of a message.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
