//! C2PA's manifests in text: the hidden wrapper of unstructured text and the armoured block of structured text.
//!
//! "Embedding manifests into unstructured text" (C2PA 2.3, A.7; 2.4, A.8) puts a manifest store at the end of a text as
//! U+FEFF and a run of variation selectors, a byte each: the magic `C2PATXT` and a zero byte, version 1, the length as
//! four bytes, the most significant first, then the store in JUMBF. Selectors after it are padding. "Structured text"
//! (2.4, A.9) has `-----BEGIN C2PA MANIFEST-----`, a URL or a `data:` URL, and `-----END C2PA MANIFEST-----`.
//!
//! Neither the signature of a manifest nor its hash of the text is checked here: that takes certificates and trust lists.
//! The source types are found by a search for IPTC's URLs among the bytes of the store, those of ingredients too. So a
//! manifest is a declaration here, like a line that says the same, and messages say so; and it declares only if it ends the
//! text, as the specification wants, and all the source types in it agree.
//!
//! The two crates for the wrapper are not used. `c2pa-text` finds one wrapper at most, and unwraps; on WASM
//! `c2pa-unstructured-text` brings `wasm-bindgen` and exports functions of its own. Both are new, and what is needed is
//! forty lines. `c2pa` itself, which does check signatures, is far too large for a browser extension.

use super::place::{Ground, is_indented};
use super::source::{self, SourceType};
use crate::text::hidden::{byte_of, is_selector, selector_of};
use crate::verdict::Span;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::ops::Range;

const MARKER: char = '\u{FEFF}';
const MAGIC: &[u8; 8] = b"C2PATXT\0";
const VERSION: u8 = 1;
/// Magic, version, length.
const HEADER: usize = 13;
/// The type of the description box of a C2PA manifest store.
const STORE_TYPE: [u8; 16] =
    [0x63, 0x32, 0x70, 0x61, 0, 0x11, 0, 0x10, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];
const BEGIN: &str = "-----BEGIN C2PA MANIFEST-----";
const END: &str = "-----END C2PA MANIFEST-----";
const DATA: &str = "data:application/c2pa;base64,";
/// Longest armoured block; a real one is a line.
const LONGEST_ARMOUR: usize = 16 << 20;

/// Why a manifest can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Damage {
    /// It ends within the header.
    Header,
    /// A version that is not 1.
    Version,
    /// It is shorter than it says.
    Truncated,
    /// The armoured block has no end or no `data:` URL that can be decoded.
    Armour,
    /// What is inside is no C2PA manifest store.
    NotAStore,
}

impl Damage {
    /// A stable name for programs and translators.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Version => "version",
            Self::Truncated => "truncated",
            Self::Armour => "armour",
            Self::NotAStore => "not_a_store",
        }
    }
}

/// What a carrier holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A manifest store.
    Store(Vec<u8>),
    /// Where a manifest store is kept. Nothing is fetched.
    Reference(String),
    /// Nothing that can be read.
    Damaged(Damage),
}

/// A manifest in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Where it stands, in code points.
    pub span: Span,
    /// Where it stands, in bytes.
    pub bytes: Range<usize>,
    /// It is hidden, in variation selectors.
    pub hidden: bool,
    /// What it holds.
    pub content: Content,
}

impl Manifest {
    /// The digital source types that the store names, wherever in it, the most telling first.
    #[must_use]
    pub fn source_types(&self) -> Vec<SourceType> {
        match &self.content {
            Content::Store(bytes) => source::search(bytes),
            _ => Vec::new(),
        }
    }

    /// Whether it is the text's own: nothing but space follows, and it is no example.
    pub(super) fn ends(&self, text: &str, ground: &Ground<'_>) -> bool {
        let followed = text.get(self.bytes.end..).is_some_and(|rest| !rest.trim_start().is_empty());
        !followed && (self.hidden || self.opens_line(text)) && !ground.shown(&self.bytes)
    }

    /// Whether at most signs of a comment stand before it in its line: no words, no quotation, no code.
    fn opens_line(&self, text: &str) -> bool {
        let line = text.get(..self.bytes.start).and_then(|before| before.rsplit('\n').next());
        let opens = |c: char| c.is_whitespace() || "#/%;\u{FEFF}".contains(c);
        line.is_some_and(|line| line.chars().all(opens) && !is_indented(line))
    }
}

/// All manifests in a text, the hidden ones first.
#[must_use]
pub fn find(text: &str) -> Vec<Manifest> {
    let mut found = Vec::new();
    let mut places = Places::new(text);
    let mut from = 0;
    while let Some(start) = text[from..].find(MARKER).map(|at| from + at) {
        let run = start + MARKER.len_utf8();
        let (mut bytes, mut end) = (Vec::new(), run);
        for c in text[run..].chars().take_while(|&c| is_selector(c)) {
            bytes.extend(byte_of(c));
            end += c.len_utf8();
        }
        if bytes.starts_with(MAGIC) {
            let content = unwrap(&bytes);
            found.push(Manifest { span: places.span(start..end), bytes: start..end, hidden: true, content });
        }
        from = end;
    }
    armoured(text, &mut found);
    found
}

fn unwrap(bytes: &[u8]) -> Content {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else {
        return Content::Damaged(Damage::Header);
    };
    if header[8] != VERSION {
        return Content::Damaged(Damage::Version);
    }
    let length = u32::from_be_bytes([header[9], header[10], header[11], header[12]]);
    match usize::try_from(length).ok().and_then(|length| rest.get(..length)) {
        None => Content::Damaged(Damage::Truncated),
        Some(store) => checked(store.to_vec()),
    }
}

/// A store begins with a JUMBF superbox of its length whose description says that it is C2PA's.
fn checked(store: Vec<u8>) -> Content {
    let length = store.first_chunk::<4>().map(|length| u32::from_be_bytes(*length));
    let fits = length.and_then(|length| usize::try_from(length).ok()).is_some_and(|length| {
        // 0: to the end; 1: a long length follows.
        length == store.len() || length <= 1
    });
    let described = store.get(4..8) == Some(b"jumb")
        && store.windows(20).take(32).any(|window| window[..4] == *b"jumd" && window[4..] == STORE_TYPE);
    if fits && described { Content::Store(store) } else { Content::Damaged(Damage::NotAStore) }
}

fn armoured(text: &str, found: &mut Vec<Manifest>) {
    let mut places = Places::new(text);
    let mut from = 0;
    while let Some(start) = text[from..].find(BEGIN).map(|at| from + at) {
        let inside = start + BEGIN.len();
        // An end that belongs to a later block ends nothing here.
        let next = text[inside..].find(BEGIN).map_or(text.len(), |at| inside + at);
        let end = text[inside..next].find(END).map(|at| inside + at);
        let past = end.map_or(inside, |end| end + END.len());
        let reference = end.map(|end| text[inside..end].trim());
        let content = match reference {
            Some(reference) if reference.len() <= LONGEST_ARMOUR => read_reference(reference),
            _ => Content::Damaged(Damage::Armour),
        };
        found.push(Manifest { span: places.span(start..past), bytes: start..past, hidden: false, content });
        from = past;
    }
}

fn read_reference(reference: &str) -> Content {
    if let Some(data) = reference.strip_prefix(DATA) {
        let data: String = data.chars().filter(|c| !c.is_whitespace()).collect();
        return STANDARD.decode(data).map_or(Content::Damaged(Damage::Armour), checked);
    }
    let is_url = reference.starts_with("https://") || reference.starts_with("http://");
    if is_url && !reference.contains(char::is_whitespace) {
        Content::Reference(reference.to_owned())
    } else {
        Content::Damaged(Damage::Armour)
    }
}

/// The hidden wrapper of a manifest store, to be put at the end of a text; `None` if the store is too long for one.
#[must_use]
pub fn wrap(store: &[u8]) -> Option<String> {
    let length = u32::try_from(store.len()).ok()?;
    let header = MAGIC.iter().copied().chain([VERSION]).chain(length.to_be_bytes());
    let bytes = header.chain(store.iter().copied());
    Some(std::iter::once(MARKER).chain(bytes.map(selector_of)).collect())
}

/// Turns places in bytes into places in code points, in one pass.
struct Places<'a> {
    text: &'a str,
    byte: usize,
    code_point: usize,
}

impl<'a> Places<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, byte: 0, code_point: 0 }
    }

    /// Ranges must come in order.
    fn span(&mut self, bytes: Range<usize>) -> Span {
        Span { start: self.advance(bytes.start), end: self.advance(bytes.end) }
    }

    fn advance(&mut self, byte: usize) -> usize {
        if byte > self.byte {
            self.code_point += self.text.get(self.byte..byte).map_or(0, |between| between.chars().count());
            self.byte = byte;
        }
        self.code_point
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::declared::source::Origin;
    use proptest::prelude::*;

    /// The least that passes for a manifest store, with a source type in it.
    pub(in crate::declared) fn store(term: &str) -> Vec<u8> {
        let mut inside = vec![0, 0, 0, 38];
        inside.extend(b"jumd");
        inside.extend(STORE_TYPE);
        inside.push(3);
        inside.extend(b"c2pa\0.....");
        inside.extend(b"http");
        inside.extend(source::IPTC.as_bytes());
        inside.extend(term.as_bytes());
        inside.push(b'd');
        let mut store = u32::try_from(inside.len() + 8).unwrap().to_be_bytes().to_vec();
        store.extend(b"jumb");
        store.extend(inside);
        store
    }

    fn contents(text: &str) -> Vec<Content> {
        find(text).into_iter().map(|manifest| manifest.content).collect()
    }

    /// By hand from the specification: each byte below 16 is U+FE00 and on, each other U+E0100 and on, less 16.
    #[test]
    fn the_wrapper_has_the_specified_characters() {
        let expected = "\u{FEFF}\u{E0133}\u{E0122}\u{E0140}\u{E0131}\u{E0144}\u{E0148}\u{E0144}\u{FE00}\u{FE01}\u{FE00}\u{FE00}\
            \u{FE00}\u{FE04}\u{E01CE}\u{E019D}\u{E01AE}\u{E01DF}";
        assert_eq!(wrap(&[0xDE, 0xAD, 0xBE, 0xEF]).unwrap(), expected);
    }

    #[test]
    fn a_wrapped_store_is_found_where_it_stands() {
        let store = store("trainedAlgorithmicMedia");
        let text = format!("漢字 text.{}\u{FE00}\u{FE00}", wrap(&store).unwrap());
        let found = find(&text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].content, Content::Store(store.clone()));
        assert_eq!(found[0].span, Span { start: 8, end: 8 + 1 + 13 + store.len() + 2 });
        assert_eq!(found[0].source_types()[0].origin, Origin::Generated);
        assert_eq!(&text[found[0].bytes.clone()], &text[12..]);
    }

    #[test]
    fn says_what_is_wrong() {
        let whole: Vec<char> = wrap(&store("humanEdits")).unwrap().chars().collect();
        let cut = |length: usize| contents(&whole[..length].iter().collect::<String>());
        assert_eq!(cut(8), []);
        assert_eq!(cut(9), [Content::Damaged(Damage::Header)]);
        assert_eq!(cut(whole.len() - 1), [Content::Damaged(Damage::Truncated)]);
        let mut other = whole.clone();
        other[9] = selector_of(2);
        assert_eq!(contents(&other.iter().collect::<String>()), [Content::Damaged(Damage::Version)]);
        assert_eq!(contents(&wrap(b"anything").unwrap()), [Content::Damaged(Damage::NotAStore)]);
        assert_eq!(contents("no wrapper \u{FEFF} here \u{FEFF}\u{FE00}\u{FE01}"), []);
    }

    #[test]
    fn the_armour_is_read() {
        let store = store("digitalCapture");
        let text = format!("# {BEGIN} {DATA}{} {END}\nprint()", STANDARD.encode(&store));
        assert_eq!(contents(&text), [Content::Store(store)]);
        let text = format!("---\n{BEGIN}\nhttps://example.com/a.c2pa\n{END}\n---\nText");
        assert_eq!(contents(&text), [Content::Reference("https://example.com/a.c2pa".into())]);
        assert_eq!(find(&text)[0].span, Span { start: 4, end: 4 + 29 + 28 + 27 });
        for broken in ["", "ftp://a", "data:application/c2pa;base64,&&&", "two words"] {
            let text = format!("{BEGIN} {broken} {END}");
            assert_eq!(contents(&text), [Content::Damaged(Damage::Armour)], "{broken}");
        }
        assert_eq!(contents(&format!("{BEGIN} https://a.example/b and no end")).len(), 1);
    }

    proptest! {
        #[test]
        fn what_is_wrapped_is_unwrapped(text in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut inside = store("x");
            inside.extend(bytes);
            let length = u32::try_from(inside.len()).unwrap().to_be_bytes();
            inside[..4].copy_from_slice(&length);
            let wrapped = format!("{text}{}", wrap(&inside).unwrap());
            let found = find(&wrapped);
            let last = found.iter().rfind(|manifest| manifest.hidden).unwrap();
            prop_assert_eq!(&last.content, &Content::Store(inside));
            prop_assert_eq!(last.span.end, wrapped.chars().count());
        }

        #[test]
        fn any_run_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..60), text in "\\PC{0,20}") {
            let run: String = MAGIC.iter().chain(&bytes).map(|&byte| selector_of(byte)).collect();
            let _ = find(&format!("{text}\u{FEFF}{run}{text}{BEGIN}{text}{END}{BEGIN}"));
        }
    }
}
