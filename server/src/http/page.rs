//! The web page: files that are the same for everyone, so they need no token.
//!
//! Serving them changes nothing: the page itself exchanges the code in its address for a token, by POST.

use super::App;
use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(async || file("text/html; charset=utf-8", include_str!("web/index.html"))))
        .route("/app.js", get(async || file("text/javascript; charset=utf-8", include_str!("web/app.js"))))
        .route("/i18n.js", get(async || file("text/javascript; charset=utf-8", include_str!("web/i18n.js"))))
        .route("/style.css", get(async || file("text/css; charset=utf-8", include_str!("web/style.css"))))
}

/// A file of this build: browsers ask again each time, or they would run the last build's script.
pub(super) fn file(content_type: &'static str, content: &'static str) -> Response {
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-cache")], content).into_response()
}
