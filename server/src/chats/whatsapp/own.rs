//! What WhatsApp itself writes into a message: media that are left out, notices, marks of editing.

use super::MARKS;
use crate::chats::IMAGE;

/// Set before words that are the program's own (by iOS). Whoever writes it himself gains nothing: words that are not known
/// here are kept.
const OWN: char = '\u{200e}';

/// Pieces of the first notice of a chat.
const ENCRYPTED: &[&str] = &[
    "end-to-end encrypted",
    "端到端加密",
    "端对端加密",
    "端對端加密",
    "Ende-zu-Ende-verschlüsselt",
    "cifrados de extremo a extremo",
    "chiffrés de bout en bout",
    "criptografia de ponta a ponta",
];

/// All of a message that was taken back.
const DELETED: &[&str] = &[
    "This message was deleted",
    "You deleted this message",
    "此消息已删除",
    "您删除了此消息",
    "你已删除这条消息",
    "這則訊息已刪除",
    "你已刪除此訊息",
];

/// What stands in for a file, and the sign that is kept. The first that is found counts.
const SIGNS: &[(&[&str], &str)] = &[
    (&["sticker", "贴图", "貼圖"], "[sticker]"),
    (&["video", "视频", "影片", "vídeo", "gif", ".mp4"], "[video]"),
    (&["audio", "voice", "ptt", "语音", "音频", "語音", "音訊", ".opus", ".m4a", ".mp3"], "[audio]"),
    (&["document", "contact card", ".pdf", ".doc", ".vcf", ".zip", ".apk", ".xls", "文档", "文檔"], "[file]"),
];

/// Words that say that a file was left out or is attached; on iOS without brackets.
const LEFT_OUT: &[&str] = &[
    "omitted",
    "ausgeschlossen",
    "weggelassen",
    "omitido",
    "omitida",
    "omis",
    "absente",
    "omesso",
    "omessa",
    "忽略",
    "省略",
    "略去",
];

/// Behind the name of a file (by Android).
const ATTACHED: &[&str] = &[
    "(file attached)",
    "(文件附件)",
    "(附件)",
    "(檔案附件)",
    "(Datei angehängt)",
    "(archivo adjunto)",
    "(fichier joint)",
    "(arquivo anexado)",
];

/// The longest words of the program that are looked for.
const LONGEST: usize = 120;

/// Whether this is the notice with which a chat begins, which has the name of the other side or of the group.
pub(super) fn is_encryption_notice(said: &str) -> bool {
    said.starts_with(OWN) && ENCRYPTED.iter().any(|piece| said.contains(piece))
}

/// A message without the program's words: a sign for each file, and no mark of editing. `None` if nothing was said.
pub(super) fn without(said: &str) -> Option<String> {
    let said = edited(said);
    let bare = said.replace(MARKS, "");
    if DELETED.iter().any(|deleted| bare.trim().trim_end_matches(['.', '。']) == *deleted) {
        return None;
    }
    let lines: Vec<String> = said.split('\n').map(line).collect();
    let text = lines.join("\n").trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Without the mark that a message was edited.
fn edited(said: &str) -> &str {
    let trimmed = said.trim_end();
    let Some((before, mark)) = trimmed.rsplit_once('<') else { return said };
    let is_own = before.ends_with(OWN)
        && !mark.contains([':', '\n'])
        && !before.trim_end_matches(OWN).trim().is_empty();
    let is_edited =
        mark.ends_with('>') && (mark == "This message was edited>" || (is_own && sign_of(mark).is_none()));
    if is_edited { before.trim_end_matches(OWN) } else { said }
}

/// A line, with a sign in place of what stands for a file.
fn line(line: &str) -> String {
    if line.chars().count() > LONGEST {
        return line.to_owned();
    }
    let bare = line.replace(MARKS, "");
    let bare = bare.trim();
    // All of a line in angle brackets, as every language has it. Without a space or a colon it may be anything: `<b>`.
    let bracketed = bare.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let is_bracketed = bracketed.is_some_and(|inner| {
        !inner.contains(['<', '>']) && (inner.trim().contains([' ', ':']) || !inner.is_ascii())
    });
    let is_left_out = line.contains(OWN) && LEFT_OUT.iter().any(|word| bare.to_lowercase().contains(word));
    if let Some(file) = ATTACHED.iter().find_map(|mark| bare.strip_suffix(mark)) {
        return sign_of(file).unwrap_or(IMAGE).to_owned();
    }
    if is_bracketed || is_left_out || is_plain_notice(bare) {
        return sign_of(bare).unwrap_or(IMAGE).to_owned();
    }
    // A caption before the file (iOS).
    if let Some((caption, file)) = line.rsplit_once('<')
        && caption.ends_with(OWN)
        && file.trim_end().ends_with('>')
        && file.contains(':')
    {
        return format!("{} {}", caption.trim_end_matches(OWN).trim_end(), sign_of(file).unwrap_or(IMAGE));
    }
    line.to_owned()
}

/// What iOS writes for a file, copied without its mark.
fn is_plain_notice(bare: &str) -> bool {
    [
        "图片已忽略",
        "图像已忽略",
        "视频已忽略",
        "音频已忽略",
        "贴图已忽略",
        "image omitted",
        "video omitted",
        "audio omitted",
    ]
    .contains(&bare)
}

/// The sign for a file of another kind than a picture.
fn sign_of(words: &str) -> Option<&'static str> {
    let words = words.to_lowercase();
    SIGNS.iter().find(|(names, _)| names.iter().any(|name| words.contains(name))).map(|&(_, sign)| sign)
}
