//! What Chinese labels say.

use super::{Extent, Said, Tail, without};

/// What names the text itself.
const SUBJECTS: &[&str] = &[
    "本文",
    "本文章",
    "本篇文章",
    "本篇",
    "本文档",
    "本文本",
    "本文内容",
    "本文全文",
    "本内容",
    "本页",
    "本页面",
    "本页内容",
    "本页面内容",
    "本回答",
    "本回复",
    "本消息",
    "本报告",
    "本帖",
    "本故事",
    "本摘要",
    "以上内容",
    "上述内容",
    "以上回答",
];
/// What may be something else that stands nearby.
const NEARBY: &[&str] = &[
    "此文",
    "此内容",
    "该内容",
    "以下内容",
    "上文",
    "内容",
    "文章",
    "文本",
    "全文",
    "回答",
    "作品",
    "本作品",
];
const PARTS: &[&str] =
    &["本文部分内容", "部分内容", "文中部分内容", "本文部分", "本文部分文字", "本文有部分内容"];
const LINKS: &[&str] = &["由", "均由", "全部由", "完全由", "系由", "是由", "为", "均为", "系", "是"];
/// These may be said of a tool as well.
const BY_MEANS: &[&str] = &["通过", "使用", "借助", "利用", "经", "运用"];
const AGENTS: &[&str] = &[
    "ai",
    "人工智能",
    "人工智能(ai)",
    "ai(人工智能)",
    "ai大模型",
    "人工智能大模型",
    "大模型",
    "大语言模型",
    "ai助手",
    "人工智能技术",
    "ai技术",
    "ai模型",
    "ai工具",
    "生成式ai",
    "生成式人工智能",
];
/// Names that nobody bears, with "生成" after them.
const PRODUCTS: &[&str] = &[
    "chatgpt",
    "gpt",
    "deepseek",
    "深度求索",
    "文心一言",
    "通义千问",
    "讯飞星火",
    "智谱清言",
    "腾讯元宝",
    "腾讯混元",
    "豆包",
    "kimi",
];
const VERBS: &[&str] = &["生成", "合成", "生成合成", "生成/合成", "生成或合成"];
const ENDS: &[&str] = &["内容", "的内容", "文本", "的文本", "作品", "而成", "的"];

/// What a line in lower case says, if it is a label.
pub(super) fn read(line: &str) -> Option<Said> {
    let line: String = line.chars().filter(|c| *c != ' ').collect();
    let (rest, mut extent, named) = if let Some(rest) = without(&line, PARTS) {
        (rest, Extent::Part, true)
    } else if let Some(rest) = without(&line, SUBJECTS) {
        (rest, Extent::Whole, true)
    } else {
        (without(&line, NEARBY).unwrap_or(&line), Extent::Whole, false)
    };
    let (rest, linked) = if let Some(rest) = without(rest, BY_MEANS) {
        extent = Extent::Part;
        (rest, true)
    } else {
        without(rest, LINKS).map_or((rest, false), |rest| (rest, true))
    };
    let rest = agent(rest)?;
    let rest = match without(rest, &["辅助", "协助", "参与"]) {
        Some(rest) => {
            extent = Extent::Part;
            rest
        }
        None => without(rest, &["自动"]).unwrap_or(rest),
    };
    let rest = without(rest, VERBS)?;
    let rest = without(rest, ENDS).unwrap_or(rest);
    if !rest.is_empty() && !rest.starts_with(SEPARATORS) {
        return None;
    }
    let tail = Tail::of(rest.split(SEPARATORS), advice);
    Some(Said { extent, firm: named && linked, more: false }.with(tail))
}

const SEPARATORS: [char; 6] = ['。', '.', '!', ',', ';', '、'];

fn agent(text: &str) -> Option<&str> {
    if let Some(rest) = without(text, AGENTS) {
        return Some(rest);
    }
    let rest = without(text, PRODUCTS)?;
    let version = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let length = rest.chars().take(8).take_while(|&c| version(c)).count();
    Some(without(&rest[length..], &["大模型", "模型", "助手"]).unwrap_or(&rest[length..]))
}

/// What services put after the label.
fn advice(text: &str) -> Tail {
    const FIXED: &[&str] = &[
        "仅供参考",
        "内容仅供参考",
        "结果仅供参考",
        "仅作参考",
        "请仔细甄别",
        "请注意甄别",
        "请谨慎甄别",
        "请自行甄别",
        "请甄别",
        "注意甄别",
        "请仔细辨别",
        "请注意辨别",
        "请仔细核实",
        "请注意核实",
        "请自行核实",
        "请核实",
        "请注意核对",
        "请自行判断",
        "请谨慎参考",
        "请谨慎使用",
        "可能有误",
        "可能存在错误",
        "可能包含错误",
        "内容可能有误",
        "不代表本站观点",
        "不代表平台观点",
    ];
    const EDITED: &[&str] = &["审核", "校对", "修改", "编辑", "润色", "审校", "核对", "整理"];
    if FIXED.contains(&text) {
        Tail::Advice
    } else if text.chars().count() <= 14 && EDITED.iter().any(|word| text.contains(word)) {
        Tail::Edited
    } else {
        Tail::Other
    }
}
