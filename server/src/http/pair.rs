//! `/v1/pair`: a browser extension asks to be let in, and the user says yes or no on the daemon's own page.
//!
//! The extension shows a code and the page shows it too; the user says yes only if they are the same. What the extension
//! gets is a token that is bound to its origin. Nobody needs a token to ask: whoever asks gains nothing but a line on a
//! page that only the user sees.

use super::App;
use super::auth::Caller;
use super::body::JsonBody;
use super::error::{ApiError, ErrorBody};
use super::guard;
use super::routes::no_random;
use crate::access::{AccessError, Browser, ExtensionOrigin, NotTaken, PAIRING_LIFE, Pairing};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Instant;

/// Asks to be paired, or to end the pairing; it has no settings yet.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PairRequest {}

/// A request that waits for the user.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PairReply {
    /// What `POST /v1/pair/state` asks with. It is a secret.
    pub request: String,
    /// Six digits that the extension shows, for the user to compare.
    pub code: String,
    /// The page on which the user confirms or refuses. There is no secret in it: the page must have been let in by a
    /// one-time link.
    pub confirm_url: String,
    /// Seconds in which the user must have answered.
    pub expires_in: u64,
}

/// Asks how it stands with a request.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PairStateRequest {
    /// What `POST /v1/pair` gave.
    pub request: String,
}

/// How it stands with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PairState {
    /// The user has not answered.
    Waiting,
    /// The user has said yes.
    Confirmed,
    /// The user has said no.
    Refused,
    /// The user did not answer in time, the extension has asked again since, or it never made this request.
    Expired,
}

/// How it stands with a request, and the token.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PairStatus {
    /// How it stands.
    pub state: PairState,
    /// The token, which works only in requests that carry the extension's origin. It is given once, to the first who
    /// asks after the user has said yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The token's name in `bonafide token list`; comes with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// All extensions that wait.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PairingReply {
    /// Oldest first.
    pub requests: Vec<PairingRequest>,
}

/// An extension that waits, as the user is shown it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PairingRequest {
    /// The request's name, which is not what the extension asks with.
    pub id: String,
    /// The extension's origin.
    pub origin: String,
    /// The extension's id, as the browser's page of extensions shows it.
    pub extension: String,
    /// Its browser.
    pub browser: Browser,
    /// The code that the extension must be showing.
    pub code: String,
    /// Seconds in which the user must have answered.
    pub expires_in: u64,
}

/// The user's answer.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerRequest {
    /// The request's name in `GET /v1/pair`.
    pub id: String,
}

/// A pairing that has ended.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EndReply {
    /// The name that the token had.
    pub ended: String,
}

/// Asks the user to let a browser extension in. Needs no token, but the header `Origin` of an extension, which only its
/// browser can write. The request waits five minutes; a new one of the same extension takes its place.
#[utoipa::path(post, path = "/v1/pair", tag = "pairing", request_body = PairRequest, security(()),
    responses(
        (status = 202, body = PairReply, description = "The request waits for the user"),
        (status = 403, body = ErrorBody, description = "It is not a browser extension that asks"),
        (status = 429, body = ErrorBody, description = "This extension has asked five times in five minutes, or four others wait"),
    ))]
pub(super) async fn ask(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    JsonBody(PairRequest {}): JsonBody<PairRequest>,
) -> Result<(StatusCode, Json<PairReply>), ApiError> {
    let asked = app.pairings.ask(origin(&headers)?, Instant::now())?;
    let confirm_url = format!("{}/pair", app.names.base());
    let (request, code, expires_in) = (asked.secret, asked.code, PAIRING_LIFE.as_secs());
    Ok((StatusCode::ACCEPTED, Json(PairReply { request, code, confirm_url, expires_in })))
}

/// How it stands with the request of the extension that asks; once the user has said yes, its token. Needs no token, but
/// the same `Origin` as the request.
#[utoipa::path(post, path = "/v1/pair/state", tag = "pairing", request_body = PairStateRequest, security(()),
    responses((status = 200, body = PairStatus),
        (status = 403, body = ErrorBody, description = "It is not a browser extension that asks"),
        (status = 500, body = ErrorBody, description = "The token can't be kept")))]
pub(super) async fn state(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    JsonBody(PairStateRequest { request }): JsonBody<PairStateRequest>,
) -> Result<Json<PairStatus>, ApiError> {
    let origin = origin(&headers)?;
    // The token is made only now: one that nobody fetches is never there. It means a write to disk.
    let stand = tokio::task::spawn_blocking(move || {
        app.pairings.stand(&request, &origin, Instant::now(), || app.tokens.add_for(&origin))
    });
    let failed = |_| ApiError::internal("internal", "the daemon failed on this request");
    let stand = stand.await.map_err(failed)?.map_err(|error| not_kept(&error))?;
    let bare = |state| PairStatus { state, token: None, name: None };
    Ok(Json(match stand {
        Pairing::Waiting => bare(PairState::Waiting),
        Pairing::Refused => bare(PairState::Refused),
        Pairing::Expired => bare(PairState::Expired),
        Pairing::Confirmed(None) => bare(PairState::Confirmed),
        Pairing::Confirmed(Some((name, token))) => {
            PairStatus { state: PairState::Confirmed, token: Some(token), name: Some(name) }
        }
    }))
}

/// Ends the pairing of the extension that asks: exactly the token that the request carries. Scope: `score`.
#[utoipa::path(post, path = "/v1/pair/end", tag = "pairing", request_body = PairRequest, security(("bearer" = [])),
    responses((status = 200, body = EndReply),
        (status = 401, body = ErrorBody, description = "No good token"),
        (status = 403, body = ErrorBody, description = "The token is no extension's, or is another's"),
        (status = 500, body = ErrorBody, description = "The tokens can't be changed")))]
pub(super) async fn end(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    JsonBody(PairRequest {}): JsonBody<PairRequest>,
) -> Result<Json<EndReply>, ApiError> {
    let Caller::Token(named) = caller else { return Err(not_paired()) };
    if named.origin.is_none() {
        return Err(not_paired());
    }
    let ended = named.name.clone();
    let done = tokio::task::spawn_blocking(move || app.tokens.end(&named));
    let failed = |_| ApiError::internal("internal", "the daemon failed on this request");
    match done.await.map_err(failed)? {
        // Somebody else was quicker.
        Ok(()) | Err(AccessError::Unknown(_)) => Ok(Json(EndReply { ended })),
        Err(error) => Err(not_kept(&error)),
    }
}

/// All extensions that wait, each with the code to compare. For the daemon's own page, and for programs with the scope
/// `admin`, which can make links to the page anyway.
#[utoipa::path(get, path = "/v1/pair", tag = "pairing", security(("bearer" = []), ("api_key" = [])),
    responses((status = 200, body = PairingReply),
        (status = 401, body = ErrorBody, description = "No good token"),
        (status = 403, body = ErrorBody, description = "It is neither the daemon's page nor an admin that asks")))]
pub(super) async fn list(State(app): State<Arc<App>>) -> Json<PairingReply> {
    let requests = app.pairings.list(Instant::now()).into_iter().map(|pending| PairingRequest {
        id: pending.id,
        origin: pending.origin.as_str().to_owned(),
        extension: pending.origin.id().to_owned(),
        browser: pending.origin.browser(),
        code: pending.code,
        expires_in: pending.left.as_secs(),
    });
    Json(PairingReply { requests: requests.collect() })
}

/// Lets an extension in: it gets its token the next time that it asks. For the daemon's own page, and for programs with
/// the scope `admin`, which can make links to the page anyway.
#[utoipa::path(post, path = "/v1/pair/confirm", tag = "pairing", request_body = AnswerRequest,
    security(("bearer" = []), ("api_key" = [])),
    responses((status = 200, body = PairStatus),
        (status = 401, body = ErrorBody, description = "No good token"),
        (status = 403, body = ErrorBody, description = "It is neither the daemon's page nor an admin that asks"),
        (status = 409, body = ErrorBody, description = "No such request waits any more")))]
pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    JsonBody(AnswerRequest { id }): JsonBody<AnswerRequest>,
) -> Result<Json<PairStatus>, ApiError> {
    answer(&app, &id, true)
}

/// Refuses an extension. For the daemon's own page, and for programs with the scope `admin`.
#[utoipa::path(post, path = "/v1/pair/refuse", tag = "pairing", request_body = AnswerRequest,
    security(("bearer" = []), ("api_key" = [])),
    responses((status = 200, body = PairStatus),
        (status = 401, body = ErrorBody, description = "No good token"),
        (status = 403, body = ErrorBody, description = "It is neither the daemon's page nor an admin that asks"),
        (status = 409, body = ErrorBody, description = "No such request waits any more")))]
pub(super) async fn refuse(
    State(app): State<Arc<App>>,
    JsonBody(AnswerRequest { id }): JsonBody<AnswerRequest>,
) -> Result<Json<PairStatus>, ApiError> {
    answer(&app, &id, false)
}

fn answer(app: &App, id: &str, yes: bool) -> Result<Json<PairStatus>, ApiError> {
    if !app.pairings.answer(id, yes, Instant::now()) {
        let message = "this extension does not wait any more, or has asked again since";
        return Err(ApiError::new(StatusCode::CONFLICT, "pairing_over", message)
            .hint("pair again from the extension's popup, and compare the new code"));
    }
    let state = if yes { PairState::Confirmed } else { PairState::Refused };
    Ok(Json(PairStatus { state, token: None, name: None }))
}

fn origin(headers: &HeaderMap) -> Result<ExtensionOrigin, ApiError> {
    guard::extension(headers).and_then(ExtensionOrigin::parse).ok_or_else(|| {
        let message = "only a browser extension can ask to be paired";
        ApiError::new(StatusCode::FORBIDDEN, "wrong_origin", message)
            .hint("programs use a token of `bonafide token add`")
    })
}

fn not_paired() -> ApiError {
    let message = "this token is not that of a paired browser extension";
    ApiError::new(StatusCode::FORBIDDEN, "not_paired", message)
        .hint("`bonafide token revoke NAME` ends any other token")
}

/// The tokens can't be written, which only the user can mend.
fn not_kept(error: &AccessError) -> ApiError {
    tracing::error!(%error, "the access tokens can't be changed");
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "tokens_unwritable", error.to_string())
}

impl From<NotTaken> for ApiError {
    fn from(not: NotTaken) -> Self {
        match not {
            NotTaken::NoRandom => no_random(),
            NotTaken::TooMany(left) => {
                let message = "too many requests to be paired were made in the last minutes";
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_pairings", message)
                    .hint("answer those that wait on the daemon's page, at /pair, or try again later")
                    .retry_after(left.as_secs())
            }
        }
    }
}
