#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use proptest::prelude::*;

fn read(turns: &[(Side, &str)]) -> Conversation<'static> {
    let mut conversation = Conversation::new(Setting::default()).unwrap();
    for (side, text) in turns {
        conversation.add(Turn { side: *side, text, at: None });
    }
    conversation
}

const SCAM: &[(Side, &str)] = &[
    (
        Side::Them,
        "Hello, this is Officer Daniel Reed from the fraud department. Your account is linked to money laundering.",
    ),
    (Side::Me, "what? i did nothing"),
    (
        Side::Them,
        "There is an arrest warrant in your name. Do not tell anyone about this call, not your family and not your bank.",
    ),
    (
        Side::Them,
        "To protect your money you must transfer it to a safe account immediately, today, or you will be arrested.",
    ),
    (Side::Me, "how do I do that"),
    (
        Side::Them,
        "Install AnyDesk and read me the verification code that you receive. Buy gift cards and send me the codes.",
    ),
];

#[test]
fn a_scam_rises_from_nothing_to_danger() {
    let first = read(&SCAM[..1]).report("en");
    let last = read(SCAM).report("en-GB");
    assert!(first.probability < last.probability);
    assert_eq!(last.risk, Risk::Danger);
    assert!(last.stage >= Some(Stage::Ask), "{:?}", last.stage);
    assert_eq!(last.pattern.as_deref(), Some("authority"));
    assert_eq!(last.turns, SCAM.len());
    let advice = last.advice.unwrap();
    assert_eq!(advice.hotline.unwrap().number, "159");
    assert!(!advice.message.is_empty());
    for finding in &last.evidence {
        assert!(finding.strength > 0.0 && finding.strength <= 1.0 && !finding.message.is_empty());
        for place in &finding.places {
            let (_, text) = SCAM[place.turn];
            assert!(place.span.is_none_or(|span| span.start < span.end && span.end <= text.chars().count()));
        }
    }
}

#[test]
fn the_reader_is_told_in_their_language_and_whom_to_call() {
    let conversation = read(SCAM);
    let hotline = |tag: &str| conversation.report(tag).advice.unwrap().hotline.map(|line| line.number);
    assert_eq!(hotline("zh-CN").as_deref(), Some("96110"));
    assert_eq!(hotline("zh-Hant-TW").as_deref(), Some("165"));
    assert_eq!(hotline("zh"), None);
    assert_eq!(hotline("tlh-XX"), None);
    let chinese = conversation.report("zh-CN").evidence;
    assert!(chinese.iter().all(|finding| finding.message.chars().any(|c| c >= '\u{4E00}')));
    assert_eq!(conversation.report("tlh").evidence, conversation.report("en").evidence);
}

#[test]
fn names_stand_where_numbers_are_looked_for() {
    assert_eq!(OTHERS[conversation::OF_CHATS], "wording_chat");
}

#[test]
fn nothing_said_is_nothing_known() {
    let report = read(&[]).report("en");
    assert_eq!((report.risk, report.stage, report.pattern, report.advice), (Risk::None, None, None, None));
    assert!(report.evidence.is_empty());
}

/// Without the trained part the rules give no danger, whatever they see.
#[test]
fn rules_alone_never_give_danger() {
    let head = Engine::built_in().unwrap().model().head.clone();
    let untrained = Head { wording_bias: -0.01, wording_step: 0.0, ..head };
    let engine = Engine::with(Model::new(untrained, Vec::new(), Vec::new())).unwrap();
    let mut conversation =
        Conversation::with(&engine, Setting { new_contact: Some(true), ..Setting::default() });
    for (side, text) in SCAM {
        conversation.add(Turn { side: *side, text, at: None });
    }
    let report = conversation.report("en");
    assert!(report.probability > 0.8 && report.evidence.len() > 3, "{report:?}");
    assert_eq!(report.risk, Risk::Caution);
}

#[test]
fn what_the_site_and_the_language_model_know_adds_to_it() {
    let with = |setting: Setting| {
        let mut conversation = read(&SCAM[..3]);
        conversation.set(setting);
        conversation.report("en")
    };
    let plain = with(Setting::default());
    let link = Some("http://185.1.2.3/wallet".to_owned());
    for setting in [
        Setting { new_contact: Some(true), ..Setting::default() },
        Setting { ai_probability: Some(0.99), ..Setting::default() },
        Setting { profile_link: link, ..Setting::default() },
    ] {
        let more = with(setting.clone());
        assert!(more.probability > plain.probability, "{setting:?}");
    }
    let human = with(Setting { ai_probability: Some(0.1), ..Setting::default() });
    assert_eq!(human.probability, plain.probability);
    let odd = with(Setting {
        ai_probability: Some(f64::NAN),
        second_opinion: Some(f64::INFINITY),
        ..Setting::default()
    });
    assert!(odd.probability.is_finite());
}

#[test]
fn a_second_opinion_moves_the_probability_and_is_shown_but_is_no_danger_alone() {
    let with = |turns: &[(Side, &str)], opinion: f64| {
        let mut conversation = read(turns);
        conversation.set(Setting { second_opinion: Some(opinion), ..Setting::default() });
        conversation.report("zh-CN")
    };
    let none = read(&SCAM[..3]).report("zh-CN");
    let [less, more, most, beyond] = [-1.0, 1.0, 3.0, 30.0].map(|opinion| with(&SCAM[..3], opinion));
    assert!(less.probability < none.probability && none.probability < more.probability);
    assert_eq!(most, beyond, "it is one among others");
    let shown = |report: &Report| report.evidence.iter().any(|finding| finding.code == "second_opinion");
    assert!(shown(&more) && !shown(&none) && !shown(&less));
    let honest = with(&[(Side::Them, "the match is on at six, bring the blue shirt")], 30.0);
    assert!(honest.risk < Risk::Danger, "{honest:?}");
}

#[test]
fn what_was_said_long_ago_counts_less() {
    let mut conversation = read(SCAM);
    let before = conversation.report("en").probability;
    for _ in 0..600 {
        conversation.add(Turn { side: Side::Them, text: "good morning, did you sleep well?", at: None });
    }
    assert!(conversation.report("en").probability < before);
}

#[test]
fn models_survive_being_written_and_refuse_what_is_none() {
    let model = Engine::built_in().unwrap().model();
    let bytes = model.to_bytes().unwrap();
    let again = Model::from_bytes(&bytes).unwrap();
    assert_eq!(again.head, model.head);
    for bad in [&bytes[..bytes.len() - 1], &bytes[1..], b"BFSCAM01", b"", &bytes[..40]] {
        assert!(Model::from_bytes(bad).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_conversation_can_be_read(turns in proptest::collection::vec((any::<bool>(), any::<String>(), any::<Option<i64>>()), 0..20), tag in any::<String>()) {
        let mut conversation = Conversation::new(Setting::default()).unwrap();
        for (me, text, at) in &turns {
            let side = if *me { Side::Me } else { Side::Them };
            conversation.add(Turn { side, text, at: *at });
            let report = conversation.report(&tag);
            prop_assert!((0.0..=1.0).contains(&report.probability));
        }
        prop_assert_eq!(conversation.turns(), turns.len());
    }
}
