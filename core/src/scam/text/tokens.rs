//! A message as tokens: words, single Han characters, numbers, links, emoji.

use super::Evasion;
use super::disguise::{self, Watch};
use super::fold::{Folded, fold, is_han};
use crate::hash::fnv1a;
use crate::scam::links;
use crate::verdict::Span;
use std::ops::Range;

/// Tokens of a message that are read; what comes after is left alone, so that no message costs more than this.
pub(crate) const MOST: usize = 4000;

/// What sort of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// A word of letters, or of letters and digits.
    Word,
    /// A Han or kana character.
    Han,
    /// A number.
    Number,
    /// A number with nine digits or more: of a telephone, an account, an order.
    Long,
    /// An address of the web.
    Link,
    /// An emoji.
    Emoji,
}

/// A token and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// Equal for tokens that mean the same: a word's is its stem's.
    pub(crate) key: u64,
    /// Its plain characters in [`Tokens::text`].
    pub(crate) text: Range<usize>,
    /// Where it stands in the message.
    pub(crate) span: Span,
    pub(crate) sentence: u32,
    /// Nothing stands between it and the token before.
    pub(crate) glued: bool,
    /// White space stands between it and the token before.
    pub(crate) spaced: bool,
    /// It stands in quotation marks, or in a line that quotes.
    pub(crate) quoted: bool,
    /// A sign of a currency stands before it.
    pub(crate) currency: bool,
}

/// A message's tokens, and what was done to hide them.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub(crate) tokens: Vec<Token>,
    /// The plain characters of all tokens, one after the other.
    pub(crate) text: String,
    pub(crate) evasions: Vec<(Evasion, Span)>,
}

impl Tokens {
    /// Reads a message.
    pub(crate) fn of(message: &str, watch: &Watch) -> Self {
        let folded = fold(message);
        let mut reader = Reader::new(&folded, watch);
        reader.read();
        let mut tokens = reader.out;
        tokens.evasions.extend(folded.invisible.iter().map(|at| (Evasion::Invisible, one(*at))));
        tokens.join_letters(watch);
        tokens
    }

    /// A token's plain characters.
    pub(crate) fn word(&self, token: &Token) -> &str {
        self.text.get(token.text.clone()).unwrap_or_default()
    }

    /// Single letters that spell a watched word become that word; so do two words that make one.
    fn join_letters(&mut self, watch: &Watch) {
        let mut at = 0;
        while at < self.tokens.len() {
            if let Some((count, word)) = self.spelled(at, watch) {
                let first = self.tokens[at].span.start;
                let end = self.tokens[at + count - 1].span.end;
                let start = self.text.len();
                self.text.push_str(&word);
                let span = Span { start: first, end };
                let text = start..self.text.len();
                let joined = Token {
                    kind: Kind::Word,
                    key: disguise::key(&word),
                    text,
                    span,
                    ..self.tokens[at].clone()
                };
                self.tokens.splice(at..at + count, [joined]);
                self.evasions.push((Evasion::Spelling, span));
            }
            at += 1;
        }
    }

    /// The watched word that the tokens from here spell letter by letter, and of how many tokens.
    fn spelled(&self, at: usize, watch: &Watch) -> Option<(usize, String)> {
        let single = |token: &Token| {
            matches!(token.kind, Kind::Word | Kind::Number)
                && token.text.len() == 1
                && token.text.end <= self.text.len()
        };
        let first = self.tokens.get(at)?;
        if !single(first) {
            return None;
        }
        let mut letters = String::new();
        let mut best = None;
        for (count, token) in self.tokens[at..].iter().take(watch.longest()).enumerate() {
            if !single(token) || token.sentence != first.sentence {
                break;
            }
            letters.push_str(self.word(token));
            if let Some(word) = watch.plain(&letters) {
                best = Some((count + 1, word));
            }
        }
        best
    }
}

fn one(at: u32) -> Span {
    Span { start: at as usize, end: at as usize + 1 }
}

struct Reader<'a> {
    folded: &'a Folded,
    watch: &'a Watch,
    at: usize,
    sentence: u32,
    /// End of the token before, in plain characters.
    last_end: usize,
    quotes: Vec<Range<usize>>,
    out: Tokens,
}

impl<'a> Reader<'a> {
    fn new(folded: &'a Folded, watch: &'a Watch) -> Self {
        let text = String::with_capacity(folded.chars.len());
        Self {
            folded,
            watch,
            at: 0,
            sentence: 0,
            last_end: usize::MAX,
            quotes: quotes(folded),
            out: Tokens { text, ..Tokens::default() },
        }
    }

    fn c(&self, at: usize) -> Option<char> {
        self.folded.chars.get(at).map(|plain| plain.c)
    }

    fn read(&mut self) {
        while let Some(c) = self.c(self.at) {
            if self.out.tokens.len() >= MOST {
                return;
            }
            if let Some(len) = self.link() {
                self.push(Kind::Link, len);
            } else if is_han(c) {
                self.push(Kind::Han, 1);
            } else if c.is_ascii_digit()
                || (c == '+' && self.c(self.at + 1).is_some_and(|c| c.is_ascii_digit()))
            {
                self.number();
            } else if c.is_alphanumeric() {
                self.word();
            } else if is_emoji(c) {
                self.push(Kind::Emoji, 1);
            } else {
                if c == '%' {
                    self.push_as(Kind::Word, 1, "percent");
                    continue;
                }
                if ends_sentence(c, self.c(self.at + 1)) {
                    self.sentence += 1;
                }
                self.at += 1;
            }
        }
    }

    /// Length of the link that begins here.
    fn link(&self) -> Option<usize> {
        let before = self.at.checked_sub(1).and_then(|at| self.c(at));
        if before.is_some_and(|c| (c.is_alphanumeric() && !is_han(c)) || matches!(c, '@' | '.' | '-' | '_')) {
            return None;
        }
        links::length(self.folded.chars[self.at..].iter().map(|plain| plain.c))
    }

    /// A run of digits, with what stands between digits of one number.
    fn number(&mut self) {
        let plus = usize::from(self.c(self.at) == Some('+'));
        let digits = |reader: &Self, from: usize| {
            (from..).take_while(|at| reader.c(*at).is_some_and(|c| c.is_ascii_digit())).count()
        };
        let mut len = plus + digits(self, self.at + plus);
        let mut count = len - plus;
        let mut groups = 1;
        // Where the first number ends, if what follows is set off by spaces.
        let mut spaced = None;
        while let Some(separator) = self.c(self.at + len) {
            let more = digits(self, self.at + len + 1);
            let goes_on = match separator {
                '.' | ',' | ':' => more > 0 && spaced.is_none(),
                ' ' | '-' | '(' | ')' => more >= 2 && groups < 5 && count >= 2,
                _ => false,
            };
            if !goes_on {
                break;
            }
            if matches!(separator, ' ' | '-' | '(' | ')') {
                spaced.get_or_insert((len, count));
            }
            len += 1 + more;
            count += more;
            groups += 1;
        }
        if let Some(first) = spaced
            && !(9..=19).contains(&count)
        {
            // Several numbers, not one.
            (len, count) = first;
        }
        // Letters that follow belong to it: 5k, 3w, 2nd, 4u.
        let letters = (self.at + len..)
            .take_while(|at| {
                self.c(*at).is_some_and(|c| c.is_alphanumeric() && !is_han(c) && !c.is_ascii_digit())
            })
            .count();
        let tail: String = (0..letters).filter_map(|k| self.c(self.at + len + k)).collect();
        match tail.as_str() {
            "" if count >= 9 => self.push(Kind::Long, len),
            "" => self.push(Kind::Number, len),
            "k" | "w" | "m" => self.push(Kind::Number, len + 1),
            // A unit that is written together with its number is a word of its own.
            "usd" | "usdt" | "u" | "eur" | "gbp" | "rmb" | "hkd" | "hk" | "sgd" | "rm" | "eth" | "btc" => {
                self.push(Kind::Number, len);
                self.word();
            }
            _ => self.word(),
        }
    }

    fn word(&mut self) {
        let inside = |c: char| c.is_alphanumeric() && !is_han(c);
        let mut len = (self.at..).take_while(|at| self.c(*at).is_some_and(inside)).count();
        // Signs inside a word count only if they make a watched word: wh@tsapp.
        let sign = |c: char| matches!(c, '@' | '$' | '!' | '|');
        if self.c(self.at + len).is_some_and(sign) && self.c(self.at + len + 1).is_some_and(inside) {
            let longer =
                (self.at..).take_while(|at| self.c(*at).is_some_and(|c| inside(c) || sign(c))).count();
            let spelling: String =
                self.folded.chars[self.at..self.at + longer].iter().map(|plain| plain.c).collect();
            if let Some(word) = self.watch.plain(&spelling) {
                return self.push_evaded(longer, &word, Evasion::Spelling);
            }
        }
        len = len.clamp(1, 64);
        let chars = &self.folded.chars[self.at..self.at + len];
        let ornamental = chars.iter().any(|plain| plain.ornamental);
        let spelling: String = chars.iter().map(|plain| plain.c).collect();
        if ornamental && spelling.len() > 2 {
            return self.push_evaded(len, &spelling, Evasion::Homoglyph);
        }
        if !spelling.is_ascii() {
            let likened: Option<String> =
                spelling.chars().map(|c| if c.is_ascii() { Some(c) } else { disguise::latin(c) }).collect();
            if let Some(word) = likened {
                let mixed = spelling.chars().any(|c| c.is_ascii_alphabetic());
                if (mixed && word.len() > 2) || self.watch.has(&word) {
                    return self.push_evaded(len, &word, Evasion::Homoglyph);
                }
            }
        } else if spelling.bytes().any(|byte| byte.is_ascii_digit())
            && let Some(word) = self.watch.plain(&spelling)
        {
            return self.push_evaded(len, &word, Evasion::Spelling);
        }
        self.push_as(Kind::Word, len, &spelling);
    }

    fn push_evaded(&mut self, len: usize, word: &str, how: Evasion) {
        self.push_as(Kind::Word, len, word);
        if let Some(token) = self.out.tokens.last() {
            self.out.evasions.push((how, token.span));
        }
    }

    fn push(&mut self, kind: Kind, len: usize) {
        let spelling: String =
            self.folded.chars[self.at..self.at + len].iter().map(|plain| plain.c).collect();
        self.push_as(kind, len, &spelling);
    }

    fn push_as(&mut self, kind: Kind, len: usize, word: &str) {
        let chars = &self.folded.chars;
        let start = self.out.text.len();
        self.out.text.push_str(word);
        let currency = (0..self.at).rev().map(|at| chars[at].c).find(|c| *c != ' ').is_some_and(is_currency);
        let span = Span { start: chars[self.at].at as usize, end: chars[self.at + len - 1].at as usize + 1 };
        self.out.tokens.push(Token {
            kind,
            key: if kind == Kind::Word { disguise::key(word) } else { fnv1a(word.as_bytes()) },
            text: start..self.out.text.len(),
            span,
            sentence: self.sentence,
            glued: self.last_end == self.at,
            spaced: self.at.checked_sub(1).and_then(|at| self.c(at)).is_some_and(char::is_whitespace),
            quoted: self.quotes.iter().any(|quote| quote.contains(&self.at)),
            currency: currency && kind == Kind::Number,
        });
        self.at += len;
        self.last_end = self.at;
    }
}

/// What stands in quotation marks or in lines that begin with `>`. Single marks are apostrophes more often, and Chinese corner
/// brackets hold names.
fn quotes(folded: &Folded) -> Vec<Range<usize>> {
    let mut quotes = Vec::new();
    let mut open: Option<(usize, char)> = None;
    let mut line = true;
    let mut at = 0;
    while let Some(c) = folded.chars.get(at).map(|plain| plain.c) {
        match (c, open) {
            ('"' | '\u{201D}', Some((start, '"' | '\u{201C}'))) | ('\u{300D}', Some((start, '\u{300C}'))) => {
                quotes.push(start..at);
                open = None;
            }
            ('"' | '\u{201C}' | '\u{300C}', None) => open = Some((at, c)),
            ('>', _) if line => {
                let rest = folded.chars[at..].iter().position(|plain| plain.c == '\n');
                let end = rest.map_or(folded.chars.len(), |count| at + count);
                quotes.push(at..end);
                at = end;
                continue;
            }
            _ => {}
        }
        line = c == '\n' || (line && c == ' ');
        at += 1;
    }
    quotes
}

fn is_currency(c: char) -> bool {
    matches!(c, '$' | '£' | '€' | '¥' | '₹' | '฿' | '₱' | '₩' | '₫' | '₦' | '₽' | '￥')
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{2600}'..='\u{27BF}' | '\u{1F300}'..='\u{1FAFF}' | '\u{2B50}' | '\u{2B55}' | '\u{1F1E6}'..='\u{1F1FF}')
}

fn ends_sentence(c: char, next: Option<char>) -> bool {
    match c {
        '\n' | '!' | '?' | ';' | '。' | '…' | '¡' | '¿' => true,
        '.' => next.is_none_or(char::is_whitespace),
        _ => false,
    }
}
