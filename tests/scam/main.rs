//! Whether whole conversations are told: invented scams after published patterns, and honest chats that look like them.
//!
//! `scenarios/LANGUAGE/tuned` was looked at while cues were written, and the model has learned from it with the data sets.
//! `scenarios/LANGUAGE/held` was written at the same time and `fresh` last, by who wrote nothing else; nobody reads them while
//! the engine is made, and their figures, by `bonafide eval --scam`, are the honest ones. No test asks the engine about `fresh`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bonafide::eval::scam::dataset::{self, Talk};
use bonafide::eval::scam::outcome::{self, Outcome};
use bonafide_core::scam::{Conversation, Engine, Risk, Setting, Side, Turn};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn scenarios(part: &str) -> Vec<Talk> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scam/scenarios");
    ["en", "zh"].iter().flat_map(|lang| dataset::load(&folder.join(lang).join(part)).unwrap()).collect()
}

fn engine() -> &'static Engine {
    Engine::built_in().unwrap()
}

fn outcomes(talks: &[Talk]) -> Vec<Outcome> {
    talks.iter().map(|talk| outcome::read(engine(), talk)).collect()
}

/// Data sets lie beside the repository.
fn data(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/scam").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: the labelled conversations {} are not here", path.display());
    None
}

#[test]
fn scenarios_are_whole_conversations_with_their_patterns() {
    let mut counts = [[0; 2]; 3];
    for (part, talks) in [scenarios("tuned"), scenarios("held"), scenarios("fresh")].iter().enumerate() {
        for talk in talks {
            counts[part][usize::from(talk.scam)] += 1;
            let turns = &talk.turns;
            assert!((20..=80).contains(&turns.len()), "{}", talk.id);
            assert!(turns.iter().any(|line| line.side == Side::Me), "{}", talk.id);
            assert!(turns.is_sorted_by_key(|line| line.at.unwrap()), "{}", talk.id);
            assert!(talk.author.is_some(), "{}", talk.id);
            assert!(talk.money_turn.is_none_or(|turn| talk.scam && turn <= turns.len()), "{}", talk.id);
        }
    }
    let [tuned, held, fresh] = counts;
    assert!(tuned[0] + held[0] >= 20 && tuned[1] + held[1] >= 20, "{counts:?}");
    // Of the first 52 a third is held; later ones are `tuned` or `fresh`.
    assert!(held[0] >= 8 && held[1] >= 8 && fresh[0] >= 20 && fresh[1] >= 20, "{counts:?}");
    let authors = |part: &str| -> BTreeSet<String> {
        scenarios(part).into_iter().filter_map(|talk| talk.author).collect()
    };
    assert!(
        authors("fresh").is_disjoint(&authors("tuned")),
        "who wrote what is kept apart wrote nothing else"
    );
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scam/scenarios");
    for part in ["en/tuned", "en/held", "en/fresh", "zh/tuned", "zh/held", "zh/fresh"] {
        for entry in std::fs::read_dir(folder.join(part)).unwrap() {
            let path = entry.unwrap().path();
            let row: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            assert_eq!(row["id"], *path.file_stem().unwrap().to_string_lossy());
            assert!(row["pattern"].as_str().unwrap().len() > 30, "{}", path.display());
            assert!(
                !row["sources"].as_array().unwrap().is_empty() || row["label"] == "benign",
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn no_honest_conversation_is_a_danger_and_most_are_nothing() {
    for part in ["tuned", "held"] {
        let talks: Vec<Talk> = scenarios(part).into_iter().filter(|talk| !talk.scam).collect();
        let outcomes = outcomes(&talks);
        for outcome in &outcomes {
            assert!(outcome.risk < Risk::Danger, "{} {:?}", outcome.id, outcome.codes);
        }
        let none = outcomes.iter().filter(|outcome| outcome.risk == Risk::None).count();
        assert!(none * 3 >= outcomes.len() * 2, "{part}: {none} of {}", outcomes.len());
    }
}

#[test]
fn the_engine_is_its_model_and_its_model_is_its_data() {
    let report = Conversation::with(engine(), Setting::default()).report("en");
    assert_eq!(report.model, engine().model().head.name);
    assert_ne!(report.model, "untrained");
}

/// One word of a scammer's is no scam, however often it is said by itself.
#[test]
fn one_keyword_is_never_a_danger() {
    for words in [
        "USDT",
        "safe account",
        "安全账户",
        "verification code",
        "验证码",
        "gift card",
        "刷单",
        "guaranteed profit",
        "稳赚不赔",
        "withdrawal fee",
        "保证金",
        "AnyDesk",
        "t.me/someone",
        "共享屏幕",
        "pig butchering",
        "杀猪盘",
        "lottery",
        "中奖",
    ] {
        let mut conversation =
            Conversation::with(engine(), Setting { new_contact: Some(true), ..Setting::default() });
        for _ in 0..3 {
            conversation.add(Turn { side: Side::Them, text: words, at: None });
            assert!(conversation.report("en").risk < Risk::Danger, "{words}");
        }
    }
}

/// The same words, disguised, are found all the same, and the disguise is a finding of its own.
#[test]
fn evasion_is_seen_through_and_counted() {
    let codes = |text: &str| {
        let mut conversation = Conversation::with(engine(), Setting::default());
        conversation.add(Turn { side: Side::Them, text, at: None });
        let report = conversation.report("en");
        report.evidence.into_iter().map(|finding| finding.code).collect::<Vec<_>>()
    };
    let plain = codes("add me on telegram, we can talk there better");
    assert!(plain.contains(&"move_off_platform".to_owned()), "{plain:?}");
    for (text, evasion) in [
        ("add me on t e l e g r a m, we can talk there better", "evasion_spelling"),
        ("add me on te1egram, we can talk there better", "evasion_spelling"),
        ("add me on tel\u{200B}egram, we can talk there better", "evasion_invisible"),
        ("add me on tеlegrаm, we can talk there better", "evasion_homoglyph"),
        ("add me on 𝓽𝓮𝓵𝓮𝓰𝓻𝓪𝓶, we can talk there better", "evasion_homoglyph"),
    ] {
        let codes = codes(text);
        assert!(codes.contains(&"move_off_platform".to_owned()), "{text}: {codes:?}");
        assert!(codes.contains(&evasion.to_owned()), "{text}: {codes:?}");
    }
    for text in ["加我V信聊", "加我薇❤聊", "加我 微-信 聊"] {
        assert!(codes(text).contains(&"evasion_spelling".to_owned()), "{text}: {:?}", codes(text));
    }
}

#[test]
fn advertisements_are_never_a_danger() {
    let Some(file) = data("fbs_sms_zh.ambiguous_ads.jsonl") else { return };
    for outcome in outcomes(&dataset::load(&file).unwrap()) {
        assert!(outcome.risk < Risk::Danger, "{} {:?}", outcome.id, outcome.codes);
    }
}

/// Of the fifth that the model has not seen. The full tables are made by hand with `bonafide eval --scam --held-out`.
#[test]
fn unseen_conversations_are_told() {
    let names =
        ["bothbosu_en", "calls_en", "telefraud_zh", "persuasion4good_en", "kdconv_zh", "xdailydialog_bi"];
    let Some(files) = names.iter().map(|name| data(&format!("{name}.jsonl"))).collect::<Option<Vec<_>>>()
    else {
        return;
    };
    let talks: Vec<Talk> = files.iter().flat_map(|file| dataset::load(file).unwrap()).collect();
    let groups = dataset::groups(&talks);
    let unseen: Vec<Talk> = talks
        .into_iter()
        .zip(groups)
        .filter(|(talk, group)| dataset::is_held_out(*group) && group % 3 == 0 && !talk.message)
        .map(|(talk, _)| talk)
        .collect();
    let outcomes = outcomes(&unseen);
    let share = |scam: bool, least: Risk| {
        let of: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.scam == scam).collect();
        assert!(of.len() > 100);
        of.iter().filter(|outcome| outcome.risk >= least).count() as f64 / of.len() as f64
    };
    assert!(share(true, Risk::Caution) > 0.93, "{}", share(true, Risk::Caution));
    assert!(share(true, Risk::Danger) > 0.75, "{}", share(true, Risk::Danger));
    assert!(share(false, Risk::Caution) < 0.02, "{}", share(false, Risk::Caution));
    assert_eq!(share(false, Risk::Danger), 0.0);
}
