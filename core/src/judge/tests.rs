#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::calibration::tests::{Noise, calibration, stats};
use crate::detect::segments::Segmenter;
use crate::verdict::PointsTo;
use proptest::prelude::*;
use std::sync::LazyLock;

static CALIBRATION: LazyLock<Calibration> = LazyLock::new(calibration);

const WORDS: &str = "The bus was late again so I walked down the hill and my left shoe gave up for good while a woman watering \
    her roses laughed out loud before she could stop herself. We talked about cobblers for ten minutes. There are none left in \
    this town, she said, only the machine at the mall that cuts keys. Then it began to rain, and neither of us had thought of \
    bringing an umbrella, which made her laugh once more. She gave me a plastic bag for the shoe and a rose for the trouble. ";

/// English prose of at least so many words, without repetition that the judge would object to.
fn prose(words: usize) -> String {
    let vocabulary: Vec<&str> = WORDS.split_whitespace().collect();
    let mut noise = Noise::new(11);
    let mut text = String::from(WORDS);
    while words::count(&text) < words {
        for position in 0..12 {
            let word = vocabulary[(noise.next() * vocabulary.len() as f32) as usize]
                .trim_matches(['.', ','])
                .to_lowercase();
            text.push_str(if position == 0 { "Then " } else { "" });
            text.push_str(&word);
            text.push_str(if position == 11 { ". " } else { " " });
        }
    }
    text
}

/// One token a word, with the blank before it, as byte-level vocabularies have it.
fn tokens(scoring: &ScoringText, mut stats: impl FnMut(usize) -> Option<Stats>) -> Vec<Token> {
    let text = scoring.text();
    let mut starts: Vec<usize> =
        text.char_indices().filter(|(_, c)| *c == ' ').map(|(index, _)| index).collect();
    starts.insert(0, 0);
    starts.push(text.len());
    starts
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair[0] < pair[1])
        .map(|(index, pair)| Token {
            bytes: pair[0]..pair[1],
            stats: if index == 0 { None } else { stats(index) },
        })
        .collect()
}

fn report(text: &str, calibration: Option<&Calibration>, mut ease: impl FnMut(usize) -> f32) -> BlockReport {
    let scoring = ScoringText::new(text);
    let mut noise = Noise::new(21);
    let tokens = tokens(&scoring, |index| {
        Some(super::super::calibration::tests::stats(1, ease(index), &mut noise)[0])
    });
    let calibrations: Vec<&Calibration> = calibration.into_iter().collect();
    judge(&ScoredBlock { id: "b", text, scoring: &scoring, tokens: &tokens }, &calibrations, true)
}

fn has(report: &BlockReport, code: Code) -> bool {
    report.evidence.iter().any(|evidence| evidence.code == code.as_str())
}

#[test]
fn easy_text_looks_like_a_models() {
    let report = report(&prose(400), Some(&CALIBRATION), |_| 1.0);
    assert_eq!(report.verdict, Verdict::LikelyAi, "{:#?}", report.evidence);
    assert!(report.probability.unwrap() > 0.5 && report.p_value.unwrap() <= 0.01);
    assert!(has(&report, Code::CombinedAi) && has(&report, Code::Caveat) && report.evidence.len() >= 5);
    assert!(report.evidence.windows(2).all(|pair| pair[0].strength >= pair[1].strength));
    assert_eq!(report.language.as_deref(), Some("en"));
    assert_eq!(report.tokens.as_ref().unwrap().len(), report.token_count);
    let named = report.evidence.iter().find(|evidence| evidence.code == "sentence_ai").unwrap();
    assert!(report.sentences.iter().any(|sentence| Some(sentence.span) == named.span));
}

#[test]
fn hard_text_looks_like_a_humans() {
    let report = report(&prose(400), Some(&CALIBRATION), |_| 0.0);
    assert_eq!(report.verdict, Verdict::LikelyHuman, "{:#?}", report.evidence);
    assert!(report.probability.unwrap() < 0.5 && report.p_value.unwrap() > 0.05);
    assert!(has(&report, Code::CombinedHuman));
}

#[test]
fn text_in_between_is_unclear_with_numbers() {
    let text = prose(200);
    let reports: Vec<BlockReport> =
        (0..=20).map(|step| report(&text, Some(&CALIBRATION), |_| step as f32 / 20.0)).collect();
    let mut verdicts: Vec<Verdict> = reports.iter().map(|report| report.verdict).collect();
    verdicts.dedup();
    assert_eq!(verdicts, [Verdict::LikelyHuman, Verdict::Unclear, Verdict::LikelyAi]);
    for report in reports.iter().filter(|report| report.verdict == Verdict::Unclear) {
        assert!(
            report.probability.is_some() && has(report, Code::BetweenThresholds)
                || has(report, Code::UnlikeBoth)
        );
    }
}

#[test]
fn a_mixed_text_shows_where() {
    let text = prose(900);
    let report = report(&text, Some(&CALIBRATION), |index| if index < 450 { -0.15 } else { 1.15 });
    assert_eq!(report.verdict, Verdict::Mixed, "{:#?}", report.evidence);
    let probabilities: Vec<f64> =
        report.sentences.iter().filter_map(|sentence| sentence.probability).collect();
    let third = probabilities.len() / 3;
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    assert!(
        mean(&probabilities[..third]) < 0.2 && mean(&probabilities[2 * third..]) > 0.8,
        "{probabilities:?}"
    );
    assert!(has(&report, Code::SentenceAi) && has(&report, Code::SentenceHuman));
}

#[test]
fn one_sentence_that_is_easy_by_chance_is_not_called_a_models() {
    let text = prose(400);
    let report =
        report(&text, Some(&CALIBRATION), |index| if (200..212).contains(&index) { 1.4 } else { 0.0 });
    let probabilities: Vec<f64> =
        report.sentences.iter().filter_map(|sentence| sentence.probability).collect();
    assert!(probabilities.len() > 20 && probabilities.iter().all(|&p| p < 0.5), "{probabilities:?}");
    assert!(!has(&report, Code::SentenceAi));
}

#[test]
fn sentences_are_smoothed_from_the_windows_that_are_told() {
    for words in [60, 130, 400] {
        let report =
            report(&prose(words), Some(&CALIBRATION), |index| if index < words / 2 { 0.0 } else { 1.0 });
        let scored: Vec<Stats> = report
            .tokens
            .as_ref()
            .unwrap()
            .iter()
            .enumerate()
            .filter(|(_, token)| token.logprob.is_some())
            .map(|(index, _)| index)
            .scan(Noise::new(21), |noise, index| {
                let ease = if index < words / 2 { 0.0 } else { 1.0 };
                Some(super::super::calibration::tests::stats(1, ease, noise)[0])
            })
            .collect();
        let mut end = 0;
        let units: Vec<Range<usize>> = report
            .sentences
            .iter()
            .map(|sentence| {
                end += sentence.tokens;
                end - sentence.tokens..end
            })
            .collect();
        assert_eq!(end, scored.len());
        let told = Segmenter::default().smooth(&readings(&scored, &CALIBRATION), &units);
        let seen: Vec<f64> = report.sentences.iter().map(|sentence| sentence.probability.unwrap()).collect();
        assert!(seen.iter().zip(&told.probabilities).all(|(a, b)| (a - b).abs() < 1e-12), "{words}");
        assert!(seen[0] < *seen.last().unwrap(), "{seen:?}");
    }
}

#[test]
fn limits_are_named_and_leave_no_probability() {
    let english = prose(120);
    let short: String = english.split_inclusive(' ').take(30).collect();
    let russian = "Сегодня автобус снова опоздал, поэтому я пошёл пешком. На полпути вниз по холму мой левый ботинок окончательно \
        развалился, и женщина, поливавшая розы, громко рассмеялась, прежде чем успела сдержаться. Мы говорили десять минут о \
        сапожниках. В этом городе их больше не осталось, сказала она, только машина в торговом центре, которая режет ключи.";
    let cases = [
        (short.as_str(), Some(&*CALIBRATION), Code::TooShort),
        (russian, Some(&*CALIBRATION), Code::LanguageNotCalibrated),
        (&english, None, Code::NoCalibration),
        (&"never again ".repeat(90), Some(&*CALIBRATION), Code::NotProse),
        (&"🎉 ".repeat(90), Some(&*CALIBRATION), Code::NotProse),
    ];
    for (text, calibration, code) in cases {
        let report = report(text, calibration, |_| 1.0);
        assert_eq!(report.verdict, Verdict::Unclear, "{text}");
        assert!(report.probability.is_none() && report.p_value.is_none(), "{text}");
        assert!(report.sentences.iter().all(|sentence| sentence.probability.is_none()));
        assert_eq!(report.evidence[0].code, code.as_str(), "{text}");
        assert_eq!(report.evidence[0].points_to, PointsTo::Neither);
        assert!(!report.detectors.is_empty() && has(&report, Code::PlainNumbers), "{text}");
    }
}

#[test]
fn each_language_has_a_calibration_of_its_own() {
    let other =
        Calibration { version: "other".to_owned(), languages: vec!["zh".to_owned()], ..CALIBRATION.clone() };
    let english = prose(200);
    let chinese = "今天公交车又晚点了，所以我走路去。半路上我的左脚鞋子彻底坏了，一位浇花的女士笑出了声。我们聊了十分钟的鞋匠，\
                   她说镇上早就没有了，只剩商场里那台配钥匙的机器。后来下起雨来，谁也没带伞。";
    let judged = |text: &str, calibrations: &[&Calibration]| {
        let scoring = ScoringText::new(text);
        let mut noise = Noise::new(21);
        let own = stats(120, 0.5, &mut noise);
        let ends: Vec<usize> = scoring.text().char_indices().map(|(at, _)| at).skip(1).take(120).collect();
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let tokens: Vec<Token> = starts
            .zip(ends.iter().copied())
            .zip(own)
            .map(|((start, end), stats)| Token { bytes: start..end, stats: Some(stats) })
            .collect();
        judge(&ScoredBlock { id: "", text, scoring: &scoring, tokens: &tokens }, calibrations, false)
    };
    let both: [&Calibration; 2] = [&CALIBRATION, &other];
    assert_eq!(judged(&english, &both).calibration.as_deref(), Some("test-1"));
    assert_eq!(judged(chinese, &both).calibration.as_deref(), Some("other"));
    let unknown = judged(chinese, &both[..1]);
    assert!(unknown.calibration.is_none() && has(&unknown, Code::LanguageNotCalibrated));
    let dutch = "De bus was weer te laat, dus ik liep de heuvel af en mijn linkerschoen begaf het voorgoed, terwijl een vrouw \
                 die haar rozen water gaf hardop lachte. We praatten tien minuten over schoenmakers. Die zijn er hier niet \
                 meer, zei ze, alleen het apparaat in het winkelcentrum dat sleutels snijdt.";
    let report = judged(dutch, &both);
    let known = report.evidence.iter().find_map(|found| found.values.get("calibrated"));
    assert_eq!(known.map(String::as_str), Some("en, zh"), "{:?}", report.evidence);
}

#[test]
fn text_that_is_too_well_known_is_unclear() {
    let text = prose(300);
    let scoring = ScoringText::new(&text);
    let sure =
        Stats { logprob: -0.05, rank: 1, entropy: 0.2, mean_logprob: -0.2, variance: 0.3, probe: None };
    let tokens = tokens(&scoring, |_| Some(sure));
    let report = judge(
        &ScoredBlock { id: "", text: &text, scoring: &scoring, tokens: &tokens },
        &[&CALIBRATION],
        false,
    );
    assert_eq!(report.verdict, Verdict::Unclear);
    assert_eq!(report.evidence[0].code, "well_known");
    assert!(report.tokens.is_none());
}

#[test]
fn tokens_belong_to_the_sentence_they_begin_in() {
    let text = "“One two.”\r\n\r\nThree four five! Six…";
    let report = report(text, None, |_| 0.5);
    let counts: Vec<usize> = report.sentences.iter().map(|sentence| sentence.tokens).collect();
    // The first token has no statistics.
    assert_eq!(counts, [1, 3, 1]);
    let spans: Vec<(usize, usize)> =
        report.tokens.unwrap().iter().map(|token| (token.span.start, token.span.end)).collect();
    assert_eq!(spans, [(0, 4), (5, 10), (14, 19), (20, 24), (25, 30), (31, 35)]);
}

#[test]
fn unusable_numbers_are_not_judged() {
    let text = prose(100);
    let scoring = ScoringText::new(&text);
    let broken = Stats { logprob: f32::NAN, entropy: f32::INFINITY, ..Stats::default() };
    for stats in [Some(broken), None] {
        let tokens = tokens(&scoring, |_| stats);
        let report = judge(
            &ScoredBlock { id: "", text: &text, scoring: &scoring, tokens: &tokens },
            &[&CALIBRATION],
            true,
        );
        assert_eq!(report.verdict, Verdict::Unclear);
        assert!(has(&report, Code::NotScored));
        assert!(report.detectors.values().all(|score| score.is_finite()));
        assert!(serde_json::to_string(&report).is_ok());
    }
}

#[test]
fn no_message_accuses() {
    for ease in [0.0, 0.5, 1.0] {
        for evidence in report(&prose(400), Some(&CALIBRATION), |_| ease).evidence {
            assert!(
                !evidence.message.contains("is written by") && !evidence.message.contains("is generated"),
                "{evidence:?}"
            );
            assert!(evidence.message.ends_with('.') || evidence.message.ends_with(")."));
            assert!((0.0..=1.0).contains(&evidence.strength));
            assert!(
                evidence.values.values().all(|value| evidence.message.contains(value.as_str())),
                "{evidence:?}"
            );
        }
    }
}

#[test]
fn a_million_characters_without_a_break() {
    let text = "a".repeat(1_000_000);
    let scoring = ScoringText::new(&text);
    let tokens: Vec<Token> = (0..250_000)
        .map(|index| Token {
            bytes: 4 * index..4 * index + 4,
            stats: Some(stats(1, 1.0, &mut Noise::new(index as u64))[0]),
        })
        .collect();
    let report = judge(
        &ScoredBlock { id: "", text: &text, scoring: &scoring, tokens: &tokens },
        &[&CALIBRATION],
        true,
    );
    assert_eq!(report.verdict, Verdict::Unclear);
    assert!(has(&report, Code::NotProse));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_and_any_tokens_get_a_report(
        text in "(\\PC|[a-z]{1,8} |\u{5e9}\u{5dc}\u{5d5}\u{5dd} |\u{301}|\u{202e}|\n){0,120}",
        cuts in prop::collection::vec((0_usize..400, 0_usize..12), 0..80),
    ) {
        let scoring = ScoringText::new(&text);
        let mut noise = Noise::new(7);
        let tokens: Vec<Token> = cuts
            .into_iter()
            .map(|(start, length)| Token { bytes: start..start + length, stats: Some(stats(1, 0.5, &mut noise)[0]) })
            .collect();
        let report = judge(&ScoredBlock { id: "x", text: &text, scoring: &scoring, tokens: &tokens }, &[&CALIBRATION], true);
        prop_assert!(!report.evidence.is_empty());
        let length = text.chars().count();
        prop_assert!(report.tokens.unwrap().iter().all(|token| token.span.start <= token.span.end && token.span.end <= length));
    }
}
