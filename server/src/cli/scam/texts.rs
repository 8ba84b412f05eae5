//! What `bonafide scam` says of its own, in English and simplified Chinese. What the report says comes in its language.

use crate::cli::messages::Lang;
use bonafide_core::scam::{Risk, Side, Stage};

/// The fixed texts of a language.
#[derive(Debug)]
pub(super) struct Texts {
    /// Before the probability.
    pub(super) probability: &'static str,
    /// Before the stage.
    pub(super) stage: &'static str,
    /// Before the kind of scam.
    pub(super) pattern: &'static str,
    /// After the number of messages.
    pub(super) messages: &'static str,
    /// Above the findings.
    pub(super) reasons: &'static str,
    /// Before the number of messages that are not quoted.
    pub(super) left_out: &'static str,
    /// Above the advice.
    pub(super) advice: &'static str,
    /// Between the name of a hotline and its number.
    pub(super) colon: &'static str,
    /// Above what the report can't tell.
    pub(super) limits: &'static str,
    /// What no report of this kind can tell.
    pub(super) standing_limits: &'static [&'static str],
    /// Why the language model was not asked.
    pub(super) not_asked: &'static str,
    /// That it has no opinion.
    pub(super) no_opinion: &'static str,
    /// After times that have no zone.
    pub(super) local: &'static str,
    /// Before the version of the taxonomy and the model.
    pub(super) model: &'static str,
}

static EN: Texts = Texts {
    probability: "probability of a scam ",
    stage: "stage: ",
    pattern: "most like: ",
    messages: " messages",
    reasons: "Why",
    left_out: "and more of the kind: ",
    advice: "What to do",
    colon: ": ",
    limits: "What this can't tell",
    standing_limits: &[
        "It reads the words of this chat only: not the voice in a call, not the pictures, and not whether what is said is true.",
        "Honest people say some of this too, and a careful scammer none of it. Ask someone you trust before you pay.",
    ],
    not_asked: "The language model was not asked: the chat is short, or it would change nothing.",
    no_opinion: "The language model has no opinion on this chat: it reads English and Chinese, and the default model alone was trained for it.",
    local: "times as the export shows them",
    model: "taxonomy ",
};

static ZH: Texts = Texts {
    probability: "诈骗概率 ",
    stage: "阶段：",
    pattern: "最像：",
    messages: " 条消息",
    reasons: "依据",
    left_out: "同类的还有：",
    advice: "现在该做什么",
    colon: "：",
    limits: "这份结果不能说明什么",
    standing_limits: &[
        "这里只读了这段聊天的文字：听不到通话，看不到图片，也不知道对方说的是否属实。",
        "其中有些话正常人也会说，谨慎的骗子则可能一句不说。付款之前，请先问问您信任的人。",
    ],
    not_asked: "没有询问语言模型：聊天太短，或者问了也不会改变结果。",
    no_opinion: "语言模型对这段聊天没有看法：它只读中文和英文，而且只训练过默认模型。",
    local: "时间与导出文件一致",
    model: "分类体系 ",
};

/// The fixed texts of a language.
pub(super) fn of(lang: Lang) -> &'static Texts {
    match lang {
        Lang::En => &EN,
        Lang::Zh => &ZH,
    }
}

/// How dangerous it is, in words.
pub(super) fn risk(risk: Risk, lang: Lang) -> &'static str {
    match (risk, lang) {
        (Risk::None, Lang::En) => "nothing found",
        (Risk::Caution, Lang::En) => "caution",
        (Risk::Danger, Lang::En) => "danger",
        (Risk::None, Lang::Zh) => "未发现异常",
        (Risk::Caution, Lang::Zh) => "当心",
        (Risk::Danger, Lang::Zh) => "危险",
    }
}

/// How far it has gone, in words.
pub(super) fn stage(stage: Stage, lang: Lang) -> &'static str {
    match (stage, lang) {
        (Stage::Contact, Lang::En) => "making contact",
        (Stage::Trust, Lang::En) => "winning trust",
        (Stage::Hook, Lang::En) => "the bait is out",
        (Stage::Ask, Lang::En) => "asking for money, codes or access",
        (Stage::Drain, Lang::En) => "asking for more and more",
        (Stage::Contact, Lang::Zh) => "搭讪",
        (Stage::Trust, Lang::Zh) => "博取信任",
        (Stage::Hook, Lang::Zh) => "抛出诱饵",
        (Stage::Ask, Lang::Zh) => "索要钱财、验证码或权限",
        (Stage::Drain, Lang::Zh) => "不断加码",
    }
}

/// Kinds of scams by the names of the taxonomy.
const PATTERNS: &[(&str, &str, &str)] = &[
    ("account", "account takeover", "盗取账号"),
    ("advance_fee", "advance fee", "预付费用诈骗"),
    ("authority", "posing as an authority", "冒充公检法或机构"),
    ("extortion", "extortion", "敲诈勒索"),
    ("family", "posing as family or a friend", "冒充亲友"),
    ("investment", "investment scam (pig butchering)", "投资理财诈骗（杀猪盘）"),
    ("job", "job and task scam", "刷单、兼职诈骗"),
    ("link", "phishing link", "钓鱼链接"),
    ("loan", "loan scam", "贷款诈骗"),
    ("lottery", "lottery and prize scam", "中奖诈骗"),
    ("parcel", "parcel scam", "快递包裹诈骗"),
    ("recovery", "recovery scam", "追回损失诈骗"),
    ("romance", "romance scam", "婚恋交友诈骗"),
    ("shopping", "shopping and rental scam", "购物、租房诈骗"),
];

/// A kind of scam in words; its name where there are none.
pub(super) fn pattern(name: &str, lang: Lang) -> String {
    match (PATTERNS.iter().find(|(known, ..)| *known == name), lang) {
        (Some((_, words, _)), Lang::En) | (Some((.., words)), Lang::Zh) => (*words).to_owned(),
        (None, _) => name.replace('_', " "),
    }
}

/// Who wrote a message that has no name.
pub(super) fn side(side: Side, lang: Lang) -> &'static str {
    match (side, lang) {
        (Side::Them, Lang::En) => "them",
        (Side::Me, Lang::En) => "you",
        (Side::Them, Lang::Zh) => "对方",
        (Side::Me, Lang::Zh) => "您",
    }
}
