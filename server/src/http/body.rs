//! JSON bodies: their type, their size, the time they take to come, and errors of our own shape.

use super::App;
use super::error::ApiError;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use std::sync::Arc;
use std::time::Duration;

/// A body of `application/json`.
#[derive(Debug)]
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let limit = app.limits.body_bytes;
        check_type(request.headers())?;
        let length = length(request.headers(), limit)?;
        // Bodies that are being read or parsed share a budget, or many large ones could take all memory.
        let permits = u32::try_from(length.unwrap_or(limit).div_ceil(1024).max(1)).unwrap_or(u32::MAX);
        let _held = app.body_budget.try_acquire_many(permits).map_err(|_| {
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "overloaded", "too many large requests at once")
                .retry_after(2)
        })?;
        let bytes = read(request.into_body(), limit, Duration::from_secs(app.limits.body_seconds)).await?;
        parse(&bytes).map(Self)
    }
}

fn check_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let mut parts = given.split(';').map(str::trim);
    let json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let utf8 = parts.all(|part| match part.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    if json && utf8 {
        return Ok(());
    }
    let message = "the body must be JSON in UTF-8, with the header `content-type: application/json`";
    Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", message))
}

fn too_large(limit: usize) -> ApiError {
    ApiError::too_large("body_too_large", format!("the body is larger than {limit} bytes"))
        .hint("send the text in several requests")
}

fn length(headers: &HeaderMap, limit: usize) -> Result<Option<usize>, ApiError> {
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    match length {
        Some(length) if length > limit => Err(too_large(limit)),
        length => Ok(length),
    }
}

async fn read(body: Body, limit: usize, patience: Duration) -> Result<Bytes, ApiError> {
    let slow = |_| {
        let message = format!("the body did not come within {} s", patience.as_secs());
        ApiError::new(StatusCode::REQUEST_TIMEOUT, "slow_body", message)
    };
    tokio::time::timeout(patience, axum::body::to_bytes(body, limit)).await.map_err(slow)?.map_err(|error| {
        // The limit is the only failure that is not the connection's own end.
        let source = std::error::Error::source(&error).map(ToString::to_string);
        if source.is_some_and(|source| source.contains("length limit")) {
            too_large(limit)
        } else {
            ApiError::new(StatusCode::BAD_REQUEST, "broken_body", "the body broke off")
        }
    })
}

/// Parses a body. Messages give the place of a mistake, and quote nothing longer than a name.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let message = format!("the body is not valid UTF-8 at byte {}", error.valid_up_to());
        ApiError::new(StatusCode::BAD_REQUEST, "invalid_utf8", message)
    })?;
    let not_json = |error: serde_json::Error| {
        let message = format!("the body is not JSON: {}", shortened(&error.to_string()));
        ApiError::new(StatusCode::BAD_REQUEST, "invalid_json", message)
    };
    let wrong = |message: String| {
        ApiError::invalid("wrong_shape", message).hint("see /docs for the shape of the body")
    };
    // Serde would take an array for an object, its values in the order of the fields.
    if !text.trim_ascii_start().starts_with('{') {
        serde_json::from_str::<IgnoredAny>(text).map_err(not_json)?;
        return Err(wrong("the body must be a JSON object".to_owned()));
    }
    serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data => wrong(shortened(&error.to_string())),
        _ => not_json(error),
    })
}

/// Serde quotes the value that it did not expect, which may be a whole text.
fn shortened(message: &str) -> String {
    const MOST: usize = 200;
    if message.chars().count() <= MOST {
        return message.to_owned();
    }
    let place = message.rfind(" at line ").map_or("", |place| &message[place..]);
    message.chars().take(MOST).chain("…".chars()).chain(place.chars().take(60)).collect()
}
