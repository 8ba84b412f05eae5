// @ts-check
// Findings in simplified Chinese, by their code and values; the daemon says them in English.

/** @typedef {import('./api.js').Evidence} Evidence */

/**
 * Findings in Chinese, by code; `not_prose` by its reason and visible labels by their extent too. A part in square brackets
 * is left out if a value in it is empty. The command line has the same for all but the statistics.
 * @type {Record<string, string>}
 */
const FINDINGS_ZH = {
  not_scored: '模型没有给出可用的数值，因此无法对这段文本作任何说明。',
  'not_prose.few_letters': '这段文本大多是数字、符号或表情；统计只对连贯的文章有意义。',
  'not_prose.long_words': '这段文本大多是链接或没有间断的字符串；统计只对连贯的文章有意义。',
  'not_prose.code': '这段文本像是程序代码或标记；统计只对连贯的文章有意义。',
  'not_prose.repetitive': '这段文本重复很多，无论谁写都容易预测；统计只对连贯的文章有意义。',
  too_short: '这段文本太短，无法判断：只有 {words} 词，少于 {minimum} 词时偶然因素太大。',
  language_unknown: '无法确定这段文本的语言，因此没有可以比较的数据。',
  language_not_calibrated: '这段文本的语言似乎是“{language}”，而校准数据只包含：{calibrated}。其数值无从比较。',
  no_calibration: '这个语言模型没有校准数据，因此没有可以比较的数据。',
  plain_numbers: '在语言模型看来，每一个后续片段的不确定程度约等于在 {perplexity} 个等可能的选项中选择（困惑度），其中 {percent} % 的片段在它的前十个猜测之内。',
  well_known: '模型觉得这段文本（困惑度 {perplexity}）比所有用来比较的生成文本都更容易预测。名篇、常被转载的文字和套话都是这样，因此无法判断来源。',
  between_thresholds: '数值不足以下结论：最多有 {percent_human} % 的同类人类文本至少同样像模型写的（上限 {limit_human} %），最多有 {percent_ai} % 的同类生成文本至少同样像人写的（上限 {limit_ai} %）。',
  unlike_both: '这些数值对双方都不寻常：最多有 {percent_human} % 的同类人类文本这样像模型写的，最多有 {percent_ai} % 的同类生成文本这样像人写的。这类文本不在比较范围之内。',
  combined_ai: '综合来看，数值像模型写的：每 1000 篇同类人类文本中，最多只有 {per_thousand} 篇同样像模型写的。估计概率：{probability} %。',
  combined_human: '综合来看，数值像人写的：每 1000 篇同类生成文本中，最多只有 {per_thousand} 篇同样像人写的。由模型写成的估计概率：{probability} %。',
  mixed_parts: '有些段落像模型写的，有些像人写的：共 {sentences} 句，其中 {sentences_ai} 句所在的段落像模型写的，{sentences_human} 句所在的段落像人写的。',
  caveat: '这里比较的是统计特征，不能证明任何事：测试中每 1000 篇人类文本最多有 {per_thousand} 篇被误认为是模型写的；正式、套路化或常被转载的文字风险更高。',
  predictability_ai: '模型觉得用词（困惑度 {perplexity}）容易预测，与模型的文本相似；至多 {percent} % 的人类文本达到这种程度。',
  predictability_human: '模型觉得用词（困惑度 {perplexity}）难以预测，与人的文本相似；至多 {percent} % 的生成文本达到这种程度。',
  predictability_usual: '用词的可预测程度（困惑度 {perplexity}）在人和模型的文本中都常见。',
  first_choices_ai: '有 {share} % 的词在模型的前十个猜测之内，高于人类通常的水平；至多 {percent} % 的人类文本达到这种程度。',
  first_choices_human: '只有 {share} % 的词在模型的前十个猜测之内，低于模型通常的水平；至多 {percent} % 的生成文本达到这种程度。',
  first_choices_usual: '有 {share} % 的词在模型的前十个猜测之内，人和模型都常见。',
  evenness_ai: '平淡与意外的词变化不大，像模型均匀的文风；至多 {percent} % 的人类文本达到这种程度。',
  evenness_human: '平淡与意外的词变化很大，像人生动的文风；至多 {percent} % 的生成文本达到这种程度。',
  evenness_usual: '平淡与意外的词的变化程度人和模型都常见。',
  curvature_ai: '与从模型自己的猜测中随机抽取的词相比，这段文本的用词明显更为可能；至多 {percent} % 的人类文本达到这种程度。',
  curvature_human: '与从模型自己的猜测中随机抽取的词相比，这段文本的用词明显更不可能；至多 {percent} % 的生成文本达到这种程度。',
  curvature_usual: '与从模型自己的猜测中随机抽取的词相比，用词的可能程度人和模型都常见。',
  falls_apart: '越到后面，用词越难预测，像是让模型选词过于随意，文本逐渐失去条理；至多 {percent} % 的人类文本达到这种程度。',
  sentence_ai: '这个句子及其前后文字最像模型写的（由模型写成的估计概率：{probability} %）。',
  sentence_human: '这个句子及其前后文字最像人写的（由模型写成的估计概率：{probability} %）。',

  watermark: '此处带有密钥“{key}”[（{who}）]的水印：在没有水印的文本中，偶然达到这种程度的至多占 {one_in}（{tokens} 个词元，z = {z}，共试 {keys} 个密钥）。',
  watermark_public: '此处带有密钥“{key}”[（{who}）]的水印：在没有水印的文本中，偶然达到这种程度的至多占 {one_in}（{tokens} 个词元，z = {z}，共试 {keys} 个密钥）。这个密钥是公开的，任何人都能加上这种水印，因此它只提示可能出自模型，并不作任何声明。',
  watermark_weak: '此处可能带有密钥“{key}”[（{who}）]的水印：在没有水印的文本中，偶然达到这种程度的至多占 {one_in}（{tokens} 个词元，z = {z}，共试 {keys} 个密钥）。这样的巧合还不够罕见，不足以作为依据。',
  hidden_message: '这段文本含有看不见的字符，其中写着：“{message}”（{bytes} 字节，编码方式：{encoding}）。是谁放进去的，为了什么，都无从得知。',
  hidden_run: '有 {count} 个看不见的字符连在一起。其中可能藏有内容，但在这里无法解读。',
  hidden_zero_width: '没有宽度的字符：{count} 个。复制的网页、编辑器和聊天机器人都会留下这类字符，因此说明不了什么。',
  hidden_bidi: '看不见的书写方向标记：{count} 个，而这段文本并不需要它们。复制的网页、编辑器和聊天机器人都会留下这类字符，因此说明不了什么。',
  hidden_tags: '看不见的标签字符：{count} 个。复制的网页、编辑器和聊天机器人都会留下这类字符，因此说明不了什么。',
  hidden_selectors: '看不见的变体选择符：{count} 个，它们没有选择任何字形。复制的网页、编辑器和聊天机器人都会留下这类字符，因此说明不了什么。',
  hidden_other: '看不见的字符：{count} 个。复制的网页、编辑器和聊天机器人都会留下这类字符，因此说明不了什么。',
  hidden_soft_hyphens: '软连字符：{count} 个，位于单词不会断开的地方。复制的网页、编辑器和聊天机器人都会留下这类字符，因此说明不了什么。',
  hidden_narrow_spaces: '窄的不换行空格：{count} 个，位于这种语言通常不用它的地方。复制的网页、编辑器和聊天机器人都会留下这类字符，因此说明不了什么。',
  leftover_markup: '这段文本中有复制聊天机器人（{product}）的回答时会留下的标记：“{example}”。至少有一部分经过了聊天机器人；其余部分是谁写的，由此无从得知。',
  leftover_link: '这段文本中有一个链接是从聊天机器人的回答中复制来的：“{example}”。这说明链接是在哪里找到的，几乎说明不了文本是谁写的。',
  leftover_phrase: '这段文本中有聊天机器人谈到自己时的说法：“{example}”。',
  leftover_quoted: '这段文本中有聊天机器人（{product}）会留下的痕迹（“{example}”），但可能只是引用：它们位于引号或代码之中，或者文本谈的就是聊天机器人。',
  'label_visible.whole': '这段文本自己标明由 AI 生成：“{label}”。',
  'label_visible.part': '这段文本自己标明有一部分由模型写成，或有模型协助：“{label}”。',
  label_alone: '这段文本的开头或结尾有单独一行看起来像 AI 生成标识：“{label}”。它也可能是标题、图片说明或引用，因此不算声明。',
  label_inside: '这段文本中间有一行看起来像 AI 生成标识：“{label}”。它可能是举例，也可能只针对其中一部分。',
  aigc_generated: '{place}有中国国家标准 GB 45438-2025 规定的机器可读标识，注明内容由模型生成[（服务提供者：{producer}）][（编号：{number}）]。任何人都可以添加或去掉这种标识。',
  aigc_possible: '{place}有中国国家标准 GB 45438-2025 规定的机器可读标识，注明内容可能由模型生成[（服务提供者：{producer}）][（编号：{number}）]。任何人都可以添加或去掉这种标识。',
  aigc_suspected: '{place}有中国国家标准 GB 45438-2025 规定的机器可读标识，注明内容疑似由模型生成[（服务提供者：{producer}）][（编号：{number}）]。任何人都可以添加或去掉这种标识。',
  aigc_bare: '这段文本的开头或结尾有生成内容的机器可读标识（取值 {label}），但没有服务提供者的名称，也没有编号。它可能只是举例，因此不算声明。',
  aigc_inside: '这段文本中间有生成内容的机器可读标识（取值 {label}）。它可能是举例，也可能只针对其中一部分。',
  source_generated: '网页声明其内容由训练过的模型生成（数字来源类型“{term}”）。',
  source_composite: '网页声明其内容有一部分由训练过的模型生成，或有这种模型协助（数字来源类型“{term}”）。',
  source_other: '网页声明其内容的来源不是训练过的模型（数字来源类型“{term}”）。',
  page_disclosure: '网页在其头部声明内容由模型生成（“{name}”：“{content}”）。',
  page_generator: '网页注明由程序“{generator}”生成，这可能指文字，也可能只指版面。',
  c2pa_generated: '这段文本附有 C2PA 清单（一种来源声明），其中注明来源是训练过的模型（“{term}”）。这里既没有核对它的签名，也没有核对它是否正好属于这些文字。',
  c2pa_composite: '这段文本附有 C2PA 清单（一种来源声明），其中注明有一部分来自训练过的模型，或有这种模型协助（“{term}”）。这里既没有核对它的签名，也没有核对它是否正好属于这些文字。',
  c2pa_other: '这段文本附有 C2PA 清单（一种来源声明），其中注明来源不是训练过的模型（“{term}”）。这里既没有核对它的签名，也没有核对它是否正好属于这些文字。',
  c2pa_unclear: '这段文本中有一份 C2PA 清单（一种来源声明），其中提到训练过的模型（“{term}”）。但它位于文本中间，或者可能只是举例，或者还提到别的来源，因此不算声明。这里既没有核对它的签名，也没有核对它是否正好属于这些文字。',
  c2pa_manifest: '这段文本附有 C2PA 清单（一种来源声明），其中没有注明数字来源类型。这里既没有核对它的签名，也没有核对它是否正好属于这些文字。',
  c2pa_reference: '这段文本提到一份 C2PA 清单（一种来源声明），存放在 {url}。这里没有去读取它。',
  signed_own: '这段文本于 {date} 用您自己的密钥“{contact}”签名。',
  signed_trusted: '这段文本由 {author} 于 {date} 签名，所用密钥属于您的联系人 {contact}。',
  signed_published: '这段文本由 {author} 于 {date} 签名，所用密钥由 {identity} 公布。',
  signed_partly: '这段文本有一部分由 {author} 于 {date} 签名；对其余部分，签名没有作任何说明。',
  signed_excerpt: '{author} 签名的一篇文本共有 {total} 段，这里有其中 {found} 段。',
  signed_unknown_key: '这段文本于 {date} 以 {author}[（{identity}）] 的名义签名；密钥是谁的，无从得知。',
  signed_key_changed: '这段文本于 {date} 以 {author} 的名义签名，但所用密钥不是 {identity} 以前为人所知的那一个。',
  signed_expired: '这段文本于 {date} 以 {author} 的名义签名，但声明或密钥不在有效期内。',
  signed_revoked: '这段文本于 {date} 以 {author} 的名义签名，但密钥已被吊销。',
  signed_altered: '这段文本附有签名，但文字不是所签的文字，或者不只是所签的文字。',
  signed_malformed: '这段文本附有看起来像作者签名的内容，但它不是有效的签名。',
  c2pa_damaged: '这段文本含有一份无法读取的 C2PA 清单（一种来源声明）：{reason}。它可能被截断或改动过，也可能根本不是清单。',
};

/**
 * Values that are words of ours, by name and value.
 * @type {Record<string, string>}
 */
const WORDS_ZH = {
  'place.text': '文本中',
  'place.page': '网页中',
  'place.hidden': '隐藏字符中',
  'encoding.tags': '标签字符',
  'encoding.variation_selectors': '变体选择符',
  'encoding.bits': '以两种零宽字符表示的二进制',
  'reason.header': '开头不符',
  'reason.version': '版本未知',
  'reason.truncated': '内容不完整',
  'reason.armour': '封装格式有误',
  'reason.not_a_store': '内容不是清单',
  'product.chatbots': '多种产品',
};

/** Values that are nothing but such words: one without a translation leaves the whole finding in English. */
const OURS = ['place', 'encoding', 'reason'];

/**
 * The finding in Chinese, if there is a template for it and no value is missing.
 * @param {Evidence} evidence
 */
export function chinese({ code, values = {} }) {
  const template = [code, `${code}.${values['reason']}`, `${code}.${values['extent']}`]
    .map((name) => own(FINDINGS_ZH, name)).find((found) => found !== undefined);
  if (template === undefined) return undefined;
  const parts = template.replace(/\[([^\]]*)\]/g, (_, part) => ([...part.matchAll(/\{(\w+)\}/g)].every(([, name]) => own(values, name)) ? part : ''));
  /** @type {Record<string, string>} */
  const said = {};
  for (const [name, value] of Object.entries(values)) {
    const word = name === 'one_in' ? oneIn(value) : own(WORDS_ZH, `${name}.${value}`) ?? (OURS.includes(name) ? undefined : value);
    if (word !== undefined) said[name] = word;
  }
  return fill(parts, said);
}

/**
 * `1 in 4 million` in the units of Chinese.
 * @param {string} value
 */
function oneIn(value) {
  const [, digits = '', unit] = /^1 in (\d+|10\^\d+)(?: (million|billion))?$/.exec(value) ?? [];
  const count = Number(digits);
  if (digits === '' || (unit && Number.isNaN(count))) return undefined;
  if (unit === 'million') return count < 100 ? `${count * 100} 万分之一` : `${count / 100} 亿分之一`;
  return unit === 'billion' ? `${count * 10} 亿分之一` : `${digits} 分之一`;
}

/**
 * @template T
 * @param {Record<string, T>} table
 * @param {string} key
 * @returns {T|undefined}
 */
export function own(table, key) {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/**
 * Puts values into a template; nothing if one is missing.
 * @param {string} template
 * @param {Record<string, string|number>} values
 * @returns {string|undefined}
 */
export function fill(template, values) {
  let whole = true;
  const filled = template.replace(/\{(\w+)\}/g, (_, name) => {
    const value = own(values, name);
    if (value === undefined) whole = false;
    return String(value ?? '');
  });
  return whole ? filled : undefined;
}
