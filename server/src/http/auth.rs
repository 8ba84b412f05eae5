//! Which token a request carries, and what it allows.

use super::App;
use super::error::ApiError;
use super::guard;
use crate::access::{Named, Scope};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use std::time::Instant;

/// What the web page's own token allows.
const SESSION_SCOPES: &[Scope] = &[Scope::Score, Scope::Sign];

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Caller {
    /// A web page of ours that was opened with a one-time link.
    Page,
    /// Whoever holds a named token.
    Token(Named),
}

impl Caller {
    /// Whether it may do this.
    ///
    /// # Errors
    /// Says which scope is missing.
    pub(super) fn check(&self, scope: Scope) -> Result<(), ApiError> {
        let scopes = match self {
            Self::Page => SESSION_SCOPES,
            Self::Token(named) => &named.scopes,
        };
        if scopes.contains(&scope) {
            return Ok(());
        }
        let message = format!("this token does not have the scope `{}`", scope.name());
        Err(ApiError::new(StatusCode::FORBIDDEN, "missing_scope", message)
            .hint(format!("`bonafide token add NAME --scope {}` makes one that has it", scope.name())))
    }
}

/// Lets requests through that carry a token with a scope, and notes whose it is.
pub(super) async fn require(
    State((app, scope)): State<(Arc<App>, Scope)>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let caller = caller(&app, request.headers())?;
    caller.check(scope)?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Lets only our own page through: with a token from a one-time link, in a browser that says which page asks.
///
/// A program can write these headers too. It is the passphrase, which only the user has, that signs.
pub(super) async fn require_page(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let caller = caller(&app, request.headers())?;
    // Browsers send no `Origin` with a GET of the same origin.
    let named = request.method() == Method::GET || guard::names_own_page(request.headers());
    if caller == Caller::Page && named && guard::is_same_origin(request.headers()) {
        return Ok(next.run(request).await);
    }
    let message = "only the daemon's own page may do this, so that nothing is signed behind the user's back";
    Err(ApiError::new(StatusCode::FORBIDDEN, "page_only", message)
        .hint("`bonafide token link` prints a link to it; the address of the page is /sign"))
}

/// Whose token a request carries.
pub(super) fn caller(app: &App, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let token = presented(headers)?;
    if app.sessions.knows(token, Instant::now()) {
        return Ok(Caller::Page);
    }
    let named = app.tokens.authenticate(token).map_err(|error| {
        tracing::error!(%error, "the access tokens can't be read");
        ApiError::internal("tokens_unreadable", "the access tokens can't be read")
    })?;
    named.map(Caller::Token).ok_or_else(|| {
        ApiError::unauthorized("wrong_token", "this token is not known, was revoked, or has ended")
    })
}

fn presented(headers: &HeaderMap) -> Result<&str, ApiError> {
    let missing = || ApiError::unauthorized("no_token", "a token is required");
    let bearer = headers.get(header::AUTHORIZATION).map(|value| {
        let value = value.to_str().map_err(|_| missing())?;
        let (scheme, token) = value.split_once(' ').ok_or_else(missing)?;
        // Schemes have no case (RFC 9110, 11.1).
        if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(missing()) }
    });
    match bearer {
        Some(token) => token,
        None => headers.get("x-api-key").and_then(|value| value.to_str().ok()).ok_or_else(missing),
    }
}
