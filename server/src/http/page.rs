//! The web pages: files that are the same for everyone, so they need no token.
//!
//! Serving them changes nothing: the page itself exchanges the code in its address for a token, by POST.

use super::App;
use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Address, content type and content of each file.
const FILES: &[(&str, &str, &str)] = &[
    ("/", HTML, include_str!("web/index.html")),
    ("/pair", HTML, include_str!("web/pair.html")),
    ("/sign", HTML, include_str!("web/sign.html")),
    ("/api.js", SCRIPT, include_str!("web/api.js")),
    ("/app.js", SCRIPT, include_str!("web/app.js")),
    ("/blocks.js", SCRIPT, include_str!("web/blocks.js")),
    ("/confirm.js", SCRIPT, include_str!("web/confirm.js")),
    ("/counter.js", SCRIPT, include_str!("web/counter.js")),
    ("/desk.js", SCRIPT, include_str!("web/desk.js")),
    ("/dom.js", SCRIPT, include_str!("web/dom.js")),
    ("/facts.js", SCRIPT, include_str!("web/facts.js")),
    ("/frame.js", SCRIPT, include_str!("web/frame.js")),
    ("/highlight.js", SCRIPT, include_str!("web/highlight.js")),
    ("/i18n.js", SCRIPT, include_str!("web/i18n.js")),
    ("/levels.js", SCRIPT, include_str!("web/levels.js")),
    ("/pair.js", SCRIPT, include_str!("web/pair.js")),
    ("/pairing.js", SCRIPT, include_str!("web/pairing.js")),
    ("/pairtexts.js", SCRIPT, include_str!("web/pairtexts.js")),
    ("/reading.js", SCRIPT, include_str!("web/reading.js")),
    ("/reasons.js", SCRIPT, include_str!("web/reasons.js")),
    ("/report.js", SCRIPT, include_str!("web/report.js")),
    ("/requests.js", SCRIPT, include_str!("web/requests.js")),
    ("/settings.js", SCRIPT, include_str!("web/settings.js")),
    ("/sign.js", SCRIPT, include_str!("web/sign.js")),
    ("/signtexts.js", SCRIPT, include_str!("web/signtexts.js")),
    ("/tip.js", SCRIPT, include_str!("web/tip.js")),
    ("/unseen.js", SCRIPT, include_str!("web/unseen.js")),
    ("/style.css", STYLE, include_str!("web/style.css")),
    ("/pair.css", STYLE, include_str!("web/pair.css")),
    ("/sign.css", STYLE, include_str!("web/sign.css")),
    ("/docs.css", STYLE, include_str!("docs.css")),
];

pub(super) fn routes() -> Router<Arc<App>> {
    FILES.iter().fold(Router::new(), |router, &(path, content_type, content)| {
        router.route(path, get(async move || file(content_type, content)))
    })
}

/// A file of this build: browsers ask again each time, or they would run the last build's script.
fn file(content_type: &'static str, content: &'static str) -> Response {
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-cache")], content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_a_file_names_is_served() {
        let served = |path: &str| FILES.iter().any(|(own, ..)| *own == path);
        for (path, _, content) in FILES {
            for import in content.split(" from './").skip(1) {
                let name = import.split('\'').next().unwrap_or_default();
                assert!(served(&format!("/{name}")), "{path} imports {name}");
            }
            for attribute in ["href=\"/", "src=\"/"] {
                for link in content.split(attribute).skip(1) {
                    let name = link.split('"').next().unwrap_or_default();
                    assert!(name == "docs" || served(&format!("/{name}")), "{path} links to {name}");
                }
            }
        }
    }
}
