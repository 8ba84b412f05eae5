//! What `bonafide verify` says, in English and simplified Chinese.

use crate::cli::messages::Lang;
use bonafide_core::signature::check::{Outcome, Report};
use bonafide_core::signature::statement::Statement;

/// If there is no statement.
pub(super) fn nothing(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "nothing is signed here",
        Lang::Zh => "此处没有签名",
    }
}

/// That there is other text.
pub(super) fn unsigned(unsigned: u64, all: u64, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{unsigned} of all {all} words are not signed"),
        Lang::Zh => format!("全文 {all} 词中有 {unsigned} 词没有签名"),
    }
}

/// The result in a few words.
pub(super) fn outcome(outcome: Outcome, lang: Lang) -> &'static str {
    match (outcome, lang) {
        (Outcome::Malformed, Lang::En) => "not valid",
        (Outcome::Altered, Lang::En) => "altered",
        (Outcome::Revoked, Lang::En) => "key revoked",
        (Outcome::Expired, Lang::En) => "expired",
        (Outcome::KeyChanged, Lang::En) => "KEY CHANGED",
        (Outcome::UnknownKey, Lang::En) => "unknown key",
        (Outcome::Excerpt, Lang::En) => "excerpt",
        (Outcome::Trusted, Lang::En) => "trusted",
        (Outcome::Published, Lang::En) => "published",
        (Outcome::Malformed, Lang::Zh) => "无效",
        (Outcome::Altered, Lang::Zh) => "已被改动",
        (Outcome::Revoked, Lang::Zh) => "密钥已吊销",
        (Outcome::Expired, Lang::Zh) => "已过期",
        (Outcome::KeyChanged, Lang::Zh) => "密钥已更换",
        (Outcome::UnknownKey, Lang::Zh) => "未知密钥",
        (Outcome::Excerpt, Lang::Zh) => "节选",
        (Outcome::Trusted, Lang::Zh) => "可信",
        (Outcome::Published, Lang::Zh) => "作者已公布此密钥",
    }
}

/// The result in a sentence.
pub(super) fn message(report: &Report, lang: Lang) -> String {
    if lang == Lang::En {
        return report.message.clone();
    }
    let name = report.statement.as_ref().map_or("", |statement| statement.author.name.as_str());
    let identity = report.statement.as_ref().and_then(|statement| statement.author.identity.as_deref());
    let identity = identity.unwrap_or_default();
    let (found, total) =
        report.paragraphs.as_ref().map_or((0, 0), |paragraphs| (paragraphs.found.len(), paragraphs.total));
    match report.result {
        Outcome::Malformed => format!("这不是有效的声明（{}）", report.message),
        Outcome::Altered if found > 0 => format!("文本已被改动：{total} 段中有 {found} 段与签名时相同"),
        Outcome::Altered => "文本与签名时不同，或声明已损坏".to_owned(),
        Outcome::Revoked => "签名所用的密钥已被吊销".to_owned(),
        Outcome::Expired => "声明或密钥已不在有效期内".to_owned(),
        Outcome::KeyChanged => format!("这不是 {identity} 以前使用的密钥"),
        Outcome::UnknownKey => format!("签名者自称 {name}，但对这个密钥一无所知"),
        Outcome::Excerpt => format!("{name} 所签文本 {total} 段中的 {found} 段"),
        Outcome::Trusted if report.own_key => {
            format!("用你自己的密钥 {} 签名", report.contact.as_deref().unwrap_or_default())
        }
        Outcome::Trusted => {
            format!("由你的联系人 {} 签名", report.contact.as_deref().unwrap_or_default())
        }
        Outcome::Published => format!("由 {name} 签名，{identity} 公布了此密钥"),
    }
}

/// Labels and values of what else is known.
pub(super) fn facts(report: &Report, lang: Lang) -> Vec<(&'static str, String)> {
    let label = |en, zh| if lang == Lang::En { en } else { zh };
    let mut facts = Vec::new();
    if let Some(statement) = &report.statement {
        let identity =
            statement.author.identity.as_ref().map_or(String::new(), |identity| format!(" ({identity})"));
        facts.push((
            label("author, by his own account", "作者自称"),
            statement.author.name.clone() + &identity,
        ));
        facts.push((label("dated", "日期"), statement.date.to_string()));
        facts.push((label("help", "所用帮助"), help(statement, lang)));
        if let Some(counts) = statement.written_here {
            let said = match lang {
                Lang::En => format!(
                    "{} keystrokes, {} deletions, {} revisions, {} active minutes, {} % pasted (the author's claim)",
                    counts.keystrokes,
                    counts.deletions,
                    counts.revisions,
                    counts.active_minutes,
                    counts.pasted_percent
                ),
                Lang::Zh => format!(
                    "击键 {}，删除 {}，修改 {}，活跃 {} 分钟，粘贴 {}%（作者自述）",
                    counts.keystrokes,
                    counts.deletions,
                    counts.revisions,
                    counts.active_minutes,
                    counts.pasted_percent
                ),
            };
            facts.push((label("written here", "在编辑器中写成"), said));
        }
    }
    if let Some(covers) = &report.covers {
        let quoted = if report.quotes == 0 { "" } else { label(", quoted", "，为引文") };
        let (words, begins, ends) = (covers.words, &covers.begins, &covers.ends);
        let said = match lang {
            Lang::En => format!("{words} words, “{begins} … {ends}”{quoted}"),
            Lang::Zh => format!("{words} 词，“{begins} … {ends}”{quoted}"),
        };
        facts.push((label("signed", "所签文字"), said));
    }
    if let Some(key) = &report.key {
        let touched = if key.touched { label(", signed with a touch", "，经触摸签名") } else { "" };
        facts.push((label("key", "密钥"), key.fingerprint.clone() + touched));
    }
    if let Some(paragraphs) =
        report.paragraphs.as_ref().filter(|paragraphs| paragraphs.found.len() < paragraphs.total)
    {
        let missing: Vec<String> = (1..=paragraphs.total)
            .filter(|number| !paragraphs.found.contains(number))
            .map(|number| number.to_string())
            .collect();
        facts.push((label("paragraphs that are not here", "此处没有的段落"), missing.join(", ")));
    }
    if let Some(revoked) = report.revoked {
        facts.push((label("key revoked", "密钥吊销于"), revoked.at.to_string()));
    }
    facts
}

fn help(statement: &Statement, lang: Lang) -> String {
    match (statement.assistance.as_str(), lang) {
        ("none", Lang::Zh) => "无".to_owned(),
        ("spelling", Lang::Zh) => "拼写检查".to_owned(),
        ("translation", Lang::Zh) => "翻译".to_owned(),
        (other, _) => other.to_owned(),
    }
}
