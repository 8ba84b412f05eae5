//! `GET /v1/keys`: who can sign here, and whose signatures are known.

use super::App;
use super::desk::at_desk;
use super::error::{ApiError, ErrorBody};
use crate::signatures::Keys;
use axum::Json;
use axum::extract::State;
use std::sync::Arc;

/// The user's own signing keys and those of the user's contacts: public keys, never secret ones. Scope: `score`.
#[utoipa::path(get, path = "/v1/keys", tag = "signatures", security(("bearer" = []), ("api_key" = [])),
    responses((status = 200, body = Keys),
        (status = 401, body = ErrorBody, description = "No good token"),
        (status = 403, body = ErrorBody, description = "The token lacks the scope"),
        (status = 500, body = ErrorBody, description = "The keys can't be read; the message says why")))]
pub(super) async fn keys(State(app): State<Arc<App>>) -> Result<Json<Keys>, ApiError> {
    at_desk(&app, |desk| desk.keys()).await.map(Json)
}
