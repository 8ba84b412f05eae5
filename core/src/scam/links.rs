//! Links in messages: where they begin and end, and whether they pretend to be somebody's.

use super::taxonomy::Links;
use super::text::disguise;

/// Characters of a link that are read.
const LONGEST: usize = 300;

/// Top-level domains by which a name without `http` is known for a link. Others need `http` or `www`.
const TOPS: &[&str] = &[
    "com", "net", "org", "info", "biz", "io", "co", "me", "cn", "hk", "tw", "uk", "us", "de", "eu", "in",
    "ru", "jp", "kr", "sg", "my", "ph", "id", "th", "vn", "au", "ca", "nz", "fr", "nl", "it", "es", "ch",
    "at", "be", "br", "mx", "ng", "za", "ie", "app", "dev", "xyz", "top", "vip", "shop", "site", "online",
    "club", "live", "icu", "cyou", "cfd", "sbs", "buzz", "click", "link", "win", "bid", "loan", "work",
    "fun", "store", "tech", "space", "website", "world", "life", "today", "pro", "cc", "tv", "ly", "gl",
    "gg", "to", "ws", "pw", "tk", "ml", "ga", "cf", "gq", "asia", "mobi", "finance", "trade", "trading",
    "exchange", "capital", "money", "ltd", "group", "center", "support", "help", "bond", "rest", "lol",
    "best", "cloud", "one", "ink", "gov", "edu", "int", "example", "test", "invalid", "im", "la", "so",
];

/// Length, in characters, of the link with which these characters begin. They are in lower case.
pub(crate) fn length(chars: impl Iterator<Item = char>) -> Option<usize> {
    let text: Vec<char> = chars.take(LONGEST).take_while(|c| is_of_link(*c)).collect();
    // What nearly every word fails on, first.
    if text.len() < 4 || !text.contains(&'.') && !text.contains(&':') {
        return None;
    }
    let mut len = text.len();
    while len > 0
        && matches!(text[len - 1], '.' | ',' | ':' | ';' | '!' | '?' | ')' | ']' | '\'' | '*' | '_' | '~')
    {
        len -= 1;
    }
    let text: String = text[..len].iter().collect();
    if host(&text).is_some_and(|host| host.contains('.') || host.len() > 3) && has_scheme(&text) {
        return Some(len);
    }
    let name = text.split(['/', '?', '#']).next().unwrap_or_default();
    let labels: Vec<&str> = name.split('.').collect();
    let sound = |label: &&str| {
        !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-') && !label.starts_with('-')
    };
    let top = labels.last()?;
    let named = labels.len() >= 2 && labels.iter().all(sound);
    // A full stop without a space after it is no link: "ok.me too" has the shortest of names.
    let told =
        name.len() < text.len() || labels.len() > 2 || labels.first().is_some_and(|label| label.len() >= 4);
    (named && (labels[0] == "www" || (told && TOPS.contains(top)))).then_some(len)
}

fn is_of_link(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || "-._~:/?#[]@!$&'()*+,;=%".contains(c)
        || (c.is_alphanumeric() && !super::text::fold::is_han(c))
}

fn has_scheme(link: &str) -> bool {
    ["http://", "https://", "hxxp://", "hxxps://"].iter().any(|scheme| link.starts_with(scheme))
}

/// The host of a link in lower case.
pub(crate) fn host(link: &str) -> Option<&str> {
    let rest = link.split_once("://").map_or(link, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host).trim_end_matches('.');
    (!host.is_empty()).then_some(host)
}

/// What is odd about where a link leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Sign {
    /// It resembles somebody's name, and is not theirs.
    Lookalike,
    /// Letters of more than one script, or an encoded name.
    Idn,
    /// A bare number of the internet.
    Ip,
    /// It doesn't say where it leads.
    Shortener,
    /// A top-level domain that is often abused, or a name that nobody would choose.
    Odd,
}

impl Sign {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Lookalike => "link_lookalike",
            Self::Idn => "link_idn",
            Self::Ip => "link_ip",
            Self::Shortener => "link_shortener",
            Self::Odd => "link_odd_domain",
        }
    }
}

/// What is odd about a link.
pub(crate) fn signs(link: &str, known: &Links) -> Vec<Sign> {
    let Some(host) = host(link) else { return Vec::new() };
    if is_ip(host) {
        return vec![Sign::Ip];
    }
    let name = registrable(host, known);
    if known.brands.iter().any(|brand| brand.hosts.iter().any(|own| own == name)) {
        return Vec::new();
    }
    if known.shorteners.iter().any(|short| short == name) {
        return vec![Sign::Shortener];
    }
    let mut signs = Vec::new();
    if host.split('.').any(|label| label.starts_with("xn--")) || mixes_scripts(host) {
        signs.push(Sign::Idn);
    }
    if is_lookalike(host, known) {
        signs.push(Sign::Lookalike);
    }
    let top = host.rsplit('.').next().unwrap_or_default();
    let own = name.split('.').next().unwrap_or_default();
    if known.odd_tlds.iter().any(|odd| odd.trim_start_matches('.') == top) || is_random(own) {
        signs.push(Sign::Odd);
    }
    signs
}

/// The part of a host that somebody registered: its last two labels, or three under `co.uk` and the like.
fn registrable<'h>(host: &'h str, known: &Links) -> &'h str {
    let from = |count: usize| {
        let at = host.rmatch_indices('.').nth(count - 1).map_or(0, |(at, _)| at + 1);
        &host[at..]
    };
    if known.second_level.iter().any(|level| level == from(2)) { from(3) } else { from(2) }
}

fn is_ip(host: &str) -> bool {
    let number = |label: &str| {
        label.parse::<u32>().is_ok()
            || label.strip_prefix("0x").is_some_and(|hex| u32::from_str_radix(hex, 16).is_ok())
    };
    let count = host.split('.').count();
    (count == 4 || count == 1) && host.split('.').all(number) || host.starts_with('[')
}

fn mixes_scripts(host: &str) -> bool {
    host.split('.').any(|label| {
        label.chars().any(|c| c.is_ascii_alphabetic()) && label.chars().any(|c| disguise::latin(c).is_some())
    })
}

/// A part of the host is a brand's name, or nearly; or it begins with one.
fn is_lookalike(host: &str, known: &Links) -> bool {
    let plain: String = host.chars().map(|c| disguise::latin(c).unwrap_or(c)).collect();
    let labels: Vec<&str> = plain.split('.').collect();
    let Some(owned) = labels.split_last().map(|(_, owned)| owned) else { return false };
    let parts: Vec<&str> =
        owned.iter().flat_map(|label| label.split('-')).filter(|part| !part.is_empty()).collect();
    known.brands.iter().flat_map(|brand| &brand.hosts).any(|own| {
        let key = own.split('.').next().unwrap_or_default();
        parts.iter().any(|part| resembles(part, key))
            // icbc-cn, but also icbccom and paypalsecure.
            || (key.len() >= 6 && owned.iter().any(|label| label.starts_with(key) || label.ends_with(key)))
    })
}

fn resembles(part: &str, key: &str) -> bool {
    if key.len() < 4 {
        return part == key && key.len() >= 3;
    }
    let undone: String = part
        .chars()
        .map(|c| match c {
            '0' => 'o',
            '1' => 'l',
            '3' => 'e',
            '5' => 's',
            other => other,
        })
        .collect();
    undone == key
        || undone.replace("rn", "m").replace("vv", "w") == key
        || (key.len() >= 6 && part.len().abs_diff(key.len()) <= 1 && is_one_off(part, key))
}

/// One letter more, less or other, or two exchanged.
fn is_one_off(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let start = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[start..], &other[start..]);
    let end = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[..one.len() - end], &other[..other.len() - end]);
    one.len() <= 1 && other.len() <= 1
        || (one.len() == 2 && other.len() == 2 && one[0] == other[1] && one[1] == other[0])
}

/// Many digits among letters, or letters that nobody can pronounce.
fn is_random(label: &str) -> bool {
    if label.starts_with("xn--") {
        return false;
    }
    let digits = label.bytes().filter(u8::is_ascii_digit).count();
    let letters = label.bytes().filter(u8::is_ascii_alphabetic).count();
    let mut run = 0;
    let mut longest = 0;
    for byte in label.bytes() {
        let consonant = byte.is_ascii_alphabetic() && !b"aeiouy".contains(&byte);
        run = if consonant { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    (digits >= 3 && letters >= 1 && label.len() >= 6) || longest >= 6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scam::taxonomy::Brand;

    fn known() -> Links {
        let brand = |name: &str, hosts: &[&str]| Brand {
            name: name.to_owned(),
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        };
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Links {
            brands: vec![
                brand("PayPal", &["paypal.com"]),
                brand("ICBC", &["icbc.com.cn"]),
                brand("Royal Mail", &["royalmail.com"]),
            ],
            shorteners: words(&["bit.ly", "t.cn"]),
            odd_tlds: words(&["top", "icu"]),
            second_level: words(&["com.cn", "co.uk"]),
        }
    }

    fn length_of(text: &str) -> Option<usize> {
        length(text.chars())
    }

    #[test]
    fn links_are_told_from_words() {
        for (text, len) in [
            ("https://a.example/x?y=1, and", Some(23)),
            ("www.x.example.", Some(13)),
            ("goldpro.top/reg 注册", Some(15)),
            ("t.me/someone", Some(12)),
            ("paypal.com", Some(10)),
            ("http://10.0.0.1/a", Some(17)),
        ] {
            assert_eq!(length_of(text), len, "{text}");
        }
        for text in
            ["ok.me too", "e.g. this", "hello", "3.14", "well...yes", "so:what", "", "a/b/c", "no.thanks"]
        {
            assert_eq!(length_of(text), None, "{text}");
        }
    }

    #[test]
    fn links_say_whose_they_are() {
        let known = known();
        for (link, expected) in [
            ("https://www.paypal.com/login", vec![]),
            ("paypa1.com", vec![Sign::Lookalike]),
            ("paypal.com.account-check.net/x", vec![Sign::Lookalike]),
            ("https://secure-paypal.top", vec![Sign::Lookalike, Sign::Odd]),
            ("https://paypla.com", vec![Sign::Lookalike]),
            ("https://раypal.com", vec![Sign::Idn, Sign::Lookalike]),
            ("https://xn--pypal-4ve.com", vec![Sign::Idn, Sign::Lookalike]),
            ("https://xn--fiq228c.com", vec![Sign::Idn]),
            ("http://185.12.3.4/icbc", vec![Sign::Ip]),
            ("http://3232235777/", vec![Sign::Ip]),
            ("https://bit.ly/3x", vec![Sign::Shortener]),
            ("https://mybank.icbc.com.cn/", vec![]),
            ("https://icbc-cn.icu", vec![Sign::Lookalike, Sign::Odd]),
            ("https://royalmail.redelivery.co.uk", vec![Sign::Lookalike]),
            ("https://blog.example.org/paypal", vec![]),
            ("https://x7f93k2.com", vec![Sign::Odd]),
            ("https://user@paypal.com@evil.icu/", vec![Sign::Odd]),
        ] {
            assert_eq!(signs(link, &known), expected, "{link}");
        }
    }
}
