//! What keeps web pages from using the daemon through the user's browser.
//!
//! A page that rebinds its own name to 127.0.0.1 sends its own name in `Host`, so only our names pass. A page
//! that sends across origins names itself in `Origin` or is marked in `Sec-Fetch-Site`, so only our own
//! origin passes. Answers carry no CORS headers, so nothing can be read across origins in any case; the only
//! exception are browser extensions that the user has paired or listed, by exact origin. Others may ask to be paired,
//! and nothing else.

use super::error::ApiError;
use super::{App, auth};
use crate::access::ExtensionOrigin;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::SocketAddr;
use std::sync::Arc;

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'";

/// What an extension may ask before it is paired.
const PAIRING: [&str; 2] = ["/v1/pair", "/v1/pair/state"];

/// The names under which this daemon answers, each with its port.
#[derive(Debug, Clone)]
pub struct Names {
    hosts: Vec<String>,
}

impl Names {
    /// The names of a bound loopback address.
    #[must_use]
    pub fn of(address: SocketAddr) -> Self {
        let mut hosts = vec![address.to_string()];
        let ip = address.ip();
        if ip == std::net::Ipv4Addr::LOCALHOST || ip == std::net::Ipv6Addr::LOCALHOST {
            hosts.push(format!("localhost:{}", address.port()));
        }
        if address.port() == 80 {
            // Browsers leave the default port out.
            let bare: Vec<_> =
                hosts.iter().filter_map(|host| host.strip_suffix(":80").map(str::to_owned)).collect();
            hosts.extend(bare);
        }
        Self { hosts }
    }

    /// The address to call.
    pub(super) fn base(&self) -> String {
        format!("http://{}", self.hosts.first().map_or("", String::as_str))
    }

    fn has(&self, host: &str) -> bool {
        self.hosts.iter().any(|own| own == host)
    }
}

/// Refuses what does not come from this machine's user, and adds the headers that every answer carries.
pub(super) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let host = match check_host(&app.names, &request) {
        Ok(host) => host.to_owned(),
        Err(error) => return with_headers(error.into_response()),
    };
    let extension = match check_origin(&app, &host, &request) {
        Ok(extension) => extension,
        Err(error) => return with_headers(error.into_response()),
    };
    let mut response = match &extension {
        Some(_) if is_preflight(&request) => preflight(),
        _ => next.run(request).await,
    };
    if let Some(origin) = extension {
        allow(response.headers_mut(), origin);
    }
    with_headers(response)
}

/// The host that a request is for, if it is one of ours.
fn check_host<'a>(names: &Names, request: &'a Request) -> Result<&'a str, ApiError> {
    let refused = || {
        ApiError::new(
            StatusCode::MISDIRECTED_REQUEST,
            "wrong_host",
            "the Host header must be this daemon's address with its port",
        )
        .hint(format!("call it as {}", names.base()))
    };
    let host = only(request.headers(), &header::HOST).ok().flatten().ok_or_else(refused)?;
    // A request line in absolute form names a host of its own, which goes before the header (RFC 9112, 3.2.2).
    let line = request.uri().authority().is_none_or(|authority| names.has(authority.as_str()));
    if names.has(host) && line { Ok(host) } else { Err(refused()) }
}

/// Gives the origin if it is that of an extension that may call, nothing if it is our own or absent.
///
/// A browser marks an extension's requests `cross-site` or `none`, depending on where they come from: the origin decides.
fn check_origin(app: &App, host: &str, request: &Request) -> Result<Option<HeaderValue>, ApiError> {
    let headers = request.headers();
    let refused = |message: &'static str| {
        ApiError::new(StatusCode::FORBIDDEN, "wrong_origin", message)
            .hint("web pages can't call this daemon; a browser extension can be paired with it")
    };
    let origin = only(headers, &header::ORIGIN).map_err(|()| refused("there are several Origin headers"))?;
    if let Some(origin) = origin {
        if let Some(listed) = app.extensions.iter().find(|listed| *listed == origin) {
            return Ok(Some(listed.clone()));
        }
        if let Some(extension) = ExtensionOrigin::parse(origin) {
            let paired = app.tokens.is_bound(&extension).map_err(|error| auth::unreadable(&error))?;
            return if paired || asks_to_be_paired(request) {
                HeaderValue::from_str(origin).map(Some).map_err(|_| refused("the origin can't be read"))
            } else {
                Err(unpaired())
            };
        }
        if origin.strip_prefix("http://") != Some(host) {
            return Err(refused("requests from this origin are refused"));
        }
    }
    let site = only(headers, &HeaderName::from_static("sec-fetch-site")).ok().flatten();
    match (headers.contains_key("sec-fetch-site"), site) {
        (false, _) | (true, Some("same-origin" | "none")) => Ok(None),
        _ => Err(refused("requests that another site makes in the browser are refused")),
    }
}

fn asks_to_be_paired(request: &Request) -> bool {
    PAIRING.contains(&request.uri().path()) && (request.method() == Method::POST || is_preflight(request))
}

fn unpaired() -> ApiError {
    let message = "this browser extension is not paired with this daemon";
    ApiError::new(StatusCode::FORBIDDEN, "unpaired_extension", message).hint(
        "pair it from its popup; or list its origin in `allowed_extension_origins` in config.toml, and give it a \
         token of `bonafide token add`",
    )
}

/// The origin that a request carries if it is an extension's. The guard has let it through, so what is not our own is
/// one.
pub(super) fn extension(headers: &HeaderMap) -> Option<&str> {
    only(headers, &header::ORIGIN).ok().flatten().filter(|origin| !origin.starts_with("http://"))
}

/// Whether a request names our own page as its origin. The guard has let it through, so `Host` is ours.
pub(super) fn names_own_page(headers: &HeaderMap) -> bool {
    let host = only(headers, &header::HOST).ok().flatten();
    let origin =
        only(headers, &header::ORIGIN).ok().flatten().and_then(|origin| origin.strip_prefix("http://"));
    host.is_some() && host == origin
}

/// Whether the browser says that a page of the same origin makes the request.
pub(super) fn is_same_origin(headers: &HeaderMap) -> bool {
    only(headers, &HeaderName::from_static("sec-fetch-site")) == Ok(Some("same-origin"))
}

/// A header's value if it is there once; an error if it is there twice or is not plain text.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        _ => Err(()),
    }
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, x-api-key"),
        (HeaderName::from_static("access-control-allow-private-network"), "true"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

fn allow(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers
        .insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after, x-request-id"));
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    // An extension's page is another origin: without this the answer would be withheld from it.
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
}

fn with_headers(mut response: Response) -> Response {
    let all = [
        ("content-security-policy", CONTENT_SECURITY_POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
    ];
    for (name, value) in all {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
