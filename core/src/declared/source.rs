//! IPTC's vocabulary of digital source types: where something digital comes from.
//!
//! Schema.org has the same words with `DigitalSource` at the end, C2PA and IPTC have them as URLs.

/// What a digital source type says of who made it, the most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A trained model made it.
    Generated,
    /// A trained model made parts of it.
    Composite,
    /// People or their instruments made it.
    Other,
}

/// A digital source type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SourceType {
    /// Its name in IPTC's vocabulary.
    pub term: &'static str,
    /// What it says.
    pub origin: Origin,
}

/// The beginning of IPTC's URLs, without the scheme, which is written both ways.
pub(super) const IPTC: &str = "://cv.iptc.org/newscodes/digitalsourcetype/";

/// The terms that are told apart. Where one begins another the longer stands first.
const TERMS: &[(&str, Origin)] = &[
    ("compositeWithTrainedAlgorithmicMedia", Origin::Composite),
    ("trainedAlgorithmicMedia", Origin::Generated),
    ("algorithmicallyEnhanced", Origin::Other),
    ("algorithmicMedia", Origin::Other),
    ("compositeSynthetic", Origin::Composite),
    ("compositeCapture", Origin::Other),
    ("computationalCapture", Origin::Other),
    ("dataDrivenMedia", Origin::Other),
    ("digitalArt", Origin::Other),
    ("digitalCapture", Origin::Other),
    ("digitalCreation", Origin::Other),
    ("humanEdits", Origin::Other),
    ("minorHumanEdits", Origin::Other),
    ("multiFrame", Origin::Other),
    ("negativeFilm", Origin::Other),
    ("positiveFilm", Origin::Other),
    ("print", Origin::Other),
    ("screenCapture", Origin::Other),
    ("softwareImage", Origin::Other),
    ("virtualRecording", Origin::Other),
];

/// The source type that a value names: a term, IPTC's URL or schema.org's, with any prefix.
#[must_use]
pub fn parse(value: &str) -> Option<SourceType> {
    let name = value.trim().trim_end_matches('/');
    let name = name.rsplit(['/', ':', '#']).next().unwrap_or(name);
    let name = name.strip_suffix("DigitalSource").unwrap_or(name);
    TERMS
        .iter()
        .find(|(term, _)| term.eq_ignore_ascii_case(name))
        .map(|&(term, origin)| SourceType { term, origin })
}

/// The source types whose URLs stand somewhere in bytes, each once, the most telling first.
///
/// What follows a URL in CBOR may be a letter too, so that only the beginning of a term is compared.
pub(super) fn search(bytes: &[u8]) -> Vec<SourceType> {
    let url = IPTC.as_bytes();
    let places = bytes.windows(url.len()).enumerate().filter(|(_, window)| *window == url);
    let mut found: Vec<SourceType> = Vec::new();
    for (at, _) in places {
        let rest = bytes.get(at + url.len()..).unwrap_or_default();
        if let Some(&(term, origin)) = TERMS.iter().find(|(term, _)| rest.starts_with(term.as_bytes()))
            && !found.iter().any(|known| known.term == term)
        {
            found.push(SourceType { term, origin });
        }
    }
    found.sort_by_key(|source| source.origin);
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn all_spellings_are_read() {
        for value in [
            "trainedAlgorithmicMedia",
            "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
            "https://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia/",
            "https://schema.org/TrainedAlgorithmicMediaDigitalSource",
            "schema:TrainedAlgorithmicMediaDigitalSource",
        ] {
            assert_eq!(parse(value).unwrap().origin, Origin::Generated, "{value}");
        }
        assert_eq!(
            parse("CompositeWithTrainedAlgorithmicMediaDigitalSource").unwrap().origin,
            Origin::Composite
        );
        assert_eq!(parse("digsrctype:humanEdits").unwrap().origin, Origin::Other);
        assert_eq!(parse("algorithmicMedia").unwrap().origin, Origin::Other);
        assert_eq!(parse("something"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn a_search_has_the_most_telling_first_and_heeds_the_end() {
        let bytes = b"..http://cv.iptc.org/newscodes/digitalsourcetype/humanEditsdfoo\
            \x78\x46http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMediafaction";
        let terms: Vec<&str> = search(bytes).iter().map(|source| source.term).collect();
        assert_eq!(terms, ["trainedAlgorithmicMedia", "humanEdits"]);
        assert_eq!(search(b"http://cv.iptc.org/newscodes/digitalsourcetype/unheardOf"), []);
        assert_eq!(search(b"trainedAlgorithmicMedia"), []);
    }
}
