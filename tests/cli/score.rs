//! `bonafide score`: what it refuses, and what it says.

use super::{bonafide, refused, run};
use bonafide_core::verdict::{ScoreReport, Verdict};
use std::process::Stdio;

#[test]
fn bad_input_is_refused_with_a_clear_error() {
    let score = |input: &[u8], word: &str| {
        let error = refused(&["score", "-"], input);
        assert!(error.contains(word), "{error}");
    };
    score(b"", "no text");
    score(b" \n\t\n", "no text");
    score(&b"word ".repeat(1_000_001), "larger than 5 MB");
    score(&b"word ".repeat(1_000_000), "characters");
    score(b"abc\0def", "byte 3");
    score(b"caf\xe9", "byte 3");
    score(b"%PDF-1.7\n", "pdftotext");
    score("<div>".repeat(100_000).as_bytes(), "nested");
    score(b"<html><body><pre>x = 1</pre></body></html>", "no text");
}

#[test]
fn bad_names_are_refused_with_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    for (name, word) in [
        (folder.path().join("absent.txt").to_str().unwrap(), "no such file"),
        (folder.path().to_str().unwrap(), "folder"),
        ("http://", "not an address"),
        ("https://user:secret@example.org/", "password"),
        ("http://127.0.0.1:9/", "private network"),
        ("http://localhost:9/", "private network"),
        ("http://[::ffff:7f00:1]:9/", "private network"),
        ("http://169.254.169.254/latest/meta-data/", "private network"),
        ("\u{1b}]0;title\u{7}", "no such file"),
    ] {
        let error = refused(&["score", name], b"");
        assert!(error.contains(word), "{name}: {error}");
        assert!(!error.trim_end().contains(char::is_control), "{error:?}");
    }
}

#[test]
fn wrong_usage_has_its_own_exit_code() {
    for arguments in
        [&["score", "--nonsense"][..], &["score", "--format", "pdf"], &["score", "--threads", "0"], &[]]
    {
        assert_eq!(run(arguments, b"").status.code(), Some(2), "{arguments:?}");
    }
}

const PROSE: &str = "The harbour was quiet when we came in, and the only light on the quay was the one above the \
    chandler's door. My brother had the lines ready. He threw the first one badly, as he always did, and had to \
    haul it back dripping while I held her off with the engine. Nobody laughed. It had been a long passage, four \
    days of grey water and cold tea, and what we wanted now was a floor that stayed where it was.";

/// The rest need the language model.
#[test]
fn a_report_has_the_one_shape_and_sensible_verdicts() {
    let input = format!(
        "# A title\n\n{PROSE}\n\n## Odd\n\n😀😀😀😀\n\n## Word\n\n{}\n\n## RTL\n\nمرحبا بالعالم\n",
        "a".repeat(3_000)
    );
    let output = run(&["score", "--json", "--tokens", "--format", "markdown"], input.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: ScoreReport = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report.blocks.len(), 8);
    assert_eq!(report.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(report.blocks.iter().map(|block| block.id.as_str()).collect::<String>(), "12345678");
    for block in &report.blocks {
        assert!(!block.evidence.is_empty(), "{}", block.id);
        assert_eq!(block.tokens.as_ref().unwrap().len(), block.token_count);
    }
    for short in [0, 2, 3, 4, 5, 6, 7] {
        assert_eq!(report.blocks[short].verdict, Verdict::Unclear, "block {short}");
    }
    assert_ne!(report.blocks[1].verdict, Verdict::LikelyAi);
    let prose = &report.blocks[1];
    assert_eq!(prose.sentences.len(), 5);
    assert!(prose.sentences.iter().all(|sentence| sentence.tokens > 0), "{:?}", prose.sentences);
    let spans: Vec<_> = prose.tokens.iter().flatten().map(|token| token.span).collect();
    assert!(spans.is_sorted_by_key(|span| span.start));
    assert_eq!(spans.last().unwrap().end, PROSE.chars().count());
}

#[test]
fn a_person_sees_no_control_sequences_when_piped() {
    let output = run(&["score", "--lang", "zh"], format!("{PROSE} \u{1b}[31mred\u{1b}]0;x\u{7}").as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text:?}");
    assert!(text.contains("chandler's door") && text.contains("这份结果不能说明什么"), "{text}");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let mut child = bonafide()
        .args(["score", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), PROSE.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("error") && !said.contains("panicked"), "{said}");
}
