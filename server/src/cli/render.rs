//! A report for a person at a terminal.
//!
//! Nothing rests on colour alone: a verdict has a sign and words, and without colour every sentence has its number.
//! The text comes from strangers, so nothing of it may reach the terminal as a control sequence.

mod safe;

pub use safe::clean;

use super::messages::{Lang, Texts, evidence};
use crate::document::Block;
use anstyle::{Ansi256Color, Color, Effects, Style};
use bonafide_core::verdict::{BlockReport, Evidence, EvidenceKind, PointsTo, ScoreReport, Span, Verdict};
use safe::{Hidden, elide, pieces};
use std::io::{self, Write};

/// How a report is shown.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// Language of the interface.
    pub lang: Lang,
    /// Whether sentences are coloured; else each stands on its own line with its number.
    pub colour: bool,
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Up to this strength a finding says next to nothing.
const WEAK: f64 = 0.1;
/// Most such findings that are shown of a block.
const MOST_WEAK: usize = 3;

/// Writes a report and the texts that it is about. `blocks` and the report's blocks are in the same order.
///
/// # Errors
/// Those of the writer.
pub fn report(out: &mut dyn Write, report: &ScoreReport, blocks: &[Block], view: View) -> io::Result<()> {
    let texts = view.lang.texts();
    for (judged, block) in report.blocks.iter().zip(blocks) {
        one_block(out, judged, &block.text, view)?;
        writeln!(out)?;
    }
    limits(out, report, view)?;
    if report.blocks.iter().any(|block| block.sentences.iter().any(|sentence| sentence.probability.is_some()))
    {
        let legend = if view.colour { texts.legend_colour } else { texts.legend_plain };
        writeln!(out, "{DIM}{legend}{DIM:#}")?;
    }
    if report.blocks.iter().any(|block| block.p_value.is_some()) {
        writeln!(out, "{DIM}{}{DIM:#}", texts.legend_p_value)?;
    }
    footer(out, report, texts)
}

fn one_block(out: &mut dyn Write, judged: &BlockReport, text: &str, view: View) -> io::Result<()> {
    let texts = view.lang.texts();
    if is_scrap(judged) {
        // A heading: a line each keeps them from burying what was judged.
        let note = format!("({}{}: {})", judged.words, texts.words, texts.too_short);
        return writeln!(out, "{} {}  {DIM}{note}{DIM:#}", sign(Verdict::Unclear), clean(text));
    }
    header(out, judged, texts)?;
    let offsets = Offsets::new(text);
    if view.colour {
        coloured(out, judged, &offsets)?;
    } else {
        numbered(out, judged, &offsets)?;
    }
    reasons(out, judged, &offsets, view)?;
    if let Some(tokens) = &judged.tokens {
        let [token, logprob, rank, entropy] = texts.token_columns;
        writeln!(out, "  {DIM}{logprob:>15} {rank:>7} {entropy:>8}  {token}{DIM:#}")?;
        for token in tokens {
            let number = |value: Option<f32>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
            let rank = token.rank.map_or("-".to_owned(), |rank| rank.to_string());
            let (logprob, entropy) = (number(token.logprob), number(token.entropy));
            let text = offsets.slice(token.span).escape_debug().to_string();
            writeln!(out, "  {logprob:>15} {rank:>7} {entropy:>8}  {}", clean(&text))?;
        }
    }
    Ok(())
}

/// Whether nothing is known of a block but that it is too short. Stray hidden characters don't change that.
fn is_scrap(judged: &BlockReport) -> bool {
    judged.tokens.is_none()
        && judged.evidence.iter().any(|found| found.code == "too_short")
        && judged.evidence.iter().all(|found| match found.kind {
            EvidenceKind::Model => true,
            EvidenceKind::HiddenCharacters => found.strength <= WEAK,
            _ => false,
        })
}

fn reasons(out: &mut dyn Write, judged: &BlockReport, offsets: &Offsets<'_>, view: View) -> io::Result<()> {
    let texts = view.lang.texts();
    let mut weak = 0;
    let (shown, left): (Vec<&Evidence>, Vec<&Evidence>) =
        judged.evidence.iter().filter(|found| is_shown(found)).partition(|found| {
            let says_little = found.kind != EvidenceKind::Model && found.strength <= WEAK;
            weak += usize::from(says_little);
            !says_little || weak <= MOST_WEAK
        });
    if !shown.is_empty() {
        writeln!(out, "  {BOLD}{}{BOLD:#}", texts.reasons)?;
    }
    for found in shown {
        write!(out, "  {} {}", bullet(found), clean(&evidence(view.lang, found)))?;
        match found.span.map(|span| excerpt(offsets, span, found)).filter(|excerpt| !excerpt.is_empty()) {
            Some(excerpt) => writeln!(out, " {DIM}\"{excerpt}\"{DIM:#}")?,
            None => writeln!(out)?,
        }
    }
    if !left.is_empty() {
        writeln!(out, "  {DIM}{}{}{DIM:#}", texts.left_out, left.len())?;
    }
    Ok(())
}

/// Findings that only say that nothing was found are left to programs.
fn is_shown(found: &Evidence) -> bool {
    found.code != "caveat" && !found.code.ends_with("_usual")
}

/// What sort of finding it is; for the statistics, which way they point.
fn bullet(found: &Evidence) -> &'static str {
    match (found.kind, found.points_to) {
        (EvidenceKind::Watermark, _) => "≈",
        (EvidenceKind::HiddenCharacters, _) => "␣",
        (EvidenceKind::Leftover, _) => "¶",
        (EvidenceKind::Declared, PointsTo::Ai) => sign(Verdict::DeclaredAi),
        (EvidenceKind::Declared, _) => "◇",
        (EvidenceKind::Signature, _) => sign(Verdict::HumanSigned),
        (EvidenceKind::Model, PointsTo::Ai) => sign(Verdict::LikelyAi),
        (EvidenceKind::Model, PointsTo::Human) => sign(Verdict::LikelyHuman),
        (EvidenceKind::Model, PointsTo::Neither) => "·",
    }
}

fn header(out: &mut dyn Write, judged: &BlockReport, texts: &Texts) -> io::Result<()> {
    let style = verdict_style(judged.verdict);
    let words = texts.verdict(judged.verdict);
    write!(out, "{style}{} {words}{style:#}", sign(judged.verdict))?;
    if let Some(probability) = judged.probability {
        write!(out, " · {}{}", texts.probability, percent(probability))?;
    }
    if let Some(p_value) = judged.p_value {
        write!(out, " · {}{}", texts.p_value, p_value_text(p_value))?;
    }
    writeln!(out, " · {}{} {DIM}[{}]{DIM:#}", judged.words, texts.words, clean(&judged.id))
}

/// Some of a message for a line of a terminal: the words that matter with a few around them, or its first and last ones.
pub(super) fn quote(text: &str, span: Option<Span>) -> String {
    /// Code points around the words.
    const AROUND: usize = 16;
    let offsets = Offsets::new(text);
    let span = span.map(|span| Span {
        start: span.start.saturating_sub(AROUND),
        end: span.end.saturating_add(AROUND).min(offsets.len()),
    });
    match span {
        Some(span) if span.start > 0 || span.end < offsets.len() => {
            let before = if span.start > 0 { "…" } else { "" };
            let after = if span.end < offsets.len() { "…" } else { "" };
            format!("{before}{}{after}", elide(&pieces(offsets.slice(span), Hidden::Unseen)))
        }
        _ => elide(&pieces(text, Hidden::Unseen)),
    }
}

/// Rounded, but never to a certainty that the number doesn't have.
pub(super) fn percent(probability: f64) -> String {
    let percent = (probability * 100.0).round();
    match percent {
        ..1.0 if probability > 0.0 => "< 1 %".to_owned(),
        99.5.. if probability < 1.0 => "> 99 %".to_owned(),
        _ => format!("{percent:.0} %"),
    }
}

fn p_value_text(p_value: f64) -> String {
    if p_value < 0.0005 { "< 0.001".to_owned() } else { format!("{p_value:.3}") }
}

fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::HumanSigned => "✓",
        Verdict::LikelyHuman => "○",
        Verdict::Unclear => "?",
        Verdict::Mixed => "◐",
        Verdict::LikelyAi => "●",
        Verdict::DeclaredAi => "◆",
    }
}

/// Orange and blue are told apart by every kind of colour vision.
fn verdict_style(verdict: Verdict) -> Style {
    let colour = match verdict {
        Verdict::HumanSigned | Verdict::LikelyHuman => 33,
        Verdict::LikelyAi | Verdict::DeclaredAi => 208,
        Verdict::Mixed => 178,
        Verdict::Unclear => return BOLD,
    };
    BOLD.fg_color(Some(Color::Ansi256(Ansi256Color(colour))))
}

fn sentence_style(probability: Option<f64>) -> Style {
    let Some(probability) = probability else { return Style::new() };
    // A dark text on its own light ground reads on light and dark terminals alike.
    let (ground, effects) = match probability {
        0.9.. => (214, Effects::UNDERLINE),
        0.75.. => (222, Effects::new()),
        0.6.. => (230, Effects::new()),
        0.4.. => return Style::new(),
        0.25.. => (195, Effects::new()),
        0.1.. => (153, Effects::new()),
        _ => (111, Effects::new()),
    };
    Style::new()
        .fg_color(Some(Color::Ansi256(Ansi256Color(16))))
        .bg_color(Some(Color::Ansi256(Ansi256Color(ground))))
        .effects(effects)
}

/// The running text with its sentences on coloured grounds.
fn coloured(out: &mut dyn Write, judged: &BlockReport, offsets: &Offsets<'_>) -> io::Result<()> {
    let mut done = 0;
    write!(out, "  ")?;
    for sentence in &judged.sentences {
        let start = sentence.span.start.max(done);
        indented(out, offsets.slice(Span { start: done, end: start }), Style::new())?;
        indented(
            out,
            offsets.slice(Span { start, end: sentence.span.end }),
            sentence_style(sentence.probability),
        )?;
        done = sentence.span.end.max(done);
    }
    indented(out, offsets.slice(Span { start: done, end: usize::MAX }), Style::new())?;
    writeln!(out)
}

/// Text in a style; a ground that ran over a line end would fill the terminal's line.
fn indented(out: &mut dyn Write, text: &str, style: Style) -> io::Result<()> {
    for (index, line) in clean(text).split('\n').enumerate() {
        if index > 0 {
            write!(out, "\n  ")?;
        }
        if !line.is_empty() {
            write!(out, "{style}{line}{style:#}")?;
        }
    }
    Ok(())
}

/// Every sentence on a line of its own, with its number.
fn numbered(out: &mut dyn Write, judged: &BlockReport, offsets: &Offsets<'_>) -> io::Result<()> {
    if judged.sentences.is_empty() {
        write!(out, "  ")?;
        indented(out, offsets.text, Style::new())?;
        return writeln!(out);
    }
    for sentence in &judged.sentences {
        let number = sentence.probability.map_or_else(|| "-".to_owned(), percent);
        let text = clean(offsets.slice(sentence.span)).split_whitespace().collect::<Vec<_>>().join(" ");
        writeln!(out, "  {number:>6}  {text}")?;
    }
    Ok(())
}

/// What the report can't tell, once for all blocks.
fn limits(out: &mut dyn Write, report: &ScoreReport, view: View) -> io::Result<()> {
    let texts = view.lang.texts();
    writeln!(out, "{BOLD}{}{BOLD:#}", texts.limits)?;
    let mut said: Vec<String> = Vec::new();
    let caveats =
        report.blocks.iter().flat_map(|block| &block.evidence).filter(|found| found.code == "caveat");
    for caveat in caveats {
        let caveat = evidence(view.lang, caveat);
        if !said.contains(&caveat) {
            writeln!(out, "  · {}", clean(&caveat))?;
            said.push(caveat);
        }
    }
    texts.standing_limits.iter().try_for_each(|limit| writeln!(out, "  · {limit}"))
}

fn footer(out: &mut dyn Write, report: &ScoreReport, texts: &Texts) -> io::Result<()> {
    let mut counts: Vec<(Verdict, usize)> = Vec::new();
    for block in &report.blocks {
        match counts.iter_mut().find(|(verdict, _)| *verdict == block.verdict) {
            Some((_, count)) => *count += 1,
            None => counts.push((block.verdict, 1)),
        }
    }
    let counts: Vec<String> =
        counts.iter().map(|(verdict, count)| format!("{count} {}", texts.verdict(*verdict))).collect();
    // Those that blocks were compared with, or else what there is.
    let mut used: Vec<&str> = report.blocks.iter().filter_map(|block| block.calibration.as_deref()).collect();
    used.sort_unstable();
    used.dedup();
    if used.is_empty() {
        used.extend(report.calibration.as_ref().map(|calibration| calibration.version.as_str()));
    }
    let calibration = match used.as_slice() {
        [] => texts.no_calibration.to_owned(),
        used => format!("{}{}", texts.calibration, used.join(", ")),
    };
    let model = format!("{}{} ({})", texts.model, report.model.name, report.model.backend);
    let line = format!(
        "{}{} · {model} · {calibration} · bonafide {}",
        texts.blocks,
        counts.join(", "),
        report.version
    );
    writeln!(out, "{DIM}{}{DIM:#}", clean(&line))
}

/// The words that a finding rests on, ready for the terminal; nothing if the finding quotes them itself.
fn excerpt(offsets: &Offsets<'_>, span: Span, found: &Evidence) -> String {
    /// Code points around characters that can't be seen.
    const AROUND: usize = 12;
    let words = offsets.slice(span).trim();
    let quotes = |value: &String| {
        value == words || value.strip_suffix('…').is_some_and(|value| words.starts_with(value))
    };
    if found.values.values().any(quotes) {
        return String::new();
    }
    if found.kind != EvidenceKind::HiddenCharacters {
        return elide(&pieces(words, Hidden::Unseen));
    }
    let around = Span { start: span.start.saturating_sub(AROUND), end: span.end.saturating_add(AROUND) };
    let beside =
        |start, end| clean(offsets.slice(Span { start, end })).replace(['\n', '\t'], " ").replace("  ", " ");
    format!(
        "{}{}{}{}{}",
        if around.start > 0 { "…" } else { "" },
        beside(around.start, span.start),
        elide(&pieces(offsets.slice(span), Hidden::All)),
        beside(span.end, around.end),
        if around.end < offsets.len() { "…" } else { "" },
    )
}

/// A text that is sliced by code points.
struct Offsets<'a> {
    text: &'a str,
    bytes: Vec<usize>,
}

impl<'a> Offsets<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, bytes: text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect() }
    }

    /// Code points of the text.
    fn len(&self) -> usize {
        self.bytes.len() - 1
    }

    fn slice(&self, span: Span) -> &'a str {
        let byte = |index: usize| self.bytes.get(index).copied().unwrap_or(self.text.len());
        self.text.get(byte(span.start)..byte(span.end)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
