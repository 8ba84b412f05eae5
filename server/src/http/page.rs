//! The web page: files that are the same for everyone, so they need no token.
//!
//! Serving them changes nothing: the page itself exchanges the code in its address for a token, by POST.

use super::App;
use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;

/// The page's scripts, each at its own name.
const SCRIPTS: &[(&str, &str)] = &[
    ("/api.js", include_str!("web/api.js")),
    ("/app.js", include_str!("web/app.js")),
    ("/blocks.js", include_str!("web/blocks.js")),
    ("/dom.js", include_str!("web/dom.js")),
    ("/i18n.js", include_str!("web/i18n.js")),
    ("/levels.js", include_str!("web/levels.js")),
    ("/reading.js", include_str!("web/reading.js")),
    ("/report.js", include_str!("web/report.js")),
    ("/tip.js", include_str!("web/tip.js")),
];

pub(super) fn routes() -> Router<Arc<App>> {
    let page = Router::new()
        .route("/", get(async || file("text/html; charset=utf-8", include_str!("web/index.html"))))
        .route("/style.css", get(async || file("text/css; charset=utf-8", include_str!("web/style.css"))));
    SCRIPTS.iter().fold(page, |page, &(path, script)| {
        page.route(path, get(async move || file("text/javascript; charset=utf-8", script)))
    })
}

/// A file of this build: browsers ask again each time, or they would run the last build's script.
pub(super) fn file(content_type: &'static str, content: &'static str) -> Response {
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-cache")], content).into_response()
}
