//! What the command line and REST share of judging a chat.

pub mod opinion;

use serde::Deserialize;
use std::str::FromStr;

/// A language as a BCP 47 tag: its form, not whether it is registered. Its region chooses whom to call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, example = "en-GB")]
pub struct Tag(String);

/// No tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a language must look like en, en-GB or zh-CN (BCP 47)")]
pub struct NotATag;

/// The longest tag that is taken; real ones have up to 35 characters (RFC 5646, section 4.4.1).
const LONGEST: usize = 35;

impl Tag {
    /// The tag of a locale of POSIX (`zh_CN.UTF-8`); English if it names no language, as `C` does.
    #[must_use]
    pub fn of_locale(locale: &str) -> Self {
        let name = locale.split(['.', '@']).next().unwrap_or_default().replace('_', "-");
        name.parse().unwrap_or_default()
    }

    /// The tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Tag {
    fn default() -> Self {
        Self("en".to_owned())
    }
}

impl FromStr for Tag {
    type Err = NotATag;

    fn from_str(text: &str) -> Result<Self, NotATag> {
        let mut parts = text.split('-');
        let language = parts.next().unwrap_or_default();
        let is_language =
            (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_part = |part: &str| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let is_tag = text.len() <= LONGEST && is_language && parts.all(is_part);
        if is_tag { Ok(Self(text.to_owned())) } else { Err(NotATag) }
    }
}

impl TryFrom<String> for Tag {
    type Error = NotATag;

    fn try_from(text: String) -> Result<Self, NotATag> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_told_from_other_words() {
        for tag in ["en", "zh-CN", "zh-Hant-TW", "gsw", "en-US-x-a1"] {
            assert_eq!(tag.parse(), Ok(Tag(tag.to_owned())), "{tag}");
        }
        for other in [
            "",
            "C",
            "english",
            "en_GB",
            "en-",
            "e1",
            "zh-中国",
            "en-aaaaaaaaa",
            &format!("en{}", "-abc".repeat(9)),
        ] {
            assert_eq!(other.parse::<Tag>(), Err(NotATag), "{other}");
        }
    }

    #[test]
    fn locales_name_a_tag() {
        for (locale, tag) in [
            ("zh_CN.UTF-8", "zh-CN"),
            ("en_GB", "en-GB"),
            ("de_DE@euro", "de-DE"),
            ("C.UTF-8", "en"),
            ("POSIX", "en"),
            ("", "en"),
        ] {
            assert_eq!(Tag::of_locale(locale).as_str(), tag, "{locale}");
        }
    }
}
