#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::{language, prose, scoring::ScoringText, words};

/// Real texts must pass the gates before the statistics: prose, in a language that is recognised.
#[test]
fn real_english_passes_the_gates() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/aitext");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: the data files are not there ({})", folder.display());
        return;
    };
    for path in entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
    {
        let (mut texts, mut english, mut prosaic) = (0.0, 0.0, 0.0);
        for line in std::fs::read_to_string(&path).unwrap().lines().step_by(7) {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = entry["text"].as_str().unwrap();
            let scoring = ScoringText::new(text);
            if entry["lang"] != "en" || words::count(scoring.text()) < crate::judge::MIN_WORDS {
                continue;
            }
            texts += 1.0;
            english += f64::from(u8::from(language::detect(scoring.text()) == Some("en")));
            prosaic += f64::from(u8::from(prose::objection(text).is_none()));
        }
        if texts == 0.0 {
            continue;
        }
        assert!(english / texts > 0.98, "{}", path.display());
        // Some of the students' answers are programs.
        assert!(prosaic / texts > 0.95, "{}", path.display());
    }
}
