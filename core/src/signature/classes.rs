//! The classes of code points of SPEC.md, 1.3. Ranges, not properties: a new version of Unicode changes nothing.

/// C: characters of scripts that are written without spaces, and their punctuation. Not full-width letters and digits:
/// between those a space can be seen.
pub(super) fn is_cjk(c: char) -> bool {
    matches!(u32::from(c),
        0x2E80..=0x303F | 0x3040..=0x312F | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF
        | 0xFF00..=0xFF0F | 0xFF1A..=0xFF20 | 0xFF3B..=0xFF40 | 0xFF5B..=0xFF9F | 0x20000..=0x3FFFF)
}

/// E: emoji and symbols.
pub(super) fn is_emoji(c: char) -> bool {
    matches!(u32::from(c), 0x2190..=0x2BFF | 0x1F000..=0x1FAFF)
}

/// J: scripts whose letters join.
pub(super) fn is_joining(c: char) -> bool {
    matches!(u32::from(c),
        0x0600..=0x08FF | 0x1800..=0x18AF | 0xA840..=0xA87F | 0xFB50..=0xFDFF | 0xFE70..=0xFEFC | 0x10AC0..=0x10AFF
        | 0x10B80..=0x10BAF | 0x10D00..=0x10D3F | 0x10F30..=0x10FDF | 0x1E900..=0x1E95F)
}

/// W: letters and digits, roughly.
pub(super) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || (c >= '\u{C0}'
            && !matches!(u32::from(c),
                0x2000..=0x2BFF | 0x3000..=0x303F | 0xFE10..=0xFE6F | 0xFF00..=0xFF0F | 0xFF1A..=0xFF20
                | 0x1F000..=0x1FAFF))
}

/// S: counted one by one as words.
pub(super) fn is_counted(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3005 | 0x3007 | 0x3041..=0x30FF | 0x3105..=0x312F
        | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0xFF66..=0xFF9D | 0x20000..=0x3FFFF)
}
