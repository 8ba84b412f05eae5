//! A signed text as it is published.

use super::SignaturesError;
use crate::document::read::Format;
use bonafide_core::signature::carrier::token::Token;
use bonafide_core::signature::carrier::{Signed, armour};
use serde::{Deserialize, Serialize};

/// How a statement goes with its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// One word at the end, for chats and posts
    Line,
    /// A block of lines below, for mail and plain text
    Armour,
    /// HTML that carries its statement
    Html,
    /// A file of its own, NAME.human.json
    Side,
    /// The same as a W3C Verifiable Credential
    Vc,
}

impl Form {
    /// Its name on the command line and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Armour => "armour",
            Self::Html => "html",
            Self::Side => "side",
            Self::Vc => "vc",
        }
    }

    /// Whether what is published is a file beside the text.
    #[must_use]
    pub fn is_side_file(self) -> bool {
        matches!(self, Self::Side | Self::Vc)
    }

    /// Refuses what doesn't go together.
    pub(super) fn check(self, format: Format) -> Result<(), SignaturesError> {
        let wrong = |kind, instead| Err(SignaturesError::Form { form: self.name(), kind, instead });
        match (self, format) {
            (Self::Line | Self::Armour, Format::Html) => wrong("HTML", "html"),
            (Self::Html, Format::Markdown) => wrong("Markdown", "armour"),
            _ => Ok(()),
        }
    }

    /// Puts a text and its statement together.
    pub(super) fn publish(
        self,
        text: &str,
        format: Format,
        signed: &Signed,
    ) -> Result<String, SignaturesError> {
        Ok(match self {
            Self::Line => format!("{}\n{}\n", text.trim_end(), Token::of(signed)?.print()?),
            // A fence, or Markdown would make a heading of the first line.
            Self::Armour if format == Format::Markdown => {
                format!("{}\n\n```\n{}```\n", text.trim_end(), armour::print(signed))
            }
            Self::Armour => format!("{}\n\n{}", text.trim_end(), armour::print(signed)),
            Self::Html if format == Format::Html => with_script(text, signed),
            Self::Html => article(text, signed),
            Self::Side | Self::Vc => format!("{:#}\n", signed.to_value()),
        })
    }
}

/// A page with a script where it speaks of all of it: in the head, or before everything else of the body.
fn with_script(html: &str, signed: &Signed) -> String {
    // `</script>` and `<!--` end or change a script wherever they stand (HTML, 13.1.2.1).
    let json = signed.to_value().to_string().replace('<', "\\u003c");
    let script = format!("<script type=\"application/human-statement+json\">{json}</script>\n");
    let (before, after) = html.split_at(place_for_script(html));
    format!("{before}{script}{after}")
}

/// Not at the end of the body: an element that was never closed would hold it.
fn place_for_script(html: &str) -> usize {
    let lower = html.to_ascii_lowercase();
    if let Some(end) = lower.find("</head") {
        return end;
    }
    let behind = |tag: &str| {
        let start = lower.find(tag)?;
        Some(start + lower[start..].find('>')? + 1)
    };
    behind("<body").or_else(|| behind("<html")).or_else(|| behind("<!doctype")).unwrap_or(0)
}

/// Plain text as an element that carries its statement.
fn article(text: &str, signed: &Signed) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let json = escape(&signed.to_value().to_string()).replace('"', "&quot;");
    let mut html = format!("<article data-human-statement=\"{json}\">\n");
    let mut paragraph: Vec<&str> = Vec::new();
    for line in text.lines().chain([""]) {
        if !line.trim().is_empty() {
            paragraph.push(line);
        } else if !paragraph.is_empty() {
            html.push_str(&format!("<p>{}</p>\n", escape(&paragraph.join("\n"))));
            paragraph.clear();
        }
    }
    html + "</article>\n"
}
