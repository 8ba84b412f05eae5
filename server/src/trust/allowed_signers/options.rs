//! The options of a line of allowed signers.

use bonafide_core::signature::time::Timestamp;

#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) cert_authority: bool,
    pub(super) valid_after: Option<Timestamp>,
    pub(super) valid_before: Option<Timestamp>,
    namespaces: Option<String>,
}

impl Options {
    /// Reads the options at the beginning of a text, and gives what follows them.
    pub(super) fn take(text: &str) -> Result<(Self, &str), String> {
        let mut options = Self::default();
        let mut rest = text;
        loop {
            let name_end =
                rest.find(|c: char| matches!(c, '=' | ',') || c.is_whitespace()).unwrap_or(rest.len());
            let (name, after) = rest.split_at(name_end);
            let (value, after) = match after.strip_prefix("=\"") {
                Some(quoted) => {
                    let (value, after) = quoted_value(quoted)?;
                    (Some(value), after)
                }
                None if after.starts_with('=') => {
                    return Err(format!("the value of {name:?} must stand in quotes"));
                }
                None => (None, after),
            };
            options.set(name, value)?;
            match after.strip_prefix(',') {
                Some(next) => rest = next,
                None if after.starts_with(char::is_whitespace) => return Ok((options, after.trim_start())),
                None => return Err("it has no key".to_owned()),
            }
        }
    }

    fn set(&mut self, name: &str, value: Option<String>) -> Result<(), String> {
        match (name.to_ascii_lowercase().as_str(), value) {
            ("cert-authority", None) => self.cert_authority = true,
            ("namespaces", Some(value)) if self.namespaces.is_none() => self.namespaces = Some(value),
            ("valid-after", Some(value)) if self.valid_after.is_none() => {
                self.valid_after = Some(date(&value)?);
            }
            ("valid-before", Some(value)) if self.valid_before.is_none() => {
                self.valid_before = Some(date(&value)?);
            }
            _ => {
                return Err(format!(
                    "the option {name:?} is not known here, stands twice, or is not as it must be"
                ));
            }
        }
        match (self.valid_after, self.valid_before) {
            (Some(after), Some(before)) if after >= before => {
                Err("its time ends before it begins".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Whether signatures of a namespace are allowed: all are if none is named.
    pub(super) fn allows(&self, namespace: &str) -> bool {
        let Some(list) = &self.namespaces else { return true };
        let mut allowed = false;
        for pattern in list.split(',') {
            match pattern.strip_prefix('!') {
                Some(pattern) if matches(pattern, namespace) => return false,
                Some(_) => {}
                None => allowed |= matches(pattern, namespace),
            }
        }
        allowed
    }
}

/// The text up to a quote that is not escaped, and what follows it.
fn quoted_value(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' if text[at + 1..].starts_with('"') => {
                value.push('"');
                chars.next();
            }
            c => value.push(c),
        }
    }
    Err("a quote is not closed".to_owned())
}

/// `YYYYMMDD[HHMM[SS]][Z]`. Without a Z OpenSSH takes it for local time; here it is UTC, for a date that means another
/// time on another machine is no good.
fn date(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("{text:?} is no date such as 20260131Z or 20260131120000Z");
    let digits = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(digits.len(), 8 | 12 | 14) {
        return Err(wrong());
    }
    let all = format!("{digits:0<14}");
    let part = |range: std::ops::Range<usize>| &all[range];
    let date = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0..4),
        part(4..6),
        part(6..8),
        part(8..10),
        part(10..12),
        part(12..14)
    );
    date.parse().map_err(|_| wrong())
}

/// OpenSSH's patterns: `*` is any text, `?` any character.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where the last star stands, and the text that it has taken so far.
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}
