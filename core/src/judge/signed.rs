//! What an author's signature says of a block.
//!
//! Only a green result over all of the block gives a verdict. Every other one is told and decides nothing: a broken or
//! unknown signature is no sign of a model. [`Code`] lists the sentences for translators.

use crate::codes::codes;
use crate::signature::check::{Outcome, Report};
use crate::verdict::{BlockReport, Evidence, EvidenceKind, PointsTo, Verdict};
use std::collections::BTreeMap;

codes! {
    /// The stable names of all messages about signatures.
    enum Code {
        /// With the reader's own key. `contact` (the key's name), `date`.
        Own = "signed_own",
        /// By a contact. `author` (as the statement names him), `contact` (as the reader does), `date`.
        Trusted = "signed_trusted",
        /// By a key that the identity publishes. `author`, `identity`, `date`.
        Published = "signed_published",
        /// Green, but only of a part of the block. `author`, `date`.
        Partly = "signed_partly",
        /// Some paragraphs of a text that was signed with a known key. `found`, `total`, `author`.
        Excerpt = "signed_excerpt",
        /// A good signature by somebody. `author`, `identity` (perhaps empty), `date`.
        UnknownKey = "signed_unknown_key",
        /// The identity was known by another key. `author`, `identity`, `date`.
        KeyChanged = "signed_key_changed",
        /// The statement or its key is out of its time. `author`, `date`.
        Expired = "signed_expired",
        /// The key was revoked. `author`, `date`.
        Revoked = "signed_revoked",
        /// Other words than the signed ones. No values: without a good signature nothing of a statement is shown.
        Altered = "signed_altered",
        /// No statement that can be checked. No values.
        Malformed = "signed_malformed",
    }
}

/// What a signature must be worth to vouch for a block.
const VOUCHES: f64 = 1.0;

/// Adds what a statement says of a block; `whole`: its verified words are all of the block.
///
/// A text that is declared a model's and is signed by a human is unclear, in whichever order the two are added: which is
/// wrong can't be seen from here. Statistics do not weigh against a signature, though they stay as evidence.
pub fn sign(report: &mut BlockReport, checked: &Report, whole: bool) {
    let found = evidence(checked, whole);
    if report.evidence.contains(&found) {
        return;
    }
    if vouching(&found) {
        let contradicted = report.verdict == Verdict::DeclaredAi
            // A block that is vouched for and yet unclear was declared as well.
            || (report.verdict == Verdict::Unclear && vouches(report));
        report.verdict = if contradicted { Verdict::Unclear } else { Verdict::HumanSigned };
    }
    report.evidence.push(found);
    report.evidence.sort_by(|a, b| b.strength.total_cmp(&a.strength));
}

/// Whether a signature vouches for the block.
pub(super) fn vouches(report: &BlockReport) -> bool {
    report.evidence.iter().any(vouching)
}

fn vouching(found: &Evidence) -> bool {
    found.kind == EvidenceKind::Signature && found.points_to == PointsTo::Human && found.strength >= VOUCHES
}

fn evidence(checked: &Report, whole: bool) -> Evidence {
    let author = checked.statement.as_ref().map(|statement| &statement.author);
    let name = author.map_or_else(String::new, |author| author.name.clone());
    let identity = author.and_then(|author| author.identity.clone()).unwrap_or_default();
    let date = checked.statement.as_ref().map_or_else(String::new, |statement| {
        let time = statement.date.to_string();
        time.split_once('T').map_or(time.clone(), |(day, _)| day.to_owned())
    });
    let contact = checked.contact.clone().unwrap_or_default();
    let (found, total) = checked.paragraphs.as_ref().map_or((0, 0), |some| (some.found.len(), some.total));
    match checked.result {
        Outcome::Trusted | Outcome::Published if !whole => made(
            Code::Partly,
            PointsTo::Human,
            0.4,
            format!("A part of this text was signed on {date} by {name}; of the rest the signature says nothing."),
            [("author", name), ("date", date)],
        ),
        Outcome::Trusted if checked.own_key => made(
            Code::Own,
            PointsTo::Human,
            VOUCHES,
            format!("This text was signed on {date} with your own key “{contact}”."),
            [("contact", contact), ("date", date)],
        ),
        Outcome::Trusted => made(
            Code::Trusted,
            PointsTo::Human,
            VOUCHES,
            format!("This text was signed on {date} by {name}, with the key of your contact {contact}."),
            [("author", name), ("contact", contact), ("date", date)],
        ),
        Outcome::Published => made(
            Code::Published,
            PointsTo::Human,
            VOUCHES,
            format!("This text was signed on {date} by {name}, with a key that {identity} publishes."),
            [("author", name), ("identity", identity), ("date", date)],
        ),
        Outcome::Excerpt => made(
            Code::Excerpt,
            PointsTo::Human,
            0.4,
            format!("Here stand {found} of the {total} paragraphs of a text that {name} signed."),
            [("found", found.to_string()), ("total", total.to_string()), ("author", name)],
        ),
        Outcome::UnknownKey => {
            let of = if identity.is_empty() { String::new() } else { format!(" ({identity})") };
            made(
                Code::UnknownKey,
                PointsTo::Neither,
                0.3,
                format!("This text was signed on {date} under the name {name}{of}; whose key it is, is not known."),
                [("author", name), ("identity", identity), ("date", date)],
            )
        }
        Outcome::KeyChanged => made(
            Code::KeyChanged,
            PointsTo::Neither,
            0.5,
            format!(
                "This text was signed on {date} under the name {name}, but not with the key that {identity} was known by \
                 before."
            ),
            [("author", name), ("identity", identity), ("date", date)],
        ),
        Outcome::Expired => made(
            Code::Expired,
            PointsTo::Neither,
            0.3,
            format!("This text was signed on {date} under the name {name}, but the statement or its key is out of its time."),
            [("author", name), ("date", date)],
        ),
        Outcome::Revoked => made(
            Code::Revoked,
            PointsTo::Neither,
            0.5,
            format!("This text was signed on {date} under the name {name}, but the key has been revoked."),
            [("author", name), ("date", date)],
        ),
        Outcome::Altered => made(
            Code::Altered,
            PointsTo::Neither,
            0.5,
            "There is a signature for this text, but the words are not, or not only, those that were signed.".to_owned(),
            [],
        ),
        Outcome::Malformed => made(
            Code::Malformed,
            PointsTo::Neither,
            0.2,
            "Something that looks like an author's signature stands with this text, but it is not a good one.".to_owned(),
            [],
        ),
    }
}

fn made<const N: usize>(
    code: Code,
    points_to: PointsTo,
    strength: f64,
    message: String,
    values: [(&str, String); N],
) -> Evidence {
    Evidence {
        kind: EvidenceKind::Signature,
        code: code.as_str().to_owned(),
        strength,
        points_to,
        // A statement's places are those of the page, not of the block.
        span: None,
        message,
        values: BTreeMap::from(values.map(|(name, value)| (name.to_owned(), value))),
    }
}

#[cfg(test)]
mod tests;
