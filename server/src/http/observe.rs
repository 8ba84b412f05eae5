//! One line and one count a request. Neither holds anything that the caller wrote: no text, no query, no path
//! beyond the route's own name.

use super::App;
use super::error::{ApiError, Code};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

static REQUESTS: AtomicU64 = AtomicU64::new(1);

pub(super) async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let id = REQUESTS.fetch_add(1, Ordering::Relaxed);
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let started = Instant::now();
    let mut gone = Gone { armed: true, id, method, app: &app };
    let mut response = next.run(request).await;
    gone.armed = false;

    let took = started.elapsed();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let status = response.status().as_u16();
    let code = response.extensions().get::<Code>().map_or("", |code| code.0);
    app.metrics.request(method, route, status, took);
    tracing::info!(id, method, route, status, code, ms = took.as_millis() as u64, "request");
    response.headers_mut().insert(HeaderName::from_static("x-request-id"), HeaderValue::from(id));
    response
}

/// Notes a caller that went away before its answer: its future is dropped and nothing else would tell.
struct Gone<'a> {
    armed: bool,
    id: u64,
    method: &'static str,
    app: &'a App,
}

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.app.metrics.gone.inc();
            tracing::info!(id = self.id, method = self.method, "the caller went away");
        }
    }
}

/// Methods are the caller's to invent; labels must not be.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// Answers for a handler that panicked. The panic's message may quote text, so it is not repeated.
pub(super) fn panicked(_: Box<dyn Any + Send>) -> Response {
    ApiError::internal("internal", "the daemon failed on this request").into_response()
}
