//! Everything the command line says to a person about a text, in English and simplified Chinese.

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
        let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set).unwrap_or_default();
        if locale.to_ascii_lowercase().starts_with("zh") { Self::Zh } else { Self::En }
    }

    /// The fixed texts of this language.
    pub fn texts(self) -> &'static Texts {
        match self {
            Self::En => &EN,
            Self::Zh => &ZH,
        }
    }
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
    limits: "What this can't tell",
    standing_limits: &[
        "A text is compared with others; nobody is caught. Never use a verdict as the only ground for a decision about a person.",
        "Text that was edited, translated or paraphrased can look like either side. \"Unclear\" says nothing about the author.",
    ],
    legend_colour: "Sentences: orange looks like a model's, underlined strongly so; blue looks like a human's; plain is in between.",
    legend_plain: "The number before a sentence is the probability that a model wrote the passage around it.",
    legend_p_value: "p-value: the share of comparable human texts that look at least as much like a model's.",
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
    limits: "这份结果不能说明什么",
    standing_limits: &[
        "这里只是把文本与其他文本作比较,并不能证明谁写了它。切勿仅凭此结果对任何人作出决定。",
        "经过编辑、翻译或改写的文本可能像任何一方所写。“无法判断”不代表对作者有任何看法。",
    ],
    legend_colour: "句子颜色:橙色像模型所写(下划线表示非常像),蓝色像人所写,无色介于两者之间。",
    legend_plain: "句子前的数字是其所在段落由模型写成的概率。",
    legend_p_value: "p 值:同类人类文本中,至少同样像模型所写的比例。",
    too_short: "太短,无法判断",
    token_columns: ["词元", "对数概率", "排名", "熵"],
    blocks: "文本块:",
    model: "模型 ",
    calibration: "校准 ",
    no_calibration: "此模型没有校准数据",
    progress: "正在阅读",
};

/// A finding in the language of the interface, in English if there is no translation of it.
pub fn evidence(lang: Lang, evidence: &Evidence) -> String {
    match lang {
        Lang::En => evidence.message.clone(),
        Lang::Zh => {
            template_zh(&evidence.code, evidence.values.get("reason").map(String::as_str).unwrap_or_default())
                .and_then(|template| fill(template, evidence))
                .unwrap_or_else(|| evidence.message.clone())
        }
    }
}

/// Puts the values into a template; `None` if one is missing.
fn fill(template: &str, evidence: &Evidence) -> Option<String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}')?;
        filled.push_str(before);
        filled.push_str(evidence.values.get(name)?);
        rest = tail;
    }
    filled.push_str(rest);
    Some(filled)
}

fn template_zh(code: &str, reason: &str) -> Option<&'static str> {
    Some(match code {
        "not_scored" => "模型没有给出可用的数值,因此无法对这段文本作任何说明。",
        "not_prose" => match reason {
            "few_letters" => "这段文本大多是数字、符号或表情;统计只对连贯的文章有意义。",
            "long_words" => "这段文本大多是链接或没有间断的字符串;统计只对连贯的文章有意义。",
            "code" => "这段文本像是程序代码或标记;统计只对连贯的文章有意义。",
            "repetitive" => "这段文本重复很多,无论谁写都容易预测;统计只对连贯的文章有意义。",
            _ => return None,
        },
        "too_short" => "这段文本太短,无法判断:只有 {words} 词,少于 {minimum} 词时偶然因素太大。",
        "language_unknown" => "无法确定这段文本的语言,因此没有可以比较的数据。",
        "language_not_calibrated" => {
            "这段文本的语言似乎是“{language}”,而校准数据只包含:{calibrated}。其数值无从比较。"
        }
        "no_calibration" => "这个语言模型没有校准数据,因此没有可以比较的数据。",
        "plain_numbers" => {
            "在语言模型看来,每一个后续片段的不确定程度约等于在 {perplexity} 个等可能的选项中选择(困惑度),其中 {percent} % 的片段在它的前十个猜测之内。"
        }
        "well_known" => {
            "模型觉得这段文本(困惑度 {perplexity})比所有用来比较的生成文本都更容易预测。名篇、常被转载的文字和套话都是这样,因此无法判断来源。"
        }
        "between_thresholds" => {
            "数值不足以下结论:最多有 {percent_human} % 的同类人类文本至少同样像模型所写(上限 {limit_human} %),最多有 {percent_ai} % 的同类生成文本至少同样像人所写(上限 {limit_ai} %)。"
        }
        "unlike_both" => {
            "这些数值对双方都不寻常:最多有 {percent_human} % 的同类人类文本这样像模型所写,最多有 {percent_ai} % 的同类生成文本这样像人所写。这类文本不在比较范围之内。"
        }
        "combined_ai" => {
            "综合来看,数值像模型所写:每 1000 篇同类人类文本中,最多只有 {per_thousand} 篇同样像模型。估计概率:{probability} %。"
        }
        "combined_human" => {
            "综合来看,数值像人所写:每 1000 篇同类生成文本中,最多只有 {per_thousand} 篇同样像人。由模型写成的估计概率:{probability} %。"
        }
        "mixed_parts" => {
            "有些段落像模型所写,有些像人所写:共 {sentences} 句,其中 {sentences_ai} 句所在的段落像模型所写,{sentences_human} 句所在的段落像人所写。"
        }
        "caveat" => {
            "这里比较的是统计特征,不能证明任何事:测试中每 1000 篇人类文本有 {per_thousand} 篇被误认为是模型所写;正式、套路化或常被转载的文字风险更高。"
        }
        "predictability_ai" => {
            "用词比人类通常的更容易预测(困惑度 {perplexity});至多 {percent} % 的人类文本达到这种程度。"
        }
        "predictability_human" => {
            "用词比模型通常的更难预测(困惑度 {perplexity});至多 {percent} % 的生成文本达到这种程度。"
        }
        "predictability_usual" => "用词的可预测程度(困惑度 {perplexity})人和模型都常见。",
        "first_choices_ai" => {
            "有 {share} % 的片段在模型最先猜的十个之中,高于人类通常的水平;至多 {percent} % 的人类文本达到这种程度。"
        }
        "first_choices_human" => {
            "只有 {share} % 的片段在模型最先猜的十个之中,低于模型通常的水平;至多 {percent} % 的生成文本达到这种程度。"
        }
        "first_choices_usual" => "有 {share} % 的片段在模型最先猜的十个之中,人和模型都常见。",
        "evenness_ai" => "全文的意外程度比人类通常的更均匀;至多 {percent} % 的人类文本达到这种程度。",
        "evenness_human" => "全文的意外程度比模型通常的起伏更大;至多 {percent} % 的生成文本达到这种程度。",
        "evenness_usual" => "全文意外程度的起伏人和模型都常见。",
        "curvature_ai" => {
            "用词比随机抽取更接近模型的偏好,高于人类通常的水平;至多 {percent} % 的人类文本达到这种程度。"
        }
        "curvature_human" => {
            "用词比随机抽取更远离模型的偏好,超过模型通常的水平;至多 {percent} % 的生成文本达到这种程度。"
        }
        "curvature_usual" => "用词与模型偏好的接近程度人和模型都常见。",
        "sentence_ai" => "这句所在的段落像模型所写({probability} %)。",
        "sentence_human" => "这句所在的段落像人所写(由模型写成的概率 {probability} %)。",
        _ => return None,
    })
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
    fn every_code_about_statistics_is_translated() {
        for code in bonafide_core::judge::Code::ALL {
            assert!(template_zh(code.as_str(), "code").is_some(), "{}", code.as_str());
        }
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
