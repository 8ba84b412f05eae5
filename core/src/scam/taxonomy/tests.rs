#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::scam::text::Tokens;
use crate::scam::turn::Side;
use std::collections::BTreeSet;

fn built_in() -> Taxonomy {
    Taxonomy::built_in().unwrap()
}

/// Whoever extends the data sees all that is wrong at once.
#[test]
fn everything_can_be_read() {
    let all = built_in();
    let mut wrong = Vec::new();
    for tactic in &all.tactics {
        let alone = Taxonomy { tactics: vec![tactic.clone()], guards: Vec::new(), ..all.clone() };
        wrong.extend(Compiled::new(alone).err());
    }
    for guard in &all.guards {
        let alone = Taxonomy { tactics: Vec::new(), guards: vec![guard.clone()], ..all.clone() };
        wrong.extend(Compiled::new(alone).err());
    }
    wrong.extend(Compiled::new(all).err());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The files as they are written, with what the build script leaves out.
fn written() -> Vec<(String, toml::Table)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/scam/taxonomy");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let toml = paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    toml.map(|path| {
        let table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
        (path.file_name().unwrap().to_string_lossy().into_owned(), table)
    })
    .collect()
}

fn entries<'a>(files: &'a [(String, toml::Table)], list: &str) -> Vec<&'a toml::Value> {
    files.iter().filter_map(|(_, table)| table.get(list)).flat_map(|list| list.as_array().unwrap()).collect()
}

#[test]
fn what_a_tactic_rests_on_is_named() {
    let files = written();
    let sources: BTreeSet<&str> =
        entries(&files, "source").iter().map(|source| source["id"].as_str().unwrap()).collect();
    assert_eq!(sources.len(), entries(&files, "source").len(), "two sources have one id");
    for tactic in entries(&files, "tactic") {
        let id = tactic["id"].as_str().unwrap();
        let named = tactic["sources"].as_array().unwrap();
        let own = tactic.get("builtin").is_some();
        assert!(own || !named.is_empty(), "{id} names no source");
        for source in named {
            assert!(
                sources.contains(source.as_str().unwrap()),
                "{id}: {source} does not stand in the sources"
            );
        }
    }
}

#[test]
fn readers_get_a_sentence_in_both_languages_and_advice() {
    let all = built_in();
    let both = |texts: &Texts| {
        ["en", "zh"].iter().all(|lang| texts.iter().any(|(name, text)| name == lang && text.len() > 2))
    };
    let advised: BTreeSet<&str> = all.advice.iter().map(|advice| advice.pattern.as_str()).collect();
    for tactic in &all.tactics {
        assert!(both(&tactic.say), "{}", tactic.id);
        for pattern in &tactic.patterns {
            assert!(advised.contains(pattern.as_str()), "{}: there is no advice on {pattern}", tactic.id);
        }
    }
    assert!(advised.contains("any") && all.advice.iter().all(|advice| both(&advice.say)));
    assert!(all.hotlines.iter().all(|line| both(&line.name) && line.region.len() == 2));
}

fn seen(text: &str, side: Side) -> Vec<(String, f64, usize)> {
    let compiled = Compiled::new(built_in()).unwrap();
    let tokens = Tokens::of(text, &compiled.watch);
    let found = compiled.read(&tokens, side);
    found
        .into_iter()
        .map(|seen| (compiled.taxonomy.tactics[seen.tactic].id.clone(), seen.strength, seen.weak.len()))
        .collect()
}

fn plainly(text: &str, id: &str) -> bool {
    seen(text, Side::Them).iter().any(|(other, strength, _)| other == id && *strength >= 0.9)
}

#[test]
fn tactics_are_seen_in_both_languages_and_both_ways_of_writing() {
    for (text, id) in [
        ("You must pay the tax before the withdrawal can be released", "withdrawal_fee"),
        ("提现前需要先缴纳个人所得税", "withdrawal_fee"),
        ("提現前需要先繳納個人所得稅", "withdrawal_fee"),
        ("Please don't tell your family about this", "secrecy"),
        ("这件事不要告诉家人", "secrecy"),
        ("Move your money to a safe account so that it is protected", "safe_account"),
        ("请把资金转到安全账户", "safe_account"),
        ("Read me the verification code that you received", "asks_code"),
        ("把收到的验证码发给我", "asks_code"),
    ] {
        assert!(plainly(text, id), "{text}: {:?}", seen(text, Side::Them));
    }
}

#[test]
fn warnings_refusals_and_quotations_are_no_tactics() {
    for (text, id) in [
        ("Never share this verification code with anyone", "asks_code"),
        ("请勿将验证码告诉任何人", "asks_code"),
        ("We will never ask you to move your money to a safe account", "safe_account"),
        ("民警提醒：凡是让您转到安全账户的都是诈骗", "safe_account"),
        ("the article says \"you must pay the tax before the withdrawal can be released\"", "withdrawal_fee"),
    ] {
        assert!(!plainly(text, id), "{text}: {:?}", seen(text, Side::Them));
    }
}

#[test]
fn what_the_user_says_is_not_held_against_the_other_side() {
    assert!(seen("Read me the verification code that you received", Side::Me).is_empty());
}
