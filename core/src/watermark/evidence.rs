//! What is said of a mark that was found.

use super::find::Finding;
use crate::verdict::{Evidence, EvidenceKind, PointsTo, Span};
use std::collections::BTreeMap;

/// Above this a mark is not spoken of; one of a public key not above [`FOUND`], for it would only be a hint of a hint.
pub const WEAK: f64 = 1e-4;
/// Below this a mark counts as found.
pub const FOUND: f64 = 1e-6;

/// A private key's mark was found. `key`, `who`, `scheme`, `p`, `z`, `tokens`, `keys`.
pub const CODE_PRIVATE: &str = "watermark";
/// A mark was found whose key anyone can know. The same values.
pub const CODE_PUBLIC: &str = "watermark_public";
/// There may be a private key's mark. The same values.
pub const CODE_WEAK: &str = "watermark_weak";

/// A key, and what was found with it.
#[derive(Debug, Clone, Copy)]
pub struct Mark<'a> {
    /// The key's name.
    pub key: &'a str,
    /// Who marks texts with it.
    pub who: Option<&'a str>,
    /// Whether anyone could know it.
    pub public: bool,
    /// The scheme's name.
    pub scheme: &'a str,
    /// What was found.
    pub finding: &'a Finding,
    /// Keys that were looked for in this text.
    pub keys: usize,
    /// Whether the scheme weighs tokens by entropies that were not at hand.
    pub unweighted: bool,
    /// The stretch in the block.
    pub span: Span,
}

impl Mark<'_> {
    /// The p-value, corrected for the keys too.
    #[must_use]
    pub fn p(&self) -> f64 {
        (self.finding.p * self.keys as f64).min(1.0)
    }

    /// Whether this alone declares the stretch to be a model's.
    #[must_use]
    pub fn declares(&self) -> bool {
        !self.public && self.p() < FOUND
    }

    /// The evidence; `None` if chance does as well too often.
    #[must_use]
    pub fn evidence(&self) -> Option<Evidence> {
        let p = self.p();
        let least = if self.public { FOUND } else { WEAK };
        if p >= least || p.is_nan() {
            return None;
        }
        let Self { key, scheme, finding, keys, .. } = self;
        let whose = self.who.map(|who| format!(" ({who})")).unwrap_or_default();
        let tokens = finding.scored;
        let chance = format!("chance makes as much of at most {} unmarked texts", one_in(p));
        let how =
            if self.unweighted { ", all counted the same for want of the model's entropies" } else { "" };
        let measured = format!("{tokens} tokens, z = {:.1}, {keys} keys tried{how}", finding.z);
        let (code, strength, message) = if p >= FOUND {
            let message = format!(
                "There may be the watermark of the key \"{key}\"{whose}: {chance} ({measured}). That is too often to rely on."
            );
            (CODE_WEAK, 0.2, message)
        } else if self.public {
            let message = format!(
                "This carries the watermark of the key \"{key}\"{whose}: {chance} ({measured}). The key is public, so \
                 anyone can make this mark: it hints at a model, and declares nothing."
            );
            (CODE_PUBLIC, 0.6, message)
        } else {
            let message =
                format!("This carries the watermark of the key \"{key}\"{whose}: {chance} ({measured}).");
            (CODE_PRIVATE, 1.0, message)
        };
        let values = [
            ("key", (*key).to_owned()),
            ("who", self.who.unwrap_or_default().to_owned()),
            ("scheme", (*scheme).to_owned()),
            ("p", format!("{p:.1e}")),
            ("one_in", one_in(p)),
            ("z", format!("{:.1}", finding.z)),
            ("tokens", tokens.to_string()),
            ("keys", keys.to_string()),
        ];
        Some(Evidence {
            kind: EvidenceKind::Watermark,
            code: code.to_owned(),
            strength,
            points_to: PointsTo::Ai,
            span: Some(self.span),
            message,
            values: values
                .map(|(name, value)| (name.to_owned(), value))
                .into_iter()
                .collect::<BTreeMap<_, _>>(),
        })
    }
}

/// A small share as people read it: 1 in a round number.
fn one_in(p: f64) -> String {
    let exponent = -p.max(1e-300).log10();
    match exponent {
        ..6.0 => format!("1 in {:.0}", (1.0 / p).floor()),
        6.0..9.0 => format!("1 in {:.0} million", (1e-6 / p).floor()),
        9.0..12.0 => format!("1 in {:.0} billion", (1e-9 / p).floor()),
        _ => format!("1 in 10^{}", exponent.floor()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn finding(p: f64) -> Finding {
        Finding { p, z: 7.0, scored: 100, value: 0.6, expected: 0.25, tokens: 0..100, windows: 1 }
    }

    fn mark(finding: &Finding, public: bool) -> Mark<'_> {
        let span = Span { start: 0, end: 400 };
        Mark {
            key: "acme",
            who: Some("Acme"),
            public,
            scheme: "kgw",
            finding,
            keys: 10,
            unweighted: false,
            span,
        }
    }

    #[test]
    fn only_a_private_key_declares() {
        let found = finding(1e-8);
        assert!(mark(&found, false).declares() && !mark(&found, true).declares());
        assert_eq!(mark(&found, false).evidence().unwrap().code, CODE_PRIVATE);
        let public = mark(&found, true).evidence().unwrap();
        assert!(public.code == CODE_PUBLIC && public.strength < 1.0 && public.message.contains("anyone"));
    }

    #[test]
    fn the_number_of_keys_is_paid_for() {
        let found = finding(5e-7);
        assert!(!mark(&found, false).declares());
        assert_eq!(mark(&found, false).evidence().unwrap().code, CODE_WEAK);
        assert!(mark(&finding(1e-4), false).evidence().is_none());
        assert!(mark(&found, true).evidence().is_none());
        assert!(mark(&finding(f64::NAN), false).evidence().is_none());
    }

    #[test]
    fn shares_are_readable() {
        assert_eq!(one_in(1e-4), "1 in 10000");
        assert_eq!(one_in(2.5e-7), "1 in 4 million");
        assert_eq!(one_in(1.1e-33), "1 in 10^32");
        assert_eq!(one_in(0.0), "1 in 10^300");
    }
}
