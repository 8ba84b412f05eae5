//! A page, a file or a message with the statements in it (SPEC.md, sections 5 and 6).
//!
//! Whoever walks over a document tells a [`PageBuilder`] what it finds, in document order: the server over parsed HTML,
//! the extension over the live page.

use super::canonical::{Builder, Stream};
use super::carrier::token::{self, Token};
use super::carrier::{Carrier, CarrierError, Signed, armour};
use super::search::Scope;
use std::ops::Range;

/// The most carriers that are looked at in one page.
pub const MAX_CARRIERS: usize = 2000;
/// The deepest quoting in plain text that is looked into.
const MAX_QUOTES: usize = 8;
/// Spaces that may stand before a quote mark (CommonMark).
const MAX_INDENT: usize = 3;

/// A carrier that was found.
#[derive(Debug, Clone)]
pub struct Find {
    /// What sort of carrier.
    pub carrier: Carrier,
    /// Which part of the page it speaks of.
    pub scope: Scope,
    /// What is in it.
    pub content: Content,
}

/// What is in a carrier.
#[derive(Debug, Clone)]
pub enum Content {
    /// A statement, or what is wrong with it.
    Signed(Box<Result<Signed, CarrierError>>),
    /// A token, or what is wrong with it.
    Token(Box<Result<Token, CarrierError>>),
}

/// A text with the statements in it.
#[derive(Debug, Clone)]
pub struct Page {
    /// The text, without its carriers.
    pub stream: Stream,
    /// The carriers.
    pub finds: Vec<Find>,
    /// Addresses of side files that the page links to.
    pub links: Vec<String>,
    /// How deeply the text was quoted: 0 for the page itself.
    pub quotes: usize,
}

/// Collects a page. Every element that is shown is entered and left.
#[derive(Debug, Default)]
pub struct PageBuilder {
    text: Builder,
    frames: Vec<Frame>,
    placed: Vec<Placed>,
    links: Vec<String>,
    /// Carriers are not looked for in lines that begin with a quote mark.
    plain: bool,
}

#[derive(Debug)]
struct Frame {
    start: usize,
    /// Scripts in it speak of the whole page.
    page: bool,
    /// Whether it begins and ends a block.
    block: bool,
    attribute: Option<String>,
    scripts: Vec<String>,
    hazard: Option<&'static str>,
}

/// A carrier that speaks of a range of the collected text; nothing means the whole page.
#[derive(Debug)]
struct Placed {
    carrier: Carrier,
    range: Option<Range<usize>>,
    value: String,
}

/// What an element is to the text in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// It stands in a line, unless a statement speaks of it.
    Inline,
    /// It begins and ends a block.
    Block,
    /// `html`, `head` or `body`: a block, and a script in it speaks of the whole page.
    Root,
}

impl PageBuilder {
    /// Characters of a text node.
    pub fn text(&mut self, text: &str) {
        self.text.text(text);
    }

    /// A `<br>`.
    pub fn line_break(&mut self) {
        self.text.line_break();
    }

    /// Plain text, whose blocks are parted by empty lines.
    pub fn plain(&mut self, text: &str) {
        self.plain = true;
        self.text.plain(text);
    }

    /// The start of an element, with its attribute `data-human-statement` if it has one.
    pub fn enter(&mut self, element: Element, attribute: Option<&str>) {
        // What is signed as a whole is a block, or its ends would lean on what is beside it.
        let block = element != Element::Inline || attribute.is_some();
        if block {
            self.text.block_break();
        }
        self.frames.push(Frame {
            start: self.text.position(),
            page: element == Element::Root,
            block,
            attribute: attribute.map(str::to_owned),
            scripts: Vec::new(),
            hazard: None,
        });
    }

    /// The end of the element that was entered last.
    pub fn leave(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        let range = frame.start..self.text.position();
        if let Some(why) = frame.hazard {
            self.text.hazard(range.clone(), why);
        }
        if let Some(value) = frame.attribute {
            self.place(Carrier::Attribute, Some(range.clone()), value);
        }
        for value in frame.scripts {
            self.place(Carrier::Script, Some(range.clone()).filter(|_| !frame.page), value);
        }
        if frame.block {
            self.text.block_break();
        }
    }

    /// That something stands here by which a reader may see other words than the ones that are told.
    pub fn hazard(&mut self, why: &'static str) {
        let place = self.text.position();
        self.text.hazard(place..place, why);
    }

    /// The same of all that is in the element that was entered last.
    pub fn hazardous(&mut self, why: &'static str) {
        match self.frames.last_mut() {
            Some(frame) => frame.hazard = Some(why),
            None => self.hazard(why),
        }
    }

    /// The content of a script of our type. It speaks of the block that it stands in.
    pub fn script(&mut self, json: &str) {
        match self.frames.iter_mut().rev().find(|frame| frame.block) {
            Some(frame) if frame.scripts.len() < MAX_CARRIERS => frame.scripts.push(json.to_owned()),
            Some(_) => {}
            None => self.place(Carrier::Script, None, json.to_owned()),
        }
    }

    /// A link of our relation.
    pub fn link(&mut self, address: &str) {
        if self.links.len() < MAX_CARRIERS {
            self.links.push(address.to_owned());
        }
    }

    fn place(&mut self, carrier: Carrier, range: Option<Range<usize>>, value: String) {
        if self.placed.len() < MAX_CARRIERS {
            self.placed.push(Placed { carrier, range, value });
        }
    }

    /// The page.
    #[must_use]
    pub fn finish(self) -> Page {
        let Self { text, placed, links, plain, .. } = self;
        let found = inline(text.raw(), plain);
        // Only what is a statement is left out of the text: anything else is words that a reader sees.
        let holes: Vec<Range<usize>> =
            found.iter().filter(|find| find.is_statement()).map(|find| find.range.clone()).collect();
        let stream = text.finish_without(&holes);
        let mut finds = Vec::new();
        let mut free = 0;
        for find in found {
            let scope = Scope::Before(free..stream.canonical_place(find.range.start));
            if find.is_statement() {
                free = stream.canonical_place(find.range.end);
            }
            finds.extend(find.contents.into_iter().map(|content| Find {
                carrier: find.carrier,
                scope: scope.clone(),
                content,
            }));
        }
        let mut page = Page { stream, finds, links, quotes: 0 };
        for Placed { carrier, range, value } in placed {
            let range = match range {
                Some(range) => {
                    page.stream.canonical_place(range.start)..page.stream.canonical_place(range.end)
                }
                None => 0..page.stream.text().len(),
            };
            let scope =
                if carrier == Carrier::Attribute { Scope::Exactly(range) } else { Scope::Within(range) };
            page.add(carrier, scope, &value);
        }
        page
    }
}

impl Page {
    /// Plain text, and every quoted part of it that holds a statement as a page of its own.
    #[must_use]
    pub fn of_text(text: &str) -> Vec<Self> {
        let mut pages = Vec::new();
        let mut open = vec![(text.to_owned(), 0)];
        while let Some((text, quotes)) = open.pop() {
            let mut builder = PageBuilder::default();
            builder.plain(&text);
            pages.push(Self { quotes, ..builder.finish() });
            if quotes < MAX_QUOTES && pages.len() + open.len() < MAX_CARRIERS {
                open.extend(quoted(&text).into_iter().map(|text| (text, quotes + 1)));
            }
        }
        pages
    }

    /// Adds the content of a side file. `exactly`: the whole page is the text, as for a plain text file.
    pub fn add_side_file(&mut self, carrier: Carrier, json: &str, exactly: bool) {
        let range = 0..self.stream.text().len();
        let scope = if exactly { Scope::Exactly(range) } else { Scope::Within(range) };
        self.add(carrier, scope, json);
    }

    fn add(&mut self, carrier: Carrier, scope: Scope, value: &str) {
        if carrier == Carrier::Attribute && token::is_token(value) {
            let content = Content::Token(Box::new(Token::parse(value.trim())));
            return self.finds.push(Find { carrier, scope, content });
        }
        let all = if carrier == Carrier::Attribute {
            armour::parse_attribute(value)
        } else {
            Signed::all_from_json(value)
        };
        self.finds.extend(all.into_iter().map(|signed| Find {
            carrier,
            scope: scope.clone(),
            content: Content::Signed(Box::new(signed)),
        }));
    }
}

/// An armoured block or a token in a text.
struct Inline {
    range: Range<usize>,
    carrier: Carrier,
    contents: Vec<Content>,
}

impl Inline {
    /// Whether all that is in it can be read.
    fn is_statement(&self) -> bool {
        self.contents.iter().all(|content| match content {
            Content::Signed(signed) => signed.is_ok(),
            Content::Token(token) => token.is_ok(),
        })
    }
}

/// Armoured blocks and tokens in a text, in order.
fn inline(raw: &str, plain: bool) -> Vec<Inline> {
    // With the inside of a block; a token has none.
    let mut places: Vec<(Range<usize>, Option<&str>)> = Vec::new();
    let mut from = 0;
    while let Some((range, inside)) = armour::find(raw, from).filter(|_| places.len() < MAX_CARRIERS) {
        from = range.end;
        places.push((range, Some(inside)));
    }
    let blocks = places.len();
    for range in token::find_all(raw) {
        let before = places[..blocks].partition_point(|(block, _)| block.start <= range.start);
        let inside = before.checked_sub(1).is_some_and(|last| range.start < places[last].0.end);
        if !inside {
            places.push((range, None));
        }
    }
    places.sort_by_key(|(range, _)| range.start);
    places.truncate(MAX_CARRIERS);
    let mut line = 0;
    let mut seen = 0;
    let mut found = Vec::new();
    for (range, inside) in places {
        if let Some(feed) = raw[seen..range.start].rfind('\n') {
            line = seen + feed + 1;
        }
        seen = range.start;
        if plain && unquoted(&raw[line..]).is_some() {
            continue;
        }
        let (carrier, contents) = match inside {
            None => (Carrier::Token, vec![Content::Token(Box::new(Token::parse(&raw[range.clone()])))]),
            Some(inside) => (
                Carrier::Armour,
                armour::parse(inside).into_iter().map(|signed| Content::Signed(Box::new(signed))).collect(),
            ),
        };
        found.push(Inline { range, carrier, contents });
    }
    found
}

/// A line without its first quote mark, which may be indented as in Markdown, if it has one.
fn unquoted(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches(' ');
    let rest = rest.strip_prefix('>').filter(|_| line.len() - rest.len() <= MAX_INDENT)?;
    Some(rest.strip_prefix(' ').unwrap_or(rest))
}

/// Each run of quoted lines that may hold a carrier, without its first quote mark.
fn quoted(text: &str) -> Vec<String> {
    let mut runs = Vec::new();
    let mut run = String::new();
    for line in text.split_inclusive('\n').chain([""]) {
        match unquoted(line) {
            Some(rest) => run.push_str(rest),
            None => {
                let run = std::mem::take(&mut run);
                if run.contains("human1") || run.contains("GENERATED BY HUMAN") {
                    runs.push(run);
                }
            }
        }
    }
    runs
}

#[cfg(test)]
mod tests;
