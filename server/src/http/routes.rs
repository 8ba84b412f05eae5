//! The small routes: health, models, metrics, and how the web page gets in.

use super::error::{ApiError, ErrorBody};
use super::{App, auth, body::JsonBody, metrics};
use crate::access::{CODE_LIFE, SESSION_LIFE};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bonafide_core::verdict::{CalibrationIdentity, ModelIdentity};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Instant;

/// How the daemon is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Health {
    /// `ok`, or `loading` while the model is fetched and loaded.
    #[schema(value_type = String)]
    pub status: &'static str,
    /// Version of the program; only with a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub version: Option<&'static str>,
    /// Seconds since the start; only with a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_seconds: Option<u64>,
    /// The model; only with a token, once it is loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelIdentity>,
    /// The first calibration; only with a token, if one fits the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationIdentity>,
    /// All calibrations, each for other languages; only with a token.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calibrations: Vec<CalibrationIdentity>,
}

/// Whether the daemon runs. Needs no token; with one it tells more.
#[utoipa::path(get, path = "/v1/health", tag = "daemon", security((), ("bearer" = []), ("api_key" = [])),
    responses((status = 200, body = Health), (status = 401, description = "A token was sent and is wrong", body = ErrorBody)))]
pub(super) async fn health(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<Health>, ApiError> {
    let ready = app.ready.get();
    let status = if ready.is_some() { "ok" } else { "loading" };
    let bare = Health {
        status,
        version: None,
        uptime_seconds: None,
        model: None,
        calibration: None,
        calibrations: Vec::new(),
    };
    if !headers.contains_key(header::AUTHORIZATION) && !headers.contains_key("x-api-key") {
        return Ok(Json(bare));
    }
    auth::caller(&app, &headers)?;
    Ok(Json(Health {
        version: Some(env!("CARGO_PKG_VERSION")),
        uptime_seconds: Some(app.started.elapsed().as_secs()),
        model: ready.map(|ready| ready.model.clone()),
        calibration: ready.and_then(|ready| ready.calibrations.first().cloned()),
        calibrations: ready.map(|ready| ready.calibrations.clone()).unwrap_or_default(),
        ..bare
    }))
}

/// The version of what a browser extension uses of this endpoint. It changes when an extension that knows another one could
/// not work; what is added does not change it.
pub const API: u32 = 1;

/// Asks how the daemon is; it has no settings yet.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusRequest {}

/// How the daemon is, for a browser extension.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StatusReply {
    /// `ok`, or `loading` while the model is fetched and loaded.
    #[schema(value_type = String)]
    pub status: &'static str,
    /// An extension that knows another number is too old or too new for this daemon.
    pub api: u32,
    /// Version of the program.
    #[schema(value_type = String)]
    pub version: &'static str,
    /// Seconds since the start.
    pub uptime_seconds: u64,
    /// The model; null until it is loaded.
    pub model: Option<ModelIdentity>,
    /// The first calibration; null if none fits the model.
    pub calibration: Option<CalibrationIdentity>,
    /// All calibrations, each for other languages.
    pub calibrations: Vec<CalibrationIdentity>,
}

/// How the daemon is. It is `GET /v1/health` for browser extensions, whose GETs carry no origin. Scope: `score`.
#[utoipa::path(post, path = "/v1/status", tag = "daemon", request_body = StatusRequest,
    security(("bearer" = []), ("api_key" = [])),
    responses((status = 200, body = StatusReply), (status = 401, body = ErrorBody, description = "No good token"),
        (status = 403, body = ErrorBody, description = "The token lacks the scope, or the origin is refused")))]
pub(super) async fn status(
    State(app): State<Arc<App>>,
    JsonBody(StatusRequest {}): JsonBody<StatusRequest>,
) -> Json<StatusReply> {
    let ready = app.ready.get();
    Json(StatusReply {
        status: if ready.is_some() { "ok" } else { "loading" },
        api: API,
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: app.started.elapsed().as_secs(),
        model: ready.map(|ready| ready.model.clone()),
        calibration: ready.and_then(|ready| ready.calibrations.first().cloned()),
        calibrations: ready.map(|ready| ready.calibrations.clone()).unwrap_or_default(),
    })
}

/// A model that this daemon scores with.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ModelReply {
    /// Which it is.
    #[serde(flatten)]
    pub model: ModelIdentity,
    /// Its first calibration; null if none fits it, in which case the statistics give no other verdict than `unclear`.
    pub calibration: Option<CalibrationIdentity>,
    /// All its calibrations, each for other languages.
    pub calibrations: Vec<CalibrationIdentity>,
}

/// The models.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ModelsReply {
    /// All that are loaded.
    pub models: Vec<ModelReply>,
}

/// The models that this daemon scores with: none while it is loading.
#[utoipa::path(get, path = "/v1/models", tag = "score", security(("bearer" = []), ("api_key" = [])),
    responses((status = 200, body = ModelsReply), (status = 401, body = ErrorBody, description = "No good token")))]
pub(super) async fn models(State(app): State<Arc<App>>) -> Json<ModelsReply> {
    let loaded = app.ready.get().map(|ready| ModelReply {
        model: ready.model.clone(),
        calibration: ready.calibrations.first().cloned(),
        calibrations: ready.calibrations.clone(),
    });
    Json(ModelsReply { models: loaded.into_iter().collect() })
}

/// Counters and timings in OpenMetrics text, as Prometheus reads it. Scope: `metrics`.
#[utoipa::path(get, path = "/metrics", tag = "daemon", security(("bearer" = []), ("api_key" = [])),
    responses((status = 200, body = String, content_type = "application/openmetrics-text"),
        (status = 401, body = ErrorBody, description = "No good token"),
        (status = 403, body = ErrorBody, description = "The token lacks the scope")))]
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    let text =
        metrics::text(&app).map_err(|_| ApiError::internal("internal", "the metrics can't be written"))?;
    Ok(([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}

/// What the web page's link carried.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionRequest {
    /// The value of `k` in the one-time link.
    pub code: String,
}

/// A token for a web page, with the scopes `score` and `sign`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SessionReply {
    /// The token.
    pub token: String,
    /// Seconds until it ends; it also ends with the daemon.
    pub expires_in: u64,
}

/// Exchanges the code of a one-time link for a token. A code works once.
#[utoipa::path(post, path = "/v1/session", tag = "daemon", request_body = SessionRequest, security(()),
    responses((status = 200, body = SessionReply),
        (status = 401, body = ErrorBody, description = "The code was used, is too old, or never was one")))]
pub(super) async fn session(
    State(app): State<Arc<App>>,
    JsonBody(request): JsonBody<SessionRequest>,
) -> Result<Json<SessionReply>, ApiError> {
    let now = Instant::now();
    if !app.links.redeem(&request.code, now) {
        let message = "this link was used already, is too old, or is from an earlier start";
        return Err(ApiError::unauthorized("wrong_code", message)
            .hint("`bonafide token link` prints a new one, and so does a restart of `bonafide serve`"));
    }
    let token = app.sessions.make(now).map_err(|_| no_random())?;
    Ok(Json(SessionReply { token, expires_in: SESSION_LIFE.as_secs() }))
}

/// Asks for a link; it has no settings yet.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {}

/// A link to the web page.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LinkReply {
    /// The address to open.
    pub url: String,
    /// Seconds in which it must be opened.
    pub expires_in: u64,
}

/// Makes a link to the web page that works once. Scope: `admin`.
#[utoipa::path(post, path = "/v1/links", tag = "daemon", request_body = Link,
    security(("bearer" = []), ("api_key" = [])),
    responses((status = 200, body = LinkReply),
        (status = 401, body = ErrorBody, description = "No good token"),
        (status = 403, body = ErrorBody, description = "The token lacks the scope")))]
pub(super) async fn link(
    State(app): State<Arc<App>>,
    JsonBody(Link {}): JsonBody<Link>,
) -> Result<Json<LinkReply>, ApiError> {
    let url = app.make_link().map_err(|_| no_random())?;
    Ok(Json(LinkReply { url, expires_in: CODE_LIFE.as_secs() }))
}

pub(super) fn no_random() -> ApiError {
    ApiError::internal("internal", "the system gives no random numbers")
}

pub(super) async fn not_found() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address").hint("see /docs")
}

pub(super) async fn method_not_allowed() -> ApiError {
    let message = "this address does not take this method";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
        .hint("see the header `allow`")
}
