#![allow(clippy::unwrap_used)]
use super::*;
use bonafide_core::verdict::Verdict;
use serde_json::{Value, json};

const TEXT: &str = "The bus was late again so I walked down the hill, and my left shoe gave up for good.";

fn block(id: &str, text: &str, part: bool) -> Value {
    json!({"id": id, "kind": "post", "text": text, "part": part})
}

fn looked(request: &Value) -> Vec<BlockReport> {
    let reply: Value = serde_json::from_str(&look(&request.to_string()).unwrap()).unwrap();
    serde_json::from_value(reply["blocks"].clone()).unwrap()
}

fn refused(request: &Value) -> String {
    look(&request.to_string()).unwrap_err()
}

fn codes(report: &BlockReport) -> Vec<&str> {
    report.evidence.iter().map(|found| found.code.as_str()).collect()
}

#[test]
fn every_block_gets_a_report_in_order() {
    let reports = looked(&json!({"blocks": [block("b", TEXT, true), block("a", "", true)]}));
    let ids: Vec<&str> = reports.iter().map(|report| report.id.as_str()).collect();
    assert_eq!(ids, ["b", "a"]);
    for report in &reports {
        assert_eq!((report.verdict, report.probability), (Verdict::Unclear, None));
        assert_eq!(codes(report), ["too_short"]);
    }
    assert_eq!((reports[0].words, reports[1].words), (19, 0));
    assert!(looked(&json!({"blocks": []})).is_empty());
}

#[test]
fn a_label_speaks_for_a_whole_text_and_not_for_a_part() {
    let visible = Some(declared::Language::English);
    let text = declared::mark(&TEXT.repeat(3), &declared::Marks { visible, metadata: None, manifest: None });
    let reports = looked(&json!({"blocks": [block("whole", &text, false), block("part", &text, true)]}));
    assert_eq!(reports[0].verdict, Verdict::DeclaredAi, "{:?}", codes(&reports[0]));
    assert_eq!(reports[1].verdict, Verdict::Unclear);
    assert!(codes(&reports[1]).contains(&"label_inside"));
}

#[test]
fn hidden_characters_and_leftovers_are_told() {
    let text = format!("As an AI language model, I can't. {} wo\u{200B}rd", TEXT.repeat(3));
    let report = &looked(&json!({"blocks": [block("a", &text, true)]}))[0];
    assert!(codes(report).contains(&"leftover_phrase") && codes(report).contains(&"hidden_zero_width"));
    assert_eq!(report.verdict, Verdict::Unclear);
}

#[test]
fn a_document_speaks_for_its_parts_alone() {
    let document = json!({
        "metadata": {"meta": [["ai-disclosure", "ai-generated"]], "json_ld": ["{"]},
        "begins": TEXT, "ends": TEXT,
    });
    let blocks = json!([block("part", TEXT, true), block("whole", TEXT, false)]);
    let reports = looked(&json!({"document": document, "blocks": blocks}));
    assert_eq!(reports[0].verdict, Verdict::DeclaredAi);
    assert_eq!(reports[1].verdict, Verdict::Unclear);
    // What the daemon has said already is not said again.
    let again = json!({"document": document, "blocks": blocks, "reports": reports});
    assert_eq!(codes(&looked(&again)[0]), codes(&reports[0]));
}

#[test]
fn the_daemons_report_stays_and_a_signature_joins_it() {
    let statement = json!({
        "result": "trusted", "message": "", "carrier": "attribute", "quotes": 0, "spans": [], "contact": "A. L.",
    });
    let mut scored = looked(&json!({"blocks": [block("a", TEXT, true)]}));
    scored[0].verdict = Verdict::LikelyAi;
    scored[0].probability = Some(0.99);
    for (whole, verdict) in [(true, Verdict::HumanSigned), (false, Verdict::LikelyAi)] {
        let mut block = block("a", TEXT, true);
        block["signed"] = json!({"statement": statement, "whole": whole});
        let report = &looked(&json!({"blocks": [block], "reports": scored}))[0];
        assert_eq!((report.verdict, report.probability), (verdict, Some(0.99)));
    }
}

#[test]
fn wrong_requests_are_refused_with_a_reason() {
    let one = || block("a", TEXT, true);
    let report = || looked(&json!({"blocks": [one()]}))[0].clone();
    let mut beyond = serde_json::to_value(report()).unwrap();
    beyond["evidence"][0]["span"] = json!({"start": 3, "end": 4000});
    let mut backwards = serde_json::to_value(report()).unwrap();
    backwards["sentences"] = json!([
        {"span": {"start": 4, "end": 3}, "tokens": 0, "mean_logprob": null, "probability": null}
    ]);
    for (request, reason) in [
        (json!({}), "blocks"),
        (json!({"blocks": [{"id": "a"}]}), "text"),
        (json!({"blocks": [one(), one()]}), "two blocks"),
        (json!({"blocks": [one()], "reports": [report(), report()]}), "two reports"),
        (json!({"blocks": [], "reports": [report()]}), "was not sent"),
        (json!({"blocks": [one()], "reports": [beyond]}), "not on its text"),
        (json!({"blocks": [one()], "reports": [backwards]}), "not on its text"),
        (json!({"blocks": vec![one(); MAX_BLOCKS + 1]}), "at most"),
    ] {
        let error = refused(&request);
        assert!(error.contains(reason), "{error}");
    }
    assert!(look(&" ".repeat(MAX_BYTES + 1)).unwrap_err().contains("at most"));
}
