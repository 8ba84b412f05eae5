//! Which token a request carries, and what it allows.
//!
//! An extension's requests carry its origin, which the browser writes. Its token works with this origin and no other,
//! and with an extension's origin no other token works, unless the user has listed the extension in config.toml. A GET of
//! an extension's worker carries no origin, so an extension must POST.

use super::App;
use super::error::ApiError;
use super::guard;
use crate::access::{AccessError, Named, Scope};
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
    if is_page(&request, &caller(&app, request.headers())?) {
        return Ok(next.run(request).await);
    }
    let message = "only the daemon's own page may do this, so that nothing is signed behind the user's back";
    Err(page_only(message, "`bonafide token link` prints a link to it; the address of the page is /sign"))
}

/// Lets our own page through, and programs with the scope `admin`.
///
/// Who has that scope can make a link to the page and press its buttons, so this gives away nothing more. An extension
/// never has it.
pub(super) async fn require_page_or_admin(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let caller = caller(&app, request.headers())?;
    let admin = matches!(caller, Caller::Token(_)) && caller.check(Scope::Admin).is_ok();
    if admin || is_page(&request, &caller) {
        return Ok(next.run(request).await);
    }
    let message = "only the daemon's own page, or a token with the scope `admin`, may let an extension in";
    Err(page_only(message, "`bonafide pair` does it too; `bonafide token link` prints a link to the page"))
}

/// Whether our own page makes a request.
fn is_page(request: &Request, caller: &Caller) -> bool {
    // Browsers send no `Origin` with a GET of the same origin.
    let named = request.method() == Method::GET || guard::names_own_page(request.headers());
    *caller == Caller::Page && named && guard::is_same_origin(request.headers())
}

fn page_only(message: &'static str, hint: &'static str) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "page_only", message).hint(hint)
}

/// Whose token a request carries.
pub(super) fn caller(app: &App, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let token = presented(headers)?;
    let origin = guard::extension(headers);
    let listed = origin.is_some_and(|origin| app.extensions.iter().any(|own| own == origin));
    if app.sessions.knows(token, Instant::now()) {
        return if origin.is_none() || listed { Ok(Caller::Page) } else { Err(foreign_token()) };
    }
    let named = app.tokens.authenticate(token).map_err(|error| unreadable(&error))?.ok_or_else(|| {
        ApiError::unauthorized("wrong_token", "this token is not known, was revoked, or has ended")
    })?;
    let fits = match named.origin.as_deref() {
        Some(own) => origin.is_some_and(|origin| origin == own),
        None => origin.is_none() || listed,
    };
    if fits { Ok(Caller::Token(named)) } else { Err(foreign_token()) }
}

fn foreign_token() -> ApiError {
    let message = "this token is another extension's, or one that works outside the browser only";
    ApiError::new(StatusCode::FORBIDDEN, "foreign_token", message).hint(
        "an extension's token works only in requests that carry its origin, which are those by POST; programs use \
         tokens of `bonafide token add`",
    )
}

/// The tokens can't be read: nobody gets in.
pub(super) fn unreadable(error: &AccessError) -> ApiError {
    tracing::error!(%error, "the access tokens can't be read");
    ApiError::internal("tokens_unreadable", "the access tokens can't be read")
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
