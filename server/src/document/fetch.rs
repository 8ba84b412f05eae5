//! A page from the web, without becoming a way into the machine's own network.
//!
//! Whoever names an address may be quoting someone else's, so server-side request forgery is the risk here: a
//! name that resolves to loopback or to the router, or a redirect to one. The addresses that a name resolves
//! to are checked at the moment of connecting, and the connection is made to those very addresses, so a name
//! that changes between check and use (DNS rebinding) gains nothing. Proxies are not used, as they would
//! resolve the name again.

mod link;

use super::DocumentError;
use super::read::{Format, decode, limited};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use ureq::config::Config;
use ureq::http::{Response, StatusCode, Uri, header};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use url::Url;

/// The most redirects that are followed.
const MAX_REDIRECTS: usize = 5;

/// Why a page can't be had. Every message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Not an address.
    #[error("`{url}` is not an address of a page ({reason}): give one that begins with https:// or http://")]
    BadUrl {
        /// What was given.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// A user name or password in the address.
    #[error("the address holds a user name or a password: remove the part before the @")]
    Credentials,
    /// The address leads to this machine or to a private network.
    #[error(
        "{host} is {address}, an address of this machine or of a private network, which is never fetched: save the page and score the file"
    )]
    Private {
        /// The name in the URL.
        host: String,
        /// What it resolves to.
        address: IpAddr,
    },
    /// A redirect leads somewhere that is refused.
    #[error("the page redirects to {to}, which is refused: {source}")]
    Redirect {
        /// Where to.
        to: String,
        /// Why that is refused.
        source: Box<FetchError>,
    },
    /// Too many redirects.
    #[error(
        "the page redirects more than {MAX_REDIRECTS} times: open it in a browser and give its final address"
    )]
    TooManyRedirects,
    /// No such host.
    #[error("the host {host} was not found: check the address and the network")]
    HostNotFound {
        /// Its name.
        host: String,
    },
    /// The server took too long.
    #[error("{host} did not answer in time: try again later, or save the page and score the file")]
    Timeout {
        /// Its name.
        host: String,
    },
    /// The server answered with an error.
    #[error("{host} answered {status}: check the address, or save the page and score the file")]
    Status {
        /// Its name.
        host: String,
        /// HTTP status.
        status: StatusCode,
    },
    /// Not a page of text.
    #[error("{host} sent {media_type}, and only HTML, plain text and Markdown are read")]
    MediaType {
        /// Its name.
        host: String,
        /// What it sent.
        media_type: String,
    },
    /// The connection failed.
    #[error("{host} could not be reached: {reason}{hint}")]
    Connection {
        /// Its name.
        host: String,
        /// What went wrong.
        reason: String,
        /// What to do.
        hint: &'static str,
    },
    /// The page came, but it can't be read.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// A page that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its text.
    pub text: String,
    /// What the server says it is.
    pub format: Format,
    /// Where it came from, after redirects.
    pub url: String,
    /// Where its server says that statements about it are, relative to `url`.
    pub statements: Vec<String>,
}

/// Which addresses may be connected to.
pub type AddressPolicy = Arc<dyn Fn(SocketAddr) -> bool + Send + Sync>;

/// The policy for everything but tests: addresses of the public internet.
pub fn public_only() -> AddressPolicy {
    Arc::new(|address| is_public(address.ip()))
}

/// How a page is fetched.
#[derive(Clone)]
pub struct Fetcher {
    policy: AddressPolicy,
    connect: Duration,
    total: Duration,
}

impl Default for Fetcher {
    fn default() -> Self {
        Self::new(public_only())
    }
}

impl Fetcher {
    /// A fetcher with the usual time limits: 10 s to connect, 30 s in all.
    pub fn new(policy: AddressPolicy) -> Self {
        Self { policy, connect: Duration::from_secs(10), total: Duration::from_secs(30) }
    }

    /// The same with other time limits.
    #[must_use]
    pub fn with_limits(self, connect: Duration, total: Duration) -> Self {
        Self { connect, total, ..self }
    }

    /// Fetches a page, following redirects.
    ///
    /// # Errors
    /// [`FetchError`].
    pub fn fetch(&self, url: &str) -> Result<Page, FetchError> {
        let deadline = Instant::now() + self.total;
        let mut url = parse(url, None)?;
        for redirects in 0..=MAX_REDIRECTS {
            let located = |source| match redirects {
                0 => source,
                _ => FetchError::Redirect { to: url.to_string(), source: Box::new(source) },
            };
            check(&url).map_err(located)?;
            let response = self.get(&url, deadline).map_err(|error| match error {
                FetchError::Private { .. } => located(error),
                error => error,
            })?;
            match redirect(&response) {
                Some(location) => url = parse(&location, Some(&url))?,
                None => return page(&url, response),
            }
        }
        Err(FetchError::TooManyRedirects)
    }

    fn get(&self, url: &Url, deadline: Instant) -> Result<Response<ureq::Body>, FetchError> {
        let accept = "text/html, application/xhtml+xml, text/markdown, text/plain;q=0.9";
        get(url, &self.policy, self.connect, deadline, accept)
    }
}

/// One request, to an address that the policy permits and no further.
pub(crate) fn get(
    url: &Url,
    policy: &AddressPolicy,
    connect: Duration,
    deadline: Instant,
    accept: &str,
) -> Result<Response<ureq::Body>, FetchError> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(FetchError::Timeout { host: host(url) });
    }
    let config = Config::builder()
        .proxy(None)
        .max_redirects(0)
        .http_status_as_error(false)
        .timeout_connect(Some(connect))
        .timeout_global(Some(left))
        .user_agent(concat!("bonafide/", env!("CARGO_PKG_VERSION")))
        .accept(accept)
        .build();
    let resolver = Checked { policy: policy.clone(), inner: DefaultResolver::default() };
    let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), resolver);
    agent.get(url.as_str()).call().map_err(|error| translate(error, url))
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").field("connect", &self.connect).field("total", &self.total).finish()
    }
}

/// An address, absolute or relative to the page that redirects.
fn parse(url: &str, base: Option<&Url>) -> Result<Url, FetchError> {
    let parsed = Url::options().base_url(base).parse(url.trim());
    let mut parsed =
        parsed.map_err(|error| FetchError::BadUrl { url: url.to_owned(), reason: error.to_string() })?;
    parsed.set_fragment(None);
    Ok(parsed)
}

/// Checks what can be checked before the name is resolved.
fn check(url: &Url) -> Result<(), FetchError> {
    let bad = |reason: &str| FetchError::BadUrl { url: url.to_string(), reason: reason.to_owned() };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("only http and https pages are fetched"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(FetchError::Credentials);
    }
    if url.host().is_none() {
        return Err(bad("it names no host"));
    }
    Ok(())
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// Where a response redirects to, if it does.
pub(crate) fn redirect(response: &Response<ureq::Body>) -> Option<String> {
    let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(header::LOCATION).filter(|_| redirects)?;
    Some(String::from_utf8_lossy(location.as_bytes()).into_owned())
}

/// Reads a final response.
fn page(url: &Url, mut response: Response<ureq::Body>) -> Result<Page, FetchError> {
    let host = host(url);
    if !response.status().is_success() {
        return Err(FetchError::Status { host, status: response.status() });
    }
    let values = response.headers().get_all(header::LINK).iter();
    let statements = link::statements(values.filter_map(|value| value.to_str().ok()));
    let declared = response.headers().get(header::CONTENT_TYPE);
    let declared = declared.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let format =
        match &declared {
            Some(media_type) => Some(Format::of_media_type(media_type).ok_or_else(|| {
                FetchError::MediaType { host: host.clone(), media_type: media_type.clone() }
            })?),
            None => None,
        };
    let bytes = limited(response.body_mut().as_reader())
        .map_err(|error| translate(error.downcast::<ureq::Error>().unwrap_or_else(ureq::Error::Io), url))??;
    let charset = declared.as_deref().and_then(parameter).or_else(|| declared_in(&bytes));
    let text = match (charset, std::str::from_utf8(&bytes).is_ok()) {
        // A wrong label on UTF-8 is common, and UTF-8 by accident is not.
        (Some(charset), false) if !is_utf(&charset) => return Err(DocumentError::Charset { charset }.into()),
        _ => decode(bytes)?,
    };
    let format = match format {
        // Raw files of code hosts are all `text/plain`.
        None | Some(Format::Text) => {
            Format::of_extension(std::path::Path::new(url.path())).filter(|&format| format != Format::Html)
        }
        .or(format)
        .unwrap_or_else(|| Format::sniff(&text)),
        Some(format) => format,
    };
    Ok(Page { text, format, url: url.to_string(), statements })
}

fn is_utf(charset: &str) -> bool {
    charset.to_ascii_lowercase().starts_with("utf") || charset.eq_ignore_ascii_case("us-ascii")
}

/// The value of `charset=` in a media type, if it is a plain name.
fn parameter(media_type: &str) -> Option<String> {
    let lower = media_type.to_ascii_lowercase();
    let value = lower.split_once("charset=")?.1.trim_start_matches(['"', '\'', ' ']);
    let name: String = value
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.'))
        .take(40)
        .collect();
    (!name.is_empty()).then_some(name)
}

/// The encoding that a page's own `<meta>` declares, in the first 1024 bytes (HTML, section 13.2.3.2).
fn declared_in(bytes: &[u8]) -> Option<String> {
    let start = String::from_utf8_lossy(bytes.get(..1024).unwrap_or(bytes)).into_owned();
    let meta = start.to_ascii_lowercase();
    parameter(&meta[meta.find("<meta")?..])
}

/// Resolves a name and refuses it if any of its addresses may not be connected to.
struct Checked {
    policy: AddressPolicy,
    inner: DefaultResolver,
}

impl std::fmt::Debug for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Checked")
    }
}

/// An address that the policy refuses, on its way through ureq.
#[derive(Debug, thiserror::Error)]
#[error("{0} may not be connected to")]
struct Refused(IpAddr);

impl Resolver for Checked {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let addresses = self.inner.resolve(uri, config, timeout)?;
        match addresses.iter().find(|&&address| !(self.policy)(address)) {
            Some(address) => Err(ureq::Error::Other(Box::new(Refused(address.ip())))),
            None => Ok(addresses),
        }
    }
}

pub(crate) fn translate(error: ureq::Error, url: &Url) -> FetchError {
    let host = host(url);
    match error {
        ureq::Error::Other(other) => match other.downcast::<Refused>() {
            Ok(refused) => FetchError::Private { host, address: refused.0 },
            Err(other) => FetchError::Connection { host, reason: other.to_string(), hint: hint() },
        },
        ureq::Error::HostNotFound => FetchError::HostNotFound { host },
        ureq::Error::Timeout(_) => FetchError::Timeout { host },
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            FetchError::Timeout { host }
        }
        // What `getaddrinfo` says has no kind of its own.
        ureq::Error::Io(error) if error.to_string().contains("failed to lookup address") => {
            FetchError::HostNotFound { host }
        }
        error => FetchError::Connection { host, reason: error.to_string(), hint: hint() },
    }
}

fn hint() -> &'static str {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
        .into_iter()
        .any(set)
    {
        " (a proxy is set in the environment, and pages are only fetched directly: save the page and score the file)"
    } else {
        ""
    }
}

/// Whether an address is of the public internet: unicast, global, and no doorway to something that isn't.
///
/// The IANA special-purpose registries (RFC 6890 and what followed it) decide.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0                                            // this network, RFC 791
        || address.is_private()                         // RFC 1918
        || (a == 100 && (64..128).contains(&b))         // carrier-grade NAT, RFC 6598
        || address.is_loopback()
        || address.is_link_local()                      // 169.254.169.254 is the clouds' metadata service
        || (a == 192 && b == 0 && c == 0)               // IETF protocol assignments, RFC 6890
        || address.is_documentation()
        || (a == 192 && b == 88 && c == 99)             // 6to4 relays, RFC 7526
        || (a == 198 && (18..20).contains(&b))          // benchmarks, RFC 2544
        || a >= 224) // multicast, reserved, broadcast
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    if let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = segments {
        // NAT64 on a network without IPv4 (RFC 6052): what counts is the IPv4 address inside.
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    // Everything global is in 2000::/3: this leaves out ::, ::1, IPv4-mapped, unique local, link-local,
    // site-local, multicast and local NAT64 (64:ff9b:1::/48) alike.
    (segments[0] & 0xe000) == 0x2000
        && !(segments[0] == 0x2001 && segments[1] < 0x200)          // IETF protocols, Teredo among them
        && !(segments[0] == 0x2001 && segments[1] == 0xdb8)         // documentation
        && segments[0] != 0x2002                                    // 6to4 holds an IPv4 address
        && !(segments[0] == 0x3fff && segments[1] < 0x1000) // documentation, RFC 9637
}

/// Whether text that stands where a file name could is an address.
pub fn is_url(argument: &str) -> bool {
    let lower: String = argument.trim().chars().take(8).collect::<String>().to_ascii_lowercase();
    lower.starts_with("http://") || lower.starts_with("https://")
}

#[cfg(test)]
mod tests;
