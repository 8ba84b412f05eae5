//! `POST /v1/facts`: what is known of keys, for a browser extension that has checked their signatures itself.

use super::App;
use super::auth::Caller;
use super::body::JsonBody;
use super::desk::at_desk;
use super::error::{ApiError, ErrorBody};
use crate::access::Scope;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use bonafide_core::signature::key::PublicKey;
use bonafide_core::signature::published::KeyFacts;
use bonafide_core::signature::statement::Identity;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Keys in one request.
const MOST: usize = 100;

/// Keys whose signatures were found good.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FactsRequest {
    /// The keys; at most 100.
    pub keys: Vec<KeyOfStatement>,
}

/// The key of a statement, and whose the statement says that it is.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyOfStatement {
    /// The key.
    pub public_key: PublicKey,
    /// The identity that the statement names: `https://host` or `github:user`.
    pub identity: Option<String>,
}

/// What is known of the keys, in the order of the request.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FactsReply {
    /// One for each key.
    pub facts: Vec<FactsOfKey>,
}

/// What is known of a key.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FactsOfKey {
    /// The key.
    pub public_key: PublicKey,
    /// The identity that was asked about.
    pub identity: Option<String>,
    /// What is known.
    pub facts: KeyFacts,
}

/// What is known of keys: whose they are to this user, whether the identities publish them, and whether they were
/// revoked. Scope: `score`; with `fetch` the identities are asked, for fifteen seconds at most, and first uses are
/// remembered.
///
/// Call it only for keys whose signature was found good, for nobody else is to be asked about. The daemon has only the
/// caller's word for that, and a false one gains nothing: what is remembered is what an identity publishes of itself.
#[utoipa::path(post, path = "/v1/facts", tag = "signatures", request_body = FactsRequest,
    security(("bearer" = []), ("api_key" = [])),
    responses(
        (status = 200, body = FactsReply),
        (status = 401, body = ErrorBody, description = "No good token"),
        (status = 403, body = ErrorBody, description = "The token lacks the scope, or the origin is refused"),
        (status = 413, body = ErrorBody, description = "Too many keys"),
        (status = 422, body = ErrorBody, description = "A key or an identity can't be read"),
        (status = 500, body = ErrorBody, description = "The user's contacts can't be read; the message says why"),
        (status = 504, body = ErrorBody, description = "It took too long"),
    ))]
pub(super) async fn facts(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    JsonBody(FactsRequest { keys }): JsonBody<FactsRequest>,
) -> Result<Json<FactsReply>, ApiError> {
    if keys.len() > MOST {
        let message = format!("{} keys were sent, and at most {MOST} are taken in a request", keys.len());
        return Err(ApiError::too_large("too_many_keys", message).hint("send them in several requests"));
    }
    let asked = keys.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let online = caller == Caller::Page || caller.check(Scope::Fetch).is_ok();
    let seconds = app.limits.request_seconds;
    let work = at_desk(&app, move |desk| desk.facts(&asked, online));
    let late = |_| {
        let message = format!("finding this out took longer than {seconds} s");
        ApiError::new(StatusCode::GATEWAY_TIMEOUT, "timeout", message).hint("send fewer keys in a request")
    };
    let known = tokio::time::timeout(Duration::from_secs(seconds), work).await.map_err(late)??;
    let facts = keys
        .into_iter()
        .zip(known)
        .map(|(KeyOfStatement { public_key, identity }, facts)| FactsOfKey { public_key, identity, facts });
    Ok(Json(FactsReply { facts: facts.collect() }))
}

fn read(key: &KeyOfStatement) -> Result<(PublicKey, Option<Identity>), ApiError> {
    let identity = match key.identity.as_deref() {
        Some(text) => Some(Identity::parse(text).ok_or_else(|| {
            ApiError::invalid("wrong_identity", "an identity must be `https://host` or `github:user`")
        })?),
        None => None,
    };
    Ok((key.public_key.clone(), identity))
}
