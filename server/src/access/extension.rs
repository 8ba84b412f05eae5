//! Origins of browser extensions, as the browser sends them.

use serde::Serialize;

/// The origin of an extension. A page of the web can't have one, and no page or extension can send another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionOrigin {
    text: String,
    browser: Browser,
}

/// Whose extension it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Browser {
    /// Chromium and what is made of it: Chrome, Edge, Brave and others.
    Chromium,
    /// Firefox.
    Firefox,
}

impl Browser {
    fn scheme(self) -> &'static str {
        match self {
            Self::Chromium => "chrome-extension://",
            Self::Firefox => "moz-extension://",
        }
    }
}

impl ExtensionOrigin {
    /// Reads the header `Origin`: `chrome-extension://` with 32 letters from a to p, or `moz-extension://` with a UUID.
    #[must_use]
    pub fn parse(origin: &str) -> Option<Self> {
        let read = |browser: Browser, fits: fn(&str) -> bool| {
            let id = origin.strip_prefix(browser.scheme())?;
            fits(id).then(|| Self { text: origin.to_owned(), browser })
        };
        read(Browser::Chromium, is_chromium_id).or_else(|| read(Browser::Firefox, is_uuid))
    }

    /// As the browser sends it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The extension's id, which the browser shows on its page of extensions.
    #[must_use]
    pub fn id(&self) -> &str {
        self.text.strip_prefix(self.browser.scheme()).unwrap_or_default()
    }

    /// Whose extension it is.
    #[must_use]
    pub fn browser(&self) -> Browser {
        self.browser
    }
}

fn is_chromium_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'a'..=b'p'))
}

fn is_uuid(id: &str) -> bool {
    let parts: Vec<_> = id.split('-').collect();
    let hex = |part: &&str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(hex)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn reads_what_browsers_send() {
        let chromium = ExtensionOrigin::parse("chrome-extension://abcdefghijklmnopabcdefghijklmnop").unwrap();
        assert_eq!(
            (chromium.id(), chromium.browser()),
            ("abcdefghijklmnopabcdefghijklmnop", Browser::Chromium)
        );
        let text = "moz-extension://01234567-89ab-cdef-0123-456789abcdef";
        let firefox = ExtensionOrigin::parse(text).unwrap();
        assert_eq!((firefox.as_str(), firefox.browser()), (text, Browser::Firefox));
        assert_eq!(firefox.id(), "01234567-89ab-cdef-0123-456789abcdef");
    }

    #[test]
    fn nothing_else_is_one() {
        for wrong in [
            "",
            "null",
            "http://127.0.0.1:8017",
            "https://abcdefghijklmnopabcdefghijklmnop",
            "chrome-extension://",
            "chrome-extension://abcdefghijklmnopabcdefghijklmno",
            "chrome-extension://abcdefghijklmnopabcdefghijklmnopa",
            "chrome-extension://abcdefghijklmnopabcdefghijklmnoq",
            "chrome-extension://ABCDEFGHIJKLMNOPABCDEFGHIJKLMNOP",
            "chrome-extension://abcdefghijklmnopabcdefghijklmnop/",
            " chrome-extension://abcdefghijklmnopabcdefghijklmnop",
            "chrome-extension://01234567-89ab-cdef-0123-456789abcdef",
            "moz-extension://abcdefghijklmnopabcdefghijklmnop",
            "moz-extension://01234567-89AB-cdef-0123-456789abcdef",
            "moz-extension://0123456789ab-cdef-0123-456789abcdef",
            "moz-extension://01234567-89ab-cdef-0123-456789abcdef-",
        ] {
            assert_eq!(ExtensionOrigin::parse(wrong), None, "{wrong:?}");
        }
    }
}
