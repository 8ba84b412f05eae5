//! The machine-readable label of China's GB 45438-2025: a field `AIGC` in the metadata of a file, JSON of seven strings.
//!
//! The standard speaks of files that have metadata. Services that export Markdown carry the same field as YAML front matter,
//! and so does [`Aigc::front_matter`]; a line `AIGC: {…}`, the bare JSON object and YAML at the end of a text are read too.

use super::place::Ground;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What the label says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attribute {
    /// 1: it is generated.
    Generated,
    /// 2: it may be.
    Possible,
    /// 3: it is suspected to be.
    Suspected,
}

/// The field `AIGC`. All values are strings; what is not known is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Aigc {
    /// `1`: generated, `2`: perhaps, `3`: suspected.
    pub label: String,
    /// Name or code of the service that generated it.
    pub content_producer: String,
    /// That service's number for the content.
    #[serde(rename = "ProduceID")]
    pub produce_id: String,
    /// For the producer's own protection of the label, such as a signature.
    pub reserved_code1: String,
    /// Name or code of the service that spreads it.
    pub content_propagator: String,
    /// That service's number for the content.
    #[serde(rename = "PropagateID")]
    pub propagate_id: String,
    /// For the propagator's own protection.
    pub reserved_code2: String,
}

/// How a label stands in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// A field of the front matter, which speaks for all of the text.
    Head,
    /// It begins or ends the text, on lines of its own, and names a producer or a number.
    Edge,
    /// The same without anything that an example would not have.
    Bare,
    /// It stands elsewhere and may be an example.
    Inside,
}

/// A label in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The label.
    pub aigc: Aigc,
    /// Where it stands, in bytes.
    pub bytes: Range<usize>,
    /// How it stands.
    pub standing: Standing,
}

const NAMES: [&str; 7] = [
    "Label",
    "ContentProducer",
    "ProduceID",
    "ReservedCode1",
    "ContentPropagator",
    "PropagateID",
    "ReservedCode2",
];
/// Longest label that is read, in bytes; signatures in it have a few hundred.
const LONGEST: usize = 8192;
/// Most places that are looked at.
const MOST: usize = 50;

impl Aigc {
    /// What it says; `None` for a label without a known value.
    #[must_use]
    pub fn attribute(&self) -> Option<Attribute> {
        match self.label.trim() {
            // Some services write the name of the field as its value.
            "1" | "AIGC" => Some(Attribute::Generated),
            "2" => Some(Attribute::Possible),
            "3" => Some(Attribute::Suspected),
            _ => None,
        }
    }

    fn fields(&self) -> [(&'static str, &str); 7] {
        let values = [
            &self.label,
            &self.content_producer,
            &self.produce_id,
            &self.reserved_code1,
            &self.content_propagator,
            &self.propagate_id,
            &self.reserved_code2,
        ];
        let mut fields = [("", ""); 7];
        for (field, (name, value)) in fields.iter_mut().zip(NAMES.into_iter().zip(values)) {
            *field = (name, value.as_str());
        }
        fields
    }

    /// Whether it says nothing but what it labels.
    fn is_bare(&self) -> bool {
        self.fields().iter().skip(1).all(|(_, value)| value.trim().is_empty())
    }

    fn set(&mut self, name: &str, value: &str) {
        let field = match name {
            "Label" => &mut self.label,
            "ContentProducer" => &mut self.content_producer,
            "ProduceID" => &mut self.produce_id,
            "ReservedCode1" => &mut self.reserved_code1,
            "ContentPropagator" => &mut self.content_propagator,
            "PropagateID" => &mut self.propagate_id,
            "ReservedCode2" => &mut self.reserved_code2,
            _ => return,
        };
        value.clone_into(field);
    }

    /// As the standard has it in the metadata of a file: `{"AIGC":{"Label":"1",…}}`.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::json!({ "AIGC": self }).to_string()
    }

    /// The lines of YAML front matter, without the lines of dashes. Each value is a JSON string, which YAML reads too.
    #[must_use]
    pub fn front_matter(&self) -> String {
        let lines =
            self.fields().map(|(name, value)| format!("  {name}: {}\n", serde_json::Value::from(value)));
        format!("AIGC:\n{}", lines.concat())
    }

    /// Reads JSON: the object with the field, or the value of the field, also as a string.
    #[must_use]
    pub fn from_json(json: &str) -> Option<Self> {
        if json.len() > LONGEST {
            return None;
        }
        let value: serde_json::Value = serde_json::from_str(json.trim()).ok()?;
        let field = value.get("AIGC").unwrap_or(&value);
        let object = match field {
            serde_json::Value::String(inside) => return Self::from_json(inside),
            other => other.as_object()?,
        };
        let mut aigc = Self::default();
        for (name, value) in object {
            match value {
                serde_json::Value::String(value) => aigc.set(name, value),
                serde_json::Value::Number(value) => aigc.set(name, &value.to_string()),
                _ => {}
            }
        }
        (aigc != Self::default()).then_some(aigc)
    }
}

/// The front matter of a text, between its two lines of dashes, in bytes.
#[must_use]
pub fn front_matter(text: &str) -> Option<Range<usize>> {
    let skipped = text.len() - text.trim_start_matches('\u{FEFF}').len();
    let first = text[skipped..].split_inclusive('\n').next().filter(|line| line.trim_end() == "---")?;
    let start = skipped + first.len();
    let mut at = start;
    for line in text[start..].split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some(start..at);
        }
        at += line.len();
        if at - start > 2 * LONGEST {
            return None;
        }
    }
    None
}

/// Where a text begins after its front matter, in bytes.
pub(super) fn body(text: &str) -> usize {
    let end = |head: Range<usize>| text[head.end..].find('\n').map_or(text.len(), |at| head.end + at + 1);
    front_matter(text).map_or(0, end)
}

/// All labels in a text.
#[must_use]
pub fn find(text: &str) -> Vec<Found> {
    let head = front_matter(text);
    let ground = Ground::new(text);
    let mut found: Vec<Found> = Vec::new();
    for (at, _) in text.match_indices("AIGC").take(MOST) {
        if found.last().is_some_and(|last| at < last.bytes.end) {
            continue;
        }
        let Some((aigc, bytes)) = yaml(text, at).or_else(|| object(text, at)) else { continue };
        let in_head = head.as_ref().is_some_and(|head| head.contains(&bytes.start));
        let is_field = bytes.start == 0 || text[..bytes.start].ends_with('\n');
        let standing = if in_head && is_field {
            Standing::Head
        } else if in_head || !ground.speaks(&bytes) || !ground.has_lines(&bytes) {
            Standing::Inside
        } else if aigc.is_bare() {
            Standing::Bare
        } else {
            Standing::Edge
        };
        found.push(Found { aigc, bytes, standing });
    }
    found
}

/// `AIGC:` at the start of a line, with a JSON value on it or with indented fields below.
fn yaml(text: &str, at: usize) -> Option<(Aigc, Range<usize>)> {
    let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    if !text[line_start..at].trim_matches(['\u{FEFF}', ' ']).is_empty() {
        return None;
    }
    let rest = text[at..].strip_prefix("AIGC:")?;
    let begin = text.len() - rest.len();
    let (value, below) = rest.split_once('\n').unwrap_or((rest, ""));
    let value = value.trim();
    if !value.is_empty() {
        let aigc = Aigc::from_json(value).or_else(|| Aigc::from_json(&unquoted(value)))?;
        let end = begin + rest.split('\n').next().map_or(0, |line| line.trim_end().len());
        return Some((aigc, at..end));
    }
    let mut aigc = Aigc::default();
    let mut end = begin;
    let mut line_at = text.len() - below.len();
    for line in below.split_inclusive('\n') {
        let field = line.starts_with([' ', '\t']).then(|| line.trim().split_once(':')).flatten();
        let Some((name, value)) = field.filter(|(name, _)| NAMES.contains(name)) else { break };
        aigc.set(name, &unquoted(value.trim()));
        end = line_at + line.trim_end().len();
        line_at += line.len();
        if line_at - at > LONGEST {
            return None;
        }
    }
    (aigc != Aigc::default()).then_some((aigc, at..end))
}

/// A value of YAML without its quotation marks.
fn unquoted(value: &str) -> String {
    if value.starts_with('"') {
        serde_json::from_str(value).unwrap_or_else(|_| value.trim_matches('"').to_owned())
    } else if let Some(inside) = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        inside.replace("''", "'")
    } else {
        value.to_owned()
    }
}

/// `{"AIGC": …}` around the name.
fn object(text: &str, at: usize) -> Option<(Aigc, Range<usize>)> {
    let before = text[..at].strip_suffix('"')?.trim_end();
    let start = before.strip_suffix('{')?.len();
    let mut limit = text.len().min(start + LONGEST);
    while !text.is_char_boundary(limit) {
        limit -= 1;
    }
    let mut values = serde_json::Deserializer::from_str(&text[start..limit]).into_iter::<serde_json::Value>();
    values.next()?.ok()?;
    let end = start + values.byte_offset();
    Some((Aigc::from_json(&text[start..end])?, start..end))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    const JSON: &str = r#"{"AIGC":{"Label":"1","ContentProducer":"001","ProduceID":"42","ReservedCode1":"a","ContentPropagator":"002","PropagateID":"43","ReservedCode2":"b"}}"#;

    fn only(text: &str) -> Found {
        let mut found = find(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        found.remove(0)
    }

    #[test]
    fn json_comes_and_goes_in_the_order_of_the_standard() {
        let aigc = Aigc::from_json(JSON).unwrap();
        assert_eq!((aigc.attribute(), aigc.produce_id.as_str()), (Some(Attribute::Generated), "42"));
        let written = aigc.json();
        assert_eq!(Aigc::from_json(&written), Some(aigc));
        assert_eq!(Aigc::from_json(r#"{"Label":2}"#).unwrap().attribute(), Some(Attribute::Possible));
        assert_eq!(
            Aigc::from_json(r#"{"AIGC":"{\"Label\":\"3\"}"}"#).unwrap().attribute(),
            Some(Attribute::Suspected)
        );
        for none in ["", "[]", "{}", r#"{"AIGC":{}}"#, r#"{"AIGC":1}"#, r#"{"a":"b"}"#] {
            assert_eq!(Aigc::from_json(none), None, "{none}");
        }
    }

    #[test]
    fn labels_stand_in_the_head_at_an_edge_or_inside() {
        let yaml = "---\nAIGC:\n  ContentProducer: '001'\n  Label: '1'\n---\n\n# Title\n\nText";
        let also = "---\ntitle: A\nAIGC: '{\"Label\":\"1\"}'\n---\nText";
        let end = "Text\n\nAIGC:\n    Label: \"1\"\n    ContentProducer: 001\n";
        let line = "Text\nAIGC: {\"Label\":\"1\",\"ProduceID\":\"7\"}";
        let bare = r#"{"AIGC":{"Label":"1","ProduceID":" "}}"#;
        for (text, standing) in [
            (yaml, Standing::Head),
            (also, Standing::Head),
            (end, Standing::Edge),
            (line, Standing::Edge),
            (JSON, Standing::Edge),
            (&format!("{JSON}\nText"), Standing::Edge),
            (&format!("Text\n  {JSON}\n\n"), Standing::Edge),
            (&format!("Text\n{bare}"), Standing::Bare),
            (&format!("{bare}\n\nText"), Standing::Bare),
            ("Text\nAIGC:\n  Label: 1", Standing::Bare),
            (&format!("Article\n\n```\n{JSON}\n```\n\nMore."), Standing::Inside),
            (&format!("Article\n\n```\n{JSON}"), Standing::Inside),
            (&format!("The field looks like this:\n\n{JSON}"), Standing::Inside),
            (&format!("Text\n\n    {JSON}"), Standing::Inside),
            (&format!("Text {JSON}"), Standing::Inside),
            (&format!("{JSON} is what the standard wants."), Standing::Inside),
            (&format!("---\nexample: {JSON}\n---\nText"), Standing::Inside),
            ("---\nnotes: |\n  AIGC:\n    Label: 1\n---\nText", Standing::Inside),
        ] {
            let found = only(text);
            assert_eq!(
                (found.aigc.attribute(), found.standing),
                (Some(Attribute::Generated), standing),
                "{text}"
            );
        }
        let inside = format!("Article\n\n```\n{JSON}\n```\n\nMore.");
        assert_eq!(&inside[only(&inside).bytes], JSON);
        assert_eq!(only(r#"a {"AIGC":{"Label":"value1"}} b"#).aigc.attribute(), None);
    }

    #[test]
    fn the_word_alone_is_no_label() {
        for text in
            ["AIGC is short for it.", "AIGC: what it is", "AIGC:\nLabel: 1", "{\"AIGC", "---\nAIGC:\n---\n"]
        {
            assert_eq!(find(text), [], "{text}");
        }
    }

    proptest! {
        #[test]
        fn front_matter_is_read_again(values in prop::array::uniform7(any::<String>()), text in any::<String>()) {
            let mut aigc = Aigc::default();
            for (name, value) in NAMES.into_iter().zip(&values) {
                aigc.set(name, value);
            }
            aigc.label = "1".into();
            let marked = format!("---\n{}---\n{text}", aigc.front_matter());
            let found = find(&marked).remove(0);
            prop_assert_eq!(found.standing, Standing::Head);
            prop_assert_eq!(found.aigc, aigc);
        }

        #[test]
        fn any_text_is_read(parts in prop::collection::vec(prop_oneof![
            any::<String>(),
            prop::sample::select(vec!["AIGC", ":", "\n", "{\"", "\":", "{\"AIGC\":{\"Label\":\"1\"}}", "  Label: ", "---\n", "'"])
                .prop_map(str::to_owned),
        ], 0..20)) {
            let text = parts.concat();
            for found in find(&text) {
                prop_assert!(text.get(found.bytes).is_some());
            }
        }
    }
}
