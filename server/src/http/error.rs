//! The one shape of every failure: `{"error":{"code","message","hint"?}}`.

use crate::document::DocumentError;
use crate::queue::QueueError;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::borrow::Cow;

/// What a failed request is answered with.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ErrorBody {
    /// The failure.
    pub error: Failure,
}

/// A failure.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Failure {
    /// A stable name for programs, for example `body_too_large`.
    #[schema(value_type = String)]
    pub code: &'static str,
    /// What went wrong, for people.
    #[schema(value_type = String)]
    pub message: Cow<'static, str>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub hint: Option<Cow<'static, str>>,
}

/// A failure and how HTTP tells it.
#[derive(Debug, Clone)]
pub struct ApiError {
    pub(super) status: StatusCode,
    pub(super) failure: Failure,
    retry_after: Option<u64>,
    challenge: bool,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        let failure = Failure { code, message: message.into(), hint: None };
        Self { status, failure, retry_after: None, challenge: false }
    }

    pub(super) fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.failure.hint = Some(hint.into());
        self
    }

    pub(super) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// 401, with the scheme that is asked for (RFC 6750).
    pub(super) fn unauthorized(code: &'static str, message: &'static str) -> Self {
        Self { challenge: true, ..Self::new(StatusCode::UNAUTHORIZED, code, message) }.hint(
            "send `Authorization: Bearer TOKEN` or `x-api-key: TOKEN`; the first token is in the file `token` in \
             bonafide's config folder, `bonafide token add NAME` makes another",
        )
    }

    pub(super) fn too_large(code: &'static str, message: String) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, code, message)
    }

    pub(super) fn invalid(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    pub(super) fn internal(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, code, message)
            .hint("this is a bug: please report it with the x-request-id header of this reply")
    }
}

/// The failure's name, for the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code(pub(super) &'static str);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let code = Code(self.failure.code);
        let mut response = (self.status, Json(ErrorBody { error: self.failure })).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"bonafide\""));
        }
        response.extensions_mut().insert(code);
        response
    }
}

impl From<QueueError> for ApiError {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::Overloaded { retry_after } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "overloaded", error.to_string())
                    .retry_after(retry_after.as_secs())
            }
            QueueError::TooLong { .. } => Self::too_large("too_long_for_this_machine", error.to_string())
                .hint("send less text in a request"),
            QueueError::Stopped => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", error.to_string()).retry_after(5)
            }
            // What an engine or a backend says may quote the text: it goes neither to the log nor out.
            QueueError::Engine(_) | QueueError::Broken(_) => {
                Self::internal("scoring_failed", "the model failed on this text")
            }
        }
    }
}

impl From<DocumentError> for ApiError {
    fn from(error: DocumentError) -> Self {
        let message = error.to_string();
        match error {
            DocumentError::Empty => Self::invalid("empty", message),
            DocumentError::TooLarge { .. } | DocumentError::TooMuchText { .. } => {
                Self::too_large("text_too_large", message)
            }
            _ => Self::invalid("unreadable_document", message),
        }
    }
}
