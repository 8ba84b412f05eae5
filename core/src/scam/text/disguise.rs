//! Words that are spelled around filters: t e l e g r a m, wh4tsapp, теlegram.

use super::stem::stem;
use crate::hash::fnv1a;
use crate::scam::few::Few;

/// Words that are worth a disguise, as the taxonomy names them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch {
    words: Few<String, ()>,
    longest: usize,
}

impl Watch {
    /// Watches for a word of Latin letters; shorter ones than three letters would be seen everywhere.
    pub(crate) fn add(&mut self, word: &str) {
        if word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_lowercase()) {
            self.longest = self.longest.max(word.len());
            self.words.insert(word.to_owned(), ());
        }
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        word.len() <= self.longest && self.words.get(word).is_some()
    }

    /// Letters of the longest word.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// The watched word that a spelling with digits and signs for letters stands for.
    pub(crate) fn plain(&self, spelling: &str) -> Option<String> {
        if spelling.len() < 3 || spelling.len() > self.longest {
            return None;
        }
        // A one is an l or an i.
        [b'l', b'i'].into_iter().find_map(|one| {
            let word: String = spelling
                .bytes()
                .map(|byte| match byte {
                    b'0' => b'o',
                    b'1' | b'!' | b'|' => one,
                    b'3' => b'e',
                    b'4' | b'@' => b'a',
                    b'5' | b'$' => b's',
                    b'7' => b't',
                    b'8' => b'b',
                    other => other,
                })
                .map(char::from)
                .collect();
            self.has(&word).then_some(word)
        })
    }
}

/// The Latin letter that a Cyrillic or Greek one looks like, in lower case. The common ones of Unicode's confusables
/// (UTS 39).
pub(crate) fn latin(c: char) -> Option<char> {
    Some(match c {
        'а' | 'α' => 'a',
        'в' | 'β' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ё' | 'є' | 'ε' => 'e',
        'ɡ' | 'ց' => 'g',
        'н' | 'һ' | 'հ' => 'h',
        'і' | 'ї' | 'ι' | 'ı' => 'i',
        'ј' | 'ϳ' => 'j',
        'к' | 'κ' => 'k',
        'ӏ' | 'ⅼ' => 'l',
        'м' => 'm',
        'п' | 'η' | 'ո' => 'n',
        'о' | 'ο' | 'օ' | 'σ' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'г' | 'ɾ' => 'r',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ѡ' | 'ω' | 'ш' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' | 'ү' => 'y',
        'ᴢ' => 'z',
        _ => return None,
    })
}

/// A word's key: that of its stem.
pub(crate) fn key(word: &str) -> u64 {
    fnv1a(stem(word).as_bytes())
}
