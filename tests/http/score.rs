//! What comes back.

use super::{shared, words};
use serde_json::{Value, json};

#[test]
fn a_text_gets_its_verdict_with_evidence_and_versions() {
    let Some(daemon) = shared() else { return };
    let text = words(80, 1);
    let reply = daemon.score(&json!({"text": text})).json();
    let block = &reply["blocks"][0];
    assert!(block["verdict"].is_string() && block["sentences"].as_array().is_some_and(|all| !all.is_empty()));
    assert!(block["evidence"].as_array().unwrap().iter().all(|evidence| evidence["message"].is_string()));
    assert!(block["detectors"].as_object().is_some_and(|detectors| !detectors.is_empty()));
    assert!(block.get("tokens").is_none());
    assert_eq!(reply["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(reply["model"]["architecture"], "llama");
    let chars = text.chars().count();
    let ends = |span: &Value| span["end"].as_u64().unwrap() as usize;
    assert!(block["sentences"].as_array().unwrap().iter().all(|sentence| ends(&sentence["span"]) <= chars));
}

#[test]
fn tokens_cover_the_text_and_hold_finite_values() {
    let Some(daemon) = shared() else { return };
    let text = "Ünïcode — and 汉字, 🙂 too: the spans count code points. ".repeat(3);
    let reply = daemon.score(&json!({"text": text, "tokens": true})).json();
    let tokens = reply["blocks"][0]["tokens"].as_array().unwrap().clone();
    assert_eq!(tokens.len() as u64, reply["blocks"][0]["token_count"].as_u64().unwrap());
    let chars = text.chars().count() as u64;
    for token in &tokens {
        assert!(token["span"]["end"].as_u64().unwrap() <= chars, "{token}");
    }
    for token in &tokens[1..] {
        assert!(token["logprob"].as_f64().unwrap() <= 0.0 && token["rank"].as_u64().unwrap() >= 1, "{token}");
    }
}

#[test]
fn blocks_come_back_in_order_with_their_ids() {
    let Some(daemon) = shared() else { return };
    let blocks: Vec<_> =
        (0..20).map(|n| json!({"id": format!("b{}", 19 - n), "text": words(12, n)})).collect();
    let reply = daemon.score(&json!({"blocks": blocks})).json();
    let ids: Vec<_> = reply["blocks"].as_array().unwrap().iter().map(|block| block["id"].clone()).collect();
    assert_eq!(ids, blocks.iter().map(|block| block["id"].clone()).collect::<Vec<_>>());
}

#[test]
fn html_is_cut_into_blocks_whose_text_comes_back() {
    let Some(daemon) = shared() else { return };
    let html =
        format!("<nav>Menu</nav><article><h1>Head</h1><p>{}</p></article><script>no</script>", words(60, 3));
    let reply = daemon.score(&json!({"html": html, "url": "https://example.org/a"})).json();
    let texts: String =
        reply["blocks"].as_array().unwrap().iter().map(|block| block["text"].as_str().unwrap()).collect();
    assert!(texts.contains("river") && !texts.contains("no</script>"), "{texts}");
}

#[test]
fn the_same_text_is_scored_once() {
    let Some(daemon) = bonafide_tests::Daemon::start(&bonafide_tests::Setup::default()) else { return };
    let text = words(50, 4);
    let first = daemon.score(&json!({"text": text})).json();
    let tokens = daemon.metric("bonafide_queue_tokens_total");
    let again = daemon.score(&json!({"blocks": [{"id": "other", "text": text}]})).json();
    assert_eq!(daemon.metric("bonafide_queue_tokens_total"), tokens);
    assert_eq!(first["blocks"][0]["detectors"], again["blocks"][0]["detectors"]);
    assert_eq!(again["blocks"][0]["id"], "other");
}

#[test]
fn the_description_and_its_page_are_there() {
    let Some(daemon) = shared() else { return };
    assert!(daemon.get("/openapi.json").json()["paths"]["/v1/score"]["post"].is_object());
    let page = daemon.send("GET", "/docs", &[], b"");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
}
