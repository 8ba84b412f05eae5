//! `/v1/sign`: programs ask for a signature, and the user gives or refuses it on the daemon's own page.
//!
//! A bearer token alone never signs. A program's request waits, with its full text, until the user has seen it; to
//! sign takes the key's passphrase, which no program has, or a touch of the key in hardware.

use super::App;
use super::auth::Caller;
use super::body::JsonBody;
use super::desk::{at_desk, check_length};
use super::error::{ApiError, ErrorBody};
use super::routes::no_random;
use super::waiting::{Closed, Finish, LIFE, State as Stand, Turned};
use crate::document::read::Format;
use crate::signatures::{Form, Order, OwnKey, SignedText};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use bonafide_core::signature::statement::{Statement, WrittenHere};
use bonafide_core::signature::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Instant;

/// A text that is to be signed, and what its author says beside it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignRequest {
    /// The text.
    pub text: String,
    /// What is to be made of it.
    pub form: Form,
    /// Name of the key; the default key if absent.
    pub key: Option<String>,
    /// BCP 47 language tag of the text; found out if absent.
    pub language: Option<String>,
    /// Which help the author had: `none`, `spelling`, `translation`, or a sentence; `none` if absent.
    pub assistance: Option<String>,
    /// When the statement ends; never if absent.
    pub expires: Option<Timestamp>,
    /// What the editor counted while the text was written.
    pub written_here: Option<WrittenHere>,
}

/// A request that waits for the user.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SignReply {
    /// Its name, for `GET /v1/sign/{id}`.
    pub id: String,
    /// The page on which the user confirms or refuses. There is no secret in it: the page must have been let in by a
    /// one-time link.
    pub confirm_url: String,
    /// Seconds in which the user must have answered.
    pub expires_in: u64,
}

/// How it stands with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignState {
    /// The user has not answered, or is just signing.
    Waiting,
    /// It is signed.
    Signed,
    /// The user said no, or gave three wrong passphrases.
    Refused,
    /// The user did not answer in time.
    Expired,
}

/// How it stands with a request, and what was signed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SignStatus {
    /// How it stands.
    pub state: SignState,
    /// What to publish: the text with its token or armour, the HTML, or the side file's JSON; once it is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// What was made of it; once it is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// What was signed; once it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<Statement>,
}

/// All requests that wait.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WaitingReply {
    /// Oldest first.
    pub requests: Vec<WaitingRequest>,
}

/// A request that waits, as the user is shown it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WaitingRequest {
    /// Its name.
    pub id: String,
    /// The name of the token whose holder asks; null if it is our own page.
    pub from: Option<String>,
    /// The text in full.
    pub text: String,
    /// What is to be made of it.
    pub form: Form,
    /// What is to be signed.
    pub statement: Statement,
    /// The key that is to sign.
    pub key: OwnKey,
    /// Seconds in which the user must have answered.
    pub expires_in: u64,
}

/// The user's yes.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmRequest {
    /// The key's passphrase; absent if it is in hardware.
    pub passphrase: Option<String>,
}

/// The user's no; it has no settings yet.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefuseRequest {}

/// Asks the user to sign a text. The request waits ten minutes; nothing is signed until the user confirms it on the
/// daemon's page. Scope: `sign`.
///
/// Keys without a passphrase are refused, unless they are in hardware.
#[utoipa::path(post, path = "/v1/sign", tag = "signatures", request_body = SignRequest,
    security(("bearer" = []), ("api_key" = [])),
    responses(
        (status = 202, body = SignReply, description = "The request waits for the user"),
        (status = 400, body = ErrorBody, description = "The body is not JSON in UTF-8"),
        (status = 401, body = ErrorBody, description = "No good token"),
        (status = 403, body = ErrorBody, description = "The token lacks the scope, or the origin is refused"),
        (status = 413, body = ErrorBody, description = "Too many bytes"),
        (status = 422, body = ErrorBody, description = "The text or the key can't be used; the message says why"),
        (status = 429, body = ErrorBody, description = "Twenty requests wait already"),
        (status = 500, body = ErrorBody, description = "The keys can't be read; the message says why"),
    ))]
pub(super) async fn request(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    JsonBody(request): JsonBody<SignRequest>,
) -> Result<(StatusCode, Json<SignReply>), ApiError> {
    let SignRequest { text, form, key, language, assistance, expires, written_here } = request;
    check_length(&app, &text)?;
    let format = Format::Text;
    let order =
        Order { text, format, form, key, language, assistance, expires, written_here, did_web: false };
    let prepared = at_desk(&app, move |desk| desk.prepare(order)).await?;
    check_key(&prepared.key)?;
    let id = app.waiting.add(caller, prepared, Instant::now())?;
    let confirm_url = format!("{}/sign#{id}", app.names.base());
    Ok((StatusCode::ACCEPTED, Json(SignReply { id, confirm_url, expires_in: LIFE.as_secs() })))
}

/// A program that can make links to the page could press its buttons too. What it can't do is to give a passphrase, or
/// to touch a device. An `ssh-agent` asks for neither.
fn check_key(key: &OwnKey) -> Result<(), ApiError> {
    if key.is_guarded() {
        return Ok(());
    }
    let message = format!(
        "the key `{}` has no passphrase here and is not in hardware, so any program could sign with it: use another key",
        key.name
    );
    Err(ApiError::invalid("key_without_passphrase", message)
        .hint("`bonafide sign` on the command line signs with such a key"))
}

/// How it stands with a request that the same token made. Scope: `sign`.
#[utoipa::path(get, path = "/v1/sign/{id}", tag = "signatures", params(("id" = String, Path)),
    security(("bearer" = []), ("api_key" = [])),
    responses((status = 200, body = SignStatus),
        (status = 401, body = ErrorBody, description = "No good token"),
        (status = 403, body = ErrorBody, description = "The token lacks the scope"),
        (status = 404, body = ErrorBody, description = "This token has made no such request, or it is long over")))]
pub(super) async fn status(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<SignStatus>, ApiError> {
    let stand = app.waiting.state(&id, &caller, Instant::now()).ok_or(Closed::Unknown)?;
    Ok(Json(stand.into()))
}

/// Asks how it stands; it has no settings yet.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignStatusRequest {}

/// The same by POST, for browser extensions, whose GETs carry no origin. Scope: `sign`.
#[utoipa::path(post, path = "/v1/sign/{id}", tag = "signatures", params(("id" = String, Path)),
    request_body = SignStatusRequest, security(("bearer" = []), ("api_key" = [])),
    responses((status = 200, body = SignStatus),
        (status = 401, body = ErrorBody, description = "No good token"),
        (status = 403, body = ErrorBody, description = "The token lacks the scope, or the origin is refused"),
        (status = 404, body = ErrorBody, description = "This token has made no such request, or it is long over")))]
pub(super) async fn status_by_post(
    state: State<Arc<App>>,
    caller: Extension<Caller>,
    id: Path<String>,
    JsonBody(SignStatusRequest {}): JsonBody<SignStatusRequest>,
) -> Result<Json<SignStatus>, ApiError> {
    status(state, caller, id).await
}

/// All requests that wait, with their full text. Only for the daemon's own page.
#[utoipa::path(get, path = "/v1/sign", tag = "signatures", security(("bearer" = [])),
    responses((status = 200, body = WaitingReply),
        (status = 401, body = ErrorBody, description = "No good token"),
        (status = 403, body = ErrorBody, description = "It is not the daemon's page that asks")))]
pub(super) async fn list(State(app): State<Arc<App>>) -> Json<WaitingReply> {
    let waiting = app.waiting.list(Instant::now()).into_iter().map(|listed| WaitingRequest {
        id: listed.id,
        from: match listed.owner {
            Caller::Page => None,
            Caller::Token(named) => Some(named.name),
        },
        text: listed.prepared.order.text.clone(),
        form: listed.prepared.order.form,
        statement: listed.prepared.statement.clone(),
        key: listed.prepared.key.clone(),
        expires_in: listed.left.as_secs(),
    });
    Json(WaitingReply { requests: waiting.collect() })
}

/// Signs. Only for the daemon's own page. After three wrong passphrases the request is refused.
#[utoipa::path(post, path = "/v1/sign/{id}/confirm", tag = "signatures", params(("id" = String, Path)),
    request_body = ConfirmRequest, security(("bearer" = [])),
    responses((status = 200, body = SignStatus),
        (status = 401, body = ErrorBody, description = "No good token"),
        (status = 403, body = ErrorBody, description = "It is not the daemon's page that asks"),
        (status = 404, body = ErrorBody, description = "There is no such request"),
        (status = 409, body = ErrorBody, description = "The request was answered already, or waited too long"),
        (status = 422, body = ErrorBody, description = "The passphrase is wrong or absent"),
        (status = 500, body = ErrorBody, description = "The key can't be used; the message says why")))]
pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    JsonBody(ConfirmRequest { passphrase }): JsonBody<ConfirmRequest>,
) -> Result<Json<SignStatus>, ApiError> {
    let passphrase = passphrase.filter(|passphrase| !passphrase.is_empty());
    let prepared = app.waiting.begin(&id, passphrase.is_some(), Instant::now())?;
    let signing = Arc::clone(&app);
    // To its end, even if the page goes away: what has begun must be noted.
    let work = move || {
        let outcome = signing.desk.sign(&prepared, passphrase);
        signing.waiting.finish(&id, outcome, Instant::now())
    };
    let failed = |_| ApiError::internal("internal", "the daemon failed on this text");
    match tokio::task::spawn_blocking(work).await.map_err(failed)? {
        Finish::Signed(signed) => Ok(Json(Stand::Signed(signed).into())),
        Finish::Wrong(0) => {
            let message = "the passphrase was wrong three times, so this request is refused";
            Err(ApiError::invalid("wrong_passphrases", message).hint("ask for the signature again"))
        }
        Finish::Wrong(left) => {
            let again = if left == 1 { "once more" } else { "twice more" };
            let message = format!("the passphrase is wrong; it can be tried {again}");
            Err(ApiError::invalid("wrong_passphrase", message))
        }
        Finish::Failed(trouble) => Err(trouble.into()),
    }
}

/// Refuses a request. Only for the daemon's own page.
#[utoipa::path(post, path = "/v1/sign/{id}/refuse", tag = "signatures", params(("id" = String, Path)),
    request_body = RefuseRequest, security(("bearer" = [])),
    responses((status = 200, body = SignStatus),
        (status = 401, body = ErrorBody, description = "No good token"),
        (status = 403, body = ErrorBody, description = "It is not the daemon's page that asks"),
        (status = 404, body = ErrorBody, description = "There is no such request"),
        (status = 409, body = ErrorBody, description = "The request was answered already, or waited too long")))]
pub(super) async fn refuse(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    JsonBody(RefuseRequest {}): JsonBody<RefuseRequest>,
) -> Result<Json<SignStatus>, ApiError> {
    app.waiting.refuse(&id, Instant::now())?;
    Ok(Json(Stand::Refused.into()))
}

impl From<Stand> for SignStatus {
    fn from(stand: Stand) -> Self {
        let bare = |state| Self { state, output: None, form: None, statement: None };
        match stand {
            Stand::Waiting(_) | Stand::Signing(_) => bare(SignState::Waiting),
            Stand::Refused => bare(SignState::Refused),
            Stand::Expired => bare(SignState::Expired),
            Stand::Signed(signed) => {
                let SignedText { output, statement, form } = Arc::unwrap_or_clone(signed);
                Self {
                    state: SignState::Signed,
                    output: Some(output),
                    form: Some(form),
                    statement: Some(statement),
                }
            }
        }
    }
}

impl From<Turned> for ApiError {
    fn from(turned: Turned) -> Self {
        match turned {
            Turned::NoRandom => no_random(),
            Turned::Full => {
                let message = "too many texts wait for the user's signature already";
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_waiting", message)
                    .hint("ask the user to answer those on the daemon's page, at /sign")
                    .retry_after(60)
            }
        }
    }
}

impl From<Closed> for ApiError {
    fn from(closed: Closed) -> Self {
        match closed {
            Closed::Unknown => {
                let message = "there is no such request to sign a text, or it is long over";
                Self::new(StatusCode::NOT_FOUND, "unknown_request", message)
                    .hint("ask for the signature again")
            }
            Closed::Over => {
                let message = "this request was answered already, or waited too long";
                Self::new(StatusCode::CONFLICT, "request_over", message).hint("ask for the signature again")
            }
            Closed::NoPassphrase => {
                Self::invalid("no_passphrase", "this key can't sign without its passphrase")
            }
        }
    }
}
