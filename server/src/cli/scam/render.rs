//! The report on a chat, for a person at a terminal.
//!
//! Nothing rests on colour alone, and nothing of what strangers wrote reaches the terminal as a control sequence.

use super::texts::{self, Texts};
use crate::chats::{Chat, shown};
use crate::cli::messages::Lang;
use crate::cli::render::{clean, percent, quote};
use anstyle::{Ansi256Color, Color, Style};
use bonafide_core::scam::{Advice, Finding, Place, Report, Risk, Side};
use std::io::{self, Write};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Most messages that are quoted of a finding.
const MOST_QUOTED: usize = 3;

/// Writes a report and the messages that it rests on.
///
/// # Errors
/// Those of the writer.
pub(super) fn report(out: &mut dyn Write, report: &Report, chat: &Chat, lang: Lang) -> io::Result<()> {
    let texts = texts::of(lang);
    header(out, report, texts, lang)?;
    if !report.evidence.is_empty() {
        writeln!(out, "  {BOLD}{}{BOLD:#}", texts.reasons)?;
    }
    for found in &report.evidence {
        finding(out, found, chat, texts, lang)?;
    }
    if let Some(advised) = &report.advice {
        advice(out, advised, texts)?;
    }
    writeln!(out, "  {BOLD}{}{BOLD:#}", texts.limits)?;
    texts.standing_limits.iter().try_for_each(|limit| writeln!(out, "  · {limit}"))?;
    footer(out, report, chat, texts)
}

fn header(out: &mut dyn Write, report: &Report, texts: &Texts, lang: Lang) -> io::Result<()> {
    let (sign, style) = look(report.risk);
    write!(out, "{style}{sign} {}{style:#}", texts::risk(report.risk, lang))?;
    write!(out, " · {}{}", texts.probability, percent(report.probability))?;
    if let Some(stage) = report.stage {
        write!(out, " · {}{}", texts.stage, texts::stage(stage, lang))?;
    }
    if let Some(pattern) = &report.pattern {
        write!(out, " · {}{}", texts.pattern, clean(&texts::pattern(pattern, lang)))?;
    }
    writeln!(out, " · {}{}", report.turns, texts.messages)
}

/// Sign and style of a risk; orange and blue are told apart by every kind of colour vision.
fn look(risk: Risk) -> (&'static str, Style) {
    let colour = |number| BOLD.fg_color(Some(Color::Ansi256(Ansi256Color(number))));
    match risk {
        Risk::None => ("○", BOLD),
        Risk::Caution => ("◐", colour(178)),
        Risk::Danger => ("●", colour(208)),
    }
}

fn finding(out: &mut dyn Write, found: &Finding, chat: &Chat, texts: &Texts, lang: Lang) -> io::Result<()> {
    writeln!(out, "  · {}", clean(&found.message))?;
    for place in found.places.iter().take(MOST_QUOTED) {
        if let Some(line) = message(place, chat, lang) {
            writeln!(out, "      {DIM}{line}{DIM:#}")?;
        }
    }
    match found.places.len().saturating_sub(MOST_QUOTED) {
        0 => Ok(()),
        more => writeln!(out, "      {DIM}{}{more}{DIM:#}", texts.left_out),
    }
}

/// A message: its number, when it was sent, who wrote it, and some of its words.
fn message(place: &Place, chat: &Chat, lang: Lang) -> Option<String> {
    let turn = chat.turns.get(place.turn)?;
    let mut line = format!("#{}", place.turn + 1);
    if let Some(at) = turn.at.map(shown).filter(|at| !at.is_empty()) {
        line.push(' ');
        line.push_str(&at);
        line.push_str(if chat.format.knows_zone() { " UTC" } else { "" });
    }
    let name = turn.name.as_deref().filter(|_| turn.side == Side::Them);
    let who = name.map_or_else(|| texts::side(turn.side, lang).to_owned(), |name| quote(name, None));
    Some(format!("{line} {who}: \"{}\"", quote(&turn.text, place.span)))
}

fn advice(out: &mut dyn Write, advice: &Advice, texts: &Texts) -> io::Result<()> {
    writeln!(out, "  {BOLD}{}{BOLD:#}", texts.advice)?;
    writeln!(out, "  {}", clean(&advice.message))?;
    match &advice.hotline {
        Some(hotline) => {
            writeln!(out, "  {}{}{BOLD}{}{BOLD:#}", clean(&hotline.name), texts.colon, clean(&hotline.number))
        }
        None => Ok(()),
    }
}

fn footer(out: &mut dyn Write, report: &Report, chat: &Chat, texts: &Texts) -> io::Result<()> {
    let mut facts = Vec::new();
    if !report.model.is_empty() {
        facts.push(format!("{}{}", texts.model, report.model));
    }
    if !chat.format.knows_zone() {
        facts.push(texts.local.to_owned());
    }
    facts.push(format!("bonafide {}", env!("CARGO_PKG_VERSION")));
    writeln!(out, "{DIM}{}{DIM:#}", clean(&facts.join(" · ")))
}

#[cfg(test)]
mod tests;
