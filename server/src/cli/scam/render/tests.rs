#![allow(clippy::unwrap_used)]

use super::*;
use crate::chats::{ChatTurn, Format};
use bonafide_core::scam::{Hotline, Stage};
use bonafide_core::verdict::Span;
use proptest::prelude::*;

fn turn(side: Side, name: Option<&str>, text: &str, at: Option<i64>) -> ChatTurn {
    ChatTurn { side, name: name.map(str::to_owned), text: text.to_owned(), at }
}

fn chat(format: Format) -> Chat {
    let turns = vec![
        turn(Side::Them, Some("Anna"), "Hi, is this Dr. Li?", Some(1_790_591_405_000)),
        turn(Side::Me, Some("Ben"), "Who is this?", Some(1_790_591_465_000)),
        turn(
            Side::Them,
            None,
            "My uncle at the bank knows of guaranteed profits, and I will show you how to earn them.",
            None,
        ),
        turn(Side::Them, Some("Anna"), "Profit!", None),
        turn(Side::Them, Some("Anna"), "More profit!", None),
    ];
    Chat { turns, names: vec![("Anna".to_owned(), 3), ("Ben".to_owned(), 1)], format }
}

fn found(code: &str, places: &[(usize, Option<(usize, usize)>)]) -> Finding {
    let place = |&(turn, span): &(usize, Option<(usize, usize)>)| Place {
        turn,
        span: span.map(|(start, end)| Span { start, end }),
    };
    Finding {
        code: code.to_owned(),
        stage: Stage::Hook,
        strength: 0.9,
        places: places.iter().map(place).collect(),
        message: format!("About {code}."),
    }
}

fn danger() -> Report {
    Report {
        risk: Risk::Danger,
        probability: 0.9991,
        stage: Some(Stage::Hook),
        pattern: Some("investment".to_owned()),
        evidence: vec![
            found("wrong_number", &[(0, None)]),
            found("guaranteed_returns", &[(2, Some((30, 48))), (3, None), (1, None), (4, None)]),
        ],
        advice: Some(Advice {
            message: "Send no money.".to_owned(),
            hotline: Some(Hotline {
                region: "CN".to_owned(),
                number: "96110".to_owned(),
                name: "Anti-fraud centre".to_owned(),
            }),
        }),
        turns: 5,
        model: "2026-11".to_owned(),
    }
}

fn lines(told: &Report, chat: &Chat, lang: Lang) -> Vec<String> {
    let mut out = Vec::new();
    report(&mut out, told, chat, lang).unwrap();
    let text = String::from_utf8(out).unwrap();
    anstream::adapter::strip_str(&text).to_string().lines().map(str::to_owned).collect()
}

#[test]
fn a_danger_is_told_with_the_messages_behind_it() {
    let lines = lines(&danger(), &chat(Format::WhatsApp), Lang::En);
    assert_eq!(
        lines[0],
        "● danger · probability of a scam > 99 % · stage: the bait is out · most like: investment scam (pig butchering) · 5 \
         messages"
    );
    assert_eq!(
        &lines[1..12],
        [
            "  Why",
            "  · About wrong_number.",
            "      #1 2026-09-28 10:30 Anna: \"Hi, is this Dr. Li?\"",
            "  · About guaranteed_returns.",
            "      #3 them: \"…e bank knows of guaranteed profits, and I will sho…\"",
            "      #4 Anna: \"Profit!\"",
            "      #2 2026-09-28 10:31 you: \"Who is this?\"",
            "      and more of the kind: 1",
            "  What to do",
            "  Send no money.",
            "  Anti-fraud centre: 96110",
        ]
    );
    assert_eq!(lines[12], "  What this can't tell");
    let last =
        format!("taxonomy 2026-11 · times as the export shows them · bonafide {}", env!("CARGO_PKG_VERSION"));
    assert_eq!(lines[15..], [last]);
}

#[test]
fn a_harmless_chat_takes_few_lines() {
    let report = Report {
        risk: Risk::None,
        probability: 0.02,
        stage: None,
        pattern: None,
        evidence: Vec::new(),
        advice: None,
        model: String::new(),
        ..danger()
    };
    let lines = lines(&report, &chat(Format::TelegramJson), Lang::En);
    assert_eq!(lines[0], "○ nothing found · probability of a scam 2 % · 5 messages");
    assert_eq!(lines[1], "  What this can't tell");
    assert_eq!(lines[4..], [format!("bonafide {}", env!("CARGO_PKG_VERSION"))]);
}

#[test]
fn chinese_is_chinese_and_a_known_zone_is_named() {
    let lines = lines(&danger(), &chat(Format::TelegramJson), Lang::Zh);
    assert_eq!(
        lines[0],
        "● 危险 · 诈骗概率 > 99 % · 阶段：抛出诱饵 · 最像：投资理财诈骗（杀猪盘） · 5 条消息"
    );
    assert_eq!(lines[3], "      #1 2026-09-28 10:30 UTC Anna: \"Hi, is this Dr. Li?\"");
    assert!(
        lines.contains(&"      #3 对方: \"…e bank knows of guaranteed profits, and I will sho…\"".to_owned()),
        "{lines:?}"
    );
    assert!(lines.contains(&"  Anti-fraud centre：96110".to_owned()), "{lines:?}");
}

#[test]
fn a_kind_without_words_keeps_its_name() {
    let report = Report { pattern: Some("of_tomorrow".to_owned()), ..danger() };
    assert!(lines(&report, &chat(Format::Json), Lang::En)[0].contains("most like: of tomorrow ·"));
}

proptest! {
    #[test]
    fn no_chat_reaches_the_terminal_as_a_control(
        text in "([a-z. ]|\\PC|\\p{Cc}|\u{202e}|\u{200b}|\u{1b}\\[31m){0,60}",
        name in "(\\PC|\\p{Cc}|\u{202e}){0,10}",
        span in proptest::option::of((0usize..80, 0usize..80)),
        at in proptest::option::of(any::<i64>()),
        turn_at in 0usize..3,
    ) {
        let turns = vec![turn(Side::Them, Some(&name), &text, at)];
        let chat = Chat { turns, names: Vec::new(), format: Format::WhatsApp };
        let told = Report { evidence: vec![found(&text, &[(turn_at, span)])], pattern: Some(text.clone()), ..danger() };
        let shown = lines(&told, &chat, Lang::En).join("\n");
        let is_safe = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
        prop_assert!(shown.chars().all(is_safe), "{shown:?}");
        prop_assert!(!shown.contains('\u{202e}'), "{shown:?}");
    }
}
