//! Everything the command line says to a person about a text, in English and simplified Chinese.

mod zh;

use crate::train::style::Likeness;
use crate::train::style::run::FOUND;
use bonafide_core::verdict::{Evidence, Verdict};

/// A language of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Lang {
    /// English
    En,
    /// 简体中文
    Zh,
}

impl Lang {
    /// The language that the environment asks for: `LC_ALL`, `LC_MESSAGES`, `LANG`, the first that is set.
    pub fn from_env() -> Self {
        Self::of(&locale())
    }

    /// The language of the interface for a locale or a BCP 47 tag: English for all that are not Chinese.
    pub fn of(tag: &str) -> Self {
        if tag.to_ascii_lowercase().starts_with("zh") { Self::Zh } else { Self::En }
    }

    /// The fixed texts of this language.
    pub fn texts(self) -> &'static Texts {
        match self {
            Self::En => &EN,
            Self::Zh => &ZH,
        }
    }
}

/// The locale that the environment asks for; empty if it asks for none.
pub(super) fn locale() -> String {
    let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
    ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set).unwrap_or_default()
}

/// The fixed texts of a language.
#[derive(Debug)]
pub struct Texts {
    /// The six verdicts, in the order of [`Verdict`].
    verdicts: [&'static str; 6],
    /// Before the probability that a model wrote a block.
    pub probability: &'static str,
    /// Before the p-value.
    pub p_value: &'static str,
    /// After a number of words.
    pub words: &'static str,
    /// Above the reasons.
    pub reasons: &'static str,
    /// Before the number of weak findings that are not shown.
    pub left_out: &'static str,
    /// Above what the report can't tell.
    pub limits: &'static str,
    /// What no report of this kind can tell.
    pub standing_limits: &'static [&'static str],
    /// What the colours or the numbers before the sentences mean.
    pub legend_colour: &'static str,
    /// The same for output without colours.
    pub legend_plain: &'static str,
    /// What the p-value means.
    pub legend_p_value: &'static str,
    /// What it means that a text sounds like an author.
    pub legend_author: &'static str,
    /// After the text of a block that is too short.
    pub too_short: &'static str,
    /// Names of the columns of the token table.
    pub token_columns: [&'static str; 4],
    /// Before the number of blocks.
    pub blocks: &'static str,
    /// Before the name of the model.
    pub model: &'static str,
    /// Before the version of the calibration.
    pub calibration: &'static str,
    /// In place of the version of the calibration.
    pub no_calibration: &'static str,
    /// Beside the progress bar.
    pub progress: &'static str,
}

impl Texts {
    /// A verdict in words.
    pub fn verdict(&self, verdict: Verdict) -> &'static str {
        let [human_signed, likely_human, unclear, mixed, likely_ai, declared_ai] = self.verdicts;
        match verdict {
            Verdict::HumanSigned => human_signed,
            Verdict::LikelyHuman => likely_human,
            Verdict::Unclear => unclear,
            Verdict::Mixed => mixed,
            Verdict::LikelyAi => likely_ai,
            Verdict::DeclaredAi => declared_ai,
        }
    }
}

static EN: Texts = Texts {
    verdicts: ["signed by a human", "likely human", "unclear", "mixed", "likely AI", "declared AI"],
    probability: "probability of AI ",
    p_value: "p-value ",
    words: " words",
    reasons: "Why",
    left_out: "left out, because they say little: ",
    limits: "What this can't tell",
    standing_limits: &[
        "A text is compared with others; nobody is caught. Never use a verdict as the only ground for a decision about a person.",
        "Text that was edited, translated or paraphrased can look like either side. \"Unclear\" says nothing about the author.",
    ],
    legend_colour: "Sentences: orange looks like a model's, underlined strongly so; blue looks like a human's; plain is in between.",
    legend_plain: "The number before a sentence is the probability that a model wrote the passage around it.",
    legend_p_value: "p-value: the share of comparable human texts that look at least as much like a model's.",
    legend_author: "p-value for an author: the share of texts by other people that sound at least as much like the author. Subjects count as well as style, and a model told to imitate the author may sound like them.",
    too_short: "too short to judge",
    token_columns: ["token", "log-probability", "rank", "entropy"],
    blocks: "blocks: ",
    model: "model ",
    calibration: "calibration ",
    no_calibration: "no calibration for this model",
    progress: "reading",
};

static ZH: Texts = Texts {
    verdicts: ["真人已签名", "像是人写的", "无法判断", "人机混合", "像是 AI 写的", "已声明为 AI 生成"],
    probability: "AI 概率 ",
    p_value: "p 值 ",
    words: " 词",
    reasons: "依据",
    left_out: "还有几乎说明不了什么的发现，此处略去：",
    limits: "这份结果不能说明什么",
    standing_limits: &[
        "这里只是把文本与其他文本作比较，并不能证明谁写了它。切勿仅凭此结果对任何人作出决定。",
        "经过编辑、翻译或改写的文本可能像任何一方所写。“无法判断”不代表对作者有任何看法。",
    ],
    legend_colour: "句子颜色：橙色像模型所写（下划线表示非常像），蓝色像人所写，无色介于两者之间。",
    legend_plain: "句子前的数字是其所在段落由模型写成的概率。",
    legend_p_value: "p 值：同类人类文本中，至少同样像模型所写的比例。",
    legend_author: "作者 p 值：他人的文本中，至少同样像该作者所写的比例。题材和文风都会影响结果；受命模仿该作者的模型也可能写得像。",
    too_short: "太短，无法判断",
    token_columns: ["词元", "对数概率", "排名", "熵"],
    blocks: "文本块：",
    model: "模型 ",
    calibration: "校准 ",
    no_calibration: "此模型没有校准数据",
    progress: "正在阅读",
};

/// A finding in the language of the interface, in English if there is no translation of it.
pub fn evidence(lang: Lang, evidence: &Evidence) -> String {
    match lang {
        Lang::En => evidence.message.clone(),
        Lang::Zh => zh::finding(evidence).unwrap_or_else(|| evidence.message.clone()),
    }
}

/// How a text compares with an author.
pub fn likeness(lang: Lang, likeness: &Likeness) -> String {
    let Likeness { name, log_likelihood_ratio: ratio, p_value, others, tokens } = likeness;
    let alike = *p_value <= FOUND;
    match lang {
        Lang::En => {
            let says = if alike { "sounds like" } else { "does not sound more than others like" };
            format!(
                "{says} {name}: log-likelihood ratio {ratio:+.3} nats a token, p-value {p_value:.3}, among {others} texts of \
                 others (the first {tokens} tokens of each)"
            )
        }
        Lang::Zh => {
            let says = if alike { "像" } else { "不比他人更像" };
            format!(
                "{says} {name} 写的：每词元对数似然比 {ratio:+.3} 奈特，p 值 {p_value:.3}，与 {others} 篇他人的文本相比（各取前 \
                 {tokens} 个词元）"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use bonafide_core::verdict::{EvidenceKind, PointsTo};

    fn finding(code: &str, values: &[(&str, &str)]) -> Evidence {
        Evidence {
            kind: EvidenceKind::Model,
            code: code.to_owned(),
            strength: 1.0,
            points_to: PointsTo::Neither,
            span: None,
            message: "In English.".to_owned(),
            values: values.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
        }
    }

    #[test]
    fn findings_are_translated_with_their_values() {
        let found = finding("too_short", &[("words", "7"), ("minimum", "40")]);
        assert_eq!(evidence(Lang::En, &found), "In English.");
        let translated = evidence(Lang::Zh, &found);
        assert!(translated.contains("7 词") && translated.contains("40 词"), "{translated}");
    }

    #[test]
    fn a_text_sounds_like_an_author_or_does_not_in_both_languages() {
        let say = |lang, p_value| {
            let (name, others, tokens) = ("Ada".to_owned(), 99, 240);
            likeness(lang, &Likeness { name, log_likelihood_ratio: 0.1254, p_value, others, tokens })
        };
        let english = say(Lang::En, 0.05);
        assert!(english.starts_with("sounds like Ada: log-likelihood ratio +0.125 nats"), "{english}");
        assert!(
            english.contains("p-value 0.050, among 99 texts of others (the first 240 tokens"),
            "{english}"
        );
        assert!(say(Lang::En, 0.06).starts_with("does not sound more than others like Ada"));
        assert!(
            say(Lang::Zh, 0.05).starts_with("像 Ada 写的") && say(Lang::Zh, 0.05).contains("各取前 240 个")
        );
        assert!(say(Lang::Zh, 0.06).starts_with("不比他人更像 Ada"));
    }

    #[test]
    fn what_has_no_translation_or_lacks_a_value_stays_english() {
        for found in
            [finding("of_tomorrow", &[]), finding("too_short", &[]), finding("not_prose", &[("reason", "x")])]
        {
            assert_eq!(evidence(Lang::Zh, &found), "In English.");
        }
    }
}
