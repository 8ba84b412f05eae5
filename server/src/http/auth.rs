//! Which token a request carries, and what it allows.

use super::App;
use super::error::ApiError;
use crate::access::Scope;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use std::time::Instant;

/// What the web page's own token allows.
const SESSION_SCOPES: &[Scope] = &[Scope::Score];

/// Lets requests through that carry a token with a scope; made into a layer with [`Required`].
pub(super) async fn require(
    State((app, scope)): State<(Arc<App>, Scope)>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let scopes = scopes(&app, request.headers())?;
    if scopes.contains(&scope) {
        Ok(next.run(request).await)
    } else {
        let message = format!("this token does not have the scope `{}`", scope.name());
        Err(ApiError::new(StatusCode::FORBIDDEN, "missing_scope", message)
            .hint(format!("`bonafide token add NAME --scope {}` makes one that has it", scope.name())))
    }
}

/// What a request's token allows.
pub(super) fn scopes(app: &App, headers: &HeaderMap) -> Result<Vec<Scope>, ApiError> {
    let token = presented(headers)?;
    if app.sessions.knows(token, Instant::now()) {
        return Ok(SESSION_SCOPES.to_vec());
    }
    let named = app.tokens.authenticate(token).map_err(|error| {
        tracing::error!(%error, "the access tokens can't be read");
        ApiError::internal("tokens_unreadable", "the access tokens can't be read")
    })?;
    named.map(|named| named.scopes).ok_or_else(|| {
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
