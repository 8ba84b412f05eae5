// @ts-check
// Everything that the page says, in English and simplified Chinese; the findings come in English from the daemon
// and are translated here by their code and values. No text accuses: a text looks like, it never is.

import { PAIR_EN, PAIR_ERRORS_ZH, PAIR_ZH } from './pairtexts.js';
import { chinese, fill, own } from './reasons.js';
import { SIGN_EN, SIGN_ERRORS_ZH, SIGN_ZH } from './signtexts.js';

/** @typedef {'en'|'zh'} Lang */
/** @typedef {import('./api.js').Evidence} Evidence */

const EN = {
  ...SIGN_EN,
  ...PAIR_EN,
  skip: 'Skip to the text',
  tagline: 'Who wrote this? Scored on this machine; nothing leaves it.',
  api: 'Documentation',
  language: 'Language',
  theme: 'Theme',
  themeAuto: 'Automatic',
  themeLight: 'Light',
  themeDark: 'Dark',
  lockedTitle: 'Open this page with its link',
  lockedText: 'So that nothing else on this machine can use the model unasked, this page needs the link that “bonafide serve” prints when it starts. A link works once. This prints a new one:',
  textTitle: 'Text',
  open: 'Open a file…',
  clear: 'Clear',
  show: 'Show',
  viewSentences: 'Sentences',
  viewWords: 'Words',
  edit: 'Edit',
  newText: 'New text',
  inputLabel: 'Text to judge',
  placeholder: 'Paste a text here, or drop a .txt, .md or .html file anywhere.',
  inputHint: 'A few hundred words are best; below 40 nothing can be said.',
  score: 'Judge the text',
  fileHtml: 'The main content of this page will be judged.',
  fileRemove: 'Remove',
  drop: 'Drop a text, Markdown or HTML file',
  reading: 'The text, sentence by sentence',
  readingHint: 'Arrow keys move from sentence to sentence; Enter goes into the words of a sentence, Escape back out.',
  retry: 'Try again',
  cancel: 'Cancel',
  welcomeTitle: 'Evidence, not accusations',
  welcome1: 'Everything stays here.',
  welcome1b: 'A small language model on this machine reads the text and notes how surprised it is by every word.',
  welcome2: 'You see why.',
  welcome2b: 'Each verdict comes with its reasons, its numbers and the rate at which such verdicts are wrong.',
  welcome3: '“Unclear” is an honest answer.',
  welcome3b: 'It is the default, and it says nothing about the author.',

  words_one: '{n} word',
  words: '{n} words',
  passages: '{n} passages',
  passage: 'Passage {i} of {n}',
  previous: 'Previous passage',
  next: 'Next passage',
  passagesList: 'All passages',

  said_human_signed: 'This text is signed by a human being, and the signature is good.',
  said_likely_human: 'This text looks like a human’s.',
  said_unclear: 'The numbers don’t settle who wrote this.',
  said_mixed: 'Parts of this text look like a model’s, and parts like a human’s.',
  said_likely_ai: 'This text looks like a model’s.',
  said_declared_ai: 'A watermark or a label says that a model made this text.',
  calm_unclear: 'That is a normal answer. It says nothing about the author, either way.',
  calm_declared: 'A mark or a label says so, and the statistics have no part in it. Labels can be added or taken away by anyone.',
  calm_accused: 'This compares statistics and proves nothing. Never decide about a person on this alone.',

  chip_human_signed: 'signed by a human',
  chip_likely_human: 'looks like a human’s',
  chip_unclear: 'unclear',
  chip_mixed: 'mixed',
  chip_likely_ai: 'looks like a model’s',
  chip_declared_ai: 'declared as a model’s',
  chip_pending: 'being read',

  all_human_signed: 'All {n} passages are signed by a human being.',
  all_likely_human: 'All {n} passages look like a human’s.',
  all_unclear: 'The numbers don’t settle who wrote these {n} passages.',
  all_mixed: 'All {n} passages look partly like a model’s and partly like a human’s.',
  all_likely_ai: 'All {n} passages look like a model’s.',
  all_declared_ai: 'All {n} passages are declared as a model’s.',
  of_passages: 'Of {n} passages, {list}.',
  so_far: 'Read so far, {n} of {all}: {list}.',
  of_human_signed_one: '{n} is signed by a human being',
  of_human_signed: '{n} are signed by a human being',
  of_likely_human_one: '{n} looks like a human’s',
  of_likely_human: '{n} look like a human’s',
  of_unclear_one: '{n} is unclear',
  of_unclear: '{n} are unclear',
  of_mixed_one: '{n} is mixed',
  of_mixed: '{n} are mixed',
  of_likely_ai_one: '{n} looks like a model’s',
  of_likely_ai: '{n} look like a model’s',
  of_declared_ai_one: '{n} is declared as a model’s',
  of_declared_ai: '{n} are declared as a model’s',

  reasons: 'Reasons',
  kind_watermark: 'Watermark',
  kind_hidden_characters: 'Hidden characters',
  kind_leftover: 'Left by a chatbot',
  kind_declared: 'Label',
  kind_signature: 'Signature',
  points_ai: 'towards a model',
  points_human: 'towards a human',
  points_neither: 'towards neither',
  strength: 'weight {n}',
  showInText: 'Show in the text',
  probability: 'Probability that a model wrote it',
  probabilityUnclear: 'Estimate, not enough for a verdict',
  probabilityDeclared: 'By the statistics alone',
  probabilityNoneDeclared: 'The statistics can’t judge this text, so they give no probability.',
  probabilityNone: 'No probability is given: this text can’t be judged.',
  gaugeHuman: 'a human’s',
  gaugeAi: 'a model’s',
  pRare: 'At most {n} in 1000 comparable human texts look at least this much like a model’s.',
  pShare: '{n} of comparable human texts look at least this much like a model’s.',

  numbers: 'Numbers',
  n_probability: 'Probability of a model',
  n_p_value: 'p-value (human texts)',
  n_words: 'Words',
  n_tokens: 'Tokens',
  n_language: 'Language',
  n_model: 'Model',
  n_calibration: 'Calibration',
  n_fpr: 'False positives, measured',
  n_target: 'False positives, aimed at',
  n_version: 'Program',
  noCalibration: 'none for this model',
  unknown: 'unknown',
  none: 'none',
  detectors: 'Detectors',
  detectorsNote: 'Higher means more like a model’s text, whatever the detector.',
  d_mean_logprob: 'Mean log-probability',
  d_log_rank: 'Log-rank',
  d_lrr: 'Likelihood to log-rank ratio',
  d_entropy: 'Entropy',
  d_top_1: 'Share of first guesses',
  d_top_10: 'Share in the first 10',
  d_top_100: 'Share in the first 100',
  d_top_1000: 'Share in the first 1000',
  d_fast_detectgpt: 'Fast-DetectGPT curvature',
  d_curvature: 'Curvature, per token',
  d_spread: 'Evenness of words',
  d_window_spread: 'Evenness of passages',
  d_min_k: 'Least likely words (min-k)',
  d_diversity: 'Diversity of the curve',
  d_lastde: 'Lastde',
  d_winsorised_logprob: 'Log-probability, Winsorised',
  d_decline: 'Falling apart towards the end',
  d_binoculars: 'Binoculars',

  limits: 'What the numbers can’t tell',
  limit1: 'They compare this text with others. They don’t show who wrote it, and must never be the only ground for a decision about a person.',
  limit2: 'Formal, formulaic or often-copied writing, and writing in a second language, can look like a model’s; edited or paraphrased model text can look like a human’s.',
  limitsMore: 'Documentation',
  copy: 'Copy JSON',
  copied: 'The report was copied as JSON.',
  notCopied: 'The browser did not allow copying.',

  legendSentences: 'The words around a sentence look',
  legendWords: 'Place of a word among the model’s guesses',
  legendHint: 'Point at a word, tap it, or press Enter on a sentence, for the numbers of single words.',
  level_ai2: 'very much like a model’s',
  level_ai1: 'rather like a model’s',
  level_mid: 'in between',
  level_human1: 'rather like a human’s',
  level_human2: 'very much like a human’s',
  level_none: 'no number',
  rank_1: 'the first',
  rank_10: '2 to 10',
  rank_100: '11 to 100',
  rank_1000: '101 to 1000',
  rank_more: 'beyond 1000',

  sentenceLabel: '{level}, {p}: {text}',
  sentenceLabelNone: '{level}: {text}',
  tipRank: 'Rank',
  tipRankValue: 'guess no. {n}',
  tipProbability: 'Probability',
  tipOneIn: '1 in {n}',
  tipChoices: 'Uncertainty here',
  tipChoicesValue: 'like {n} equal choices',
  tipFirst: 'The first word has nothing before it to be guessed from.',
  tipSentence: 'Sentence',
  tipSentenceValue: '{level} ({p})',

  working: 'Reading: {done} of {all} words',
  workingFile: 'Reading the page',
  waiting_loading: 'The model is being loaded; the text will be read as soon as it is there.',
  waiting_overloaded: 'The daemon is busy; this text is waiting for its turn.',
  done: 'Done. {verdict}',
  cancelled: 'Cancelled.',
  cancelledSome: 'Cancelled. What was read by then is shown.',
  engine: '{model} · {backend} · bonafide {version}',
  engineLoading: 'The model is being loaded.',

  e_empty: 'There is no text yet.',
  e_empty_hint: 'Paste one, or open a file.',
  e_unreachable: 'The daemon does not answer.',
  e_unreachable_hint: 'Is “bonafide serve” still running?',
  e_notText: 'This file does not look like text.',
  e_notText_hint: 'Open a .txt, .md or .html file in UTF-8; from a PDF or a Word document, copy the text.',
  e_fileLarge: 'This file is larger than 5 MB.',
  e_fileLarge_hint: 'Paste the part that matters.',
  e_unknown: 'Something went wrong in the daemon.',
};

/** @type {Record<keyof typeof EN, string>} */
const ZH = {
  ...SIGN_ZH,
  ...PAIR_ZH,
  skip: '跳到正文',
  tagline: '这是谁写的？在本机上分析，任何内容都不会离开。',
  api: '文档',
  language: '语言',
  theme: '外观',
  themeAuto: '自动',
  themeLight: '浅色',
  themeDark: '深色',
  lockedTitle: '请用专用链接打开此页面',
  lockedText: '为了不让本机上的其他程序擅自使用模型，此页面需要 bonafide serve 启动时显示的链接。每个链接只能使用一次。用下面的命令可以得到新的链接：',
  textTitle: '文本',
  open: '打开文件…',
  clear: '清空',
  show: '显示',
  viewSentences: '句子',
  viewWords: '词',
  edit: '编辑',
  newText: '新文本',
  inputLabel: '要分析的文本',
  placeholder: '在此粘贴文本，或把 .txt、.md、.html 文件拖到页面任意位置。',
  inputHint: '几百个词最合适；少于 40 个词无法判断。',
  score: '分析文本',
  fileHtml: '将分析此网页的主要内容。',
  fileRemove: '移除',
  drop: '拖放文本、Markdown 或 HTML 文件',
  reading: '逐句显示的文本',
  readingHint: '方向键在句子之间移动；回车键进入句中的词，Esc 键返回。',
  retry: '重试',
  cancel: '取消',
  welcomeTitle: '只给依据，不作指控',
  welcome1: '一切都留在本机。',
  welcome1b: '本机上的小型语言模型阅读文本，并记录每个词让它意外的程度。',
  welcome2: '您能看到原因。',
  welcome2b: '每个结论都附有依据、数值，以及这类结论出错的比率。',
  welcome3: '“无法判断”是诚实的回答。',
  welcome3b: '这是默认结论，不代表对作者有任何看法。',

  words_one: '{n} 词',
  words: '{n} 词',
  passages: '{n} 段',
  passage: '第 {i} 段，共 {n} 段',
  previous: '上一段',
  next: '下一段',
  passagesList: '所有段落',

  said_human_signed: '这段文本有真人的签名，签名有效。',
  said_likely_human: '这段文本像人写的。',
  said_unclear: '仅凭数值无法判断这是谁写的。',
  said_mixed: '这段文本有些部分像模型写的，有些部分像人写的。',
  said_likely_ai: '这段文本像模型写的。',
  said_declared_ai: '水印或标识表明这段文本由模型生成。',
  calm_unclear: '这是正常的结果，不代表对作者有任何看法。',
  calm_declared: '这是水印或标识所说的，与统计数值无关。标识可以由任何人添加或去掉。',
  calm_accused: '这里比较的是统计特征，不能证明任何事。切勿仅凭此结果对任何人作出决定。',

  chip_human_signed: '真人已签名',
  chip_likely_human: '像人写的',
  chip_unclear: '无法判断',
  chip_mixed: '人机混合',
  chip_likely_ai: '像模型写的',
  chip_declared_ai: '已声明由模型生成',
  chip_pending: '正在阅读',

  all_human_signed: '全部 {n} 段都有真人的签名。',
  all_likely_human: '全部 {n} 段都像人写的。',
  all_unclear: '仅凭数值无法判断这 {n} 段是谁写的。',
  all_mixed: '全部 {n} 段都有些部分像模型写的，有些部分像人写的。',
  all_likely_ai: '全部 {n} 段都像模型写的。',
  all_declared_ai: '全部 {n} 段都已声明由模型生成。',
  of_passages: '共 {n} 段：{list}。',
  so_far: '已读 {n} 段，共 {all} 段：{list}。',
  of_human_signed_one: '{n} 段有真人签名',
  of_human_signed: '{n} 段有真人签名',
  of_likely_human_one: '{n} 段像人写的',
  of_likely_human: '{n} 段像人写的',
  of_unclear_one: '{n} 段无法判断',
  of_unclear: '{n} 段无法判断',
  of_mixed_one: '{n} 段人机混合',
  of_mixed: '{n} 段人机混合',
  of_likely_ai_one: '{n} 段像模型写的',
  of_likely_ai: '{n} 段像模型写的',
  of_declared_ai_one: '{n} 段已声明由模型生成',
  of_declared_ai: '{n} 段已声明由模型生成',

  reasons: '依据',
  kind_watermark: '水印',
  kind_hidden_characters: '隐藏字符',
  kind_leftover: '聊天机器人留下的痕迹',
  kind_declared: '标识',
  kind_signature: '签名',
  points_ai: '指向模型',
  points_human: '指向人',
  points_neither: '不指向任何一方',
  strength: '分量 {n}',
  showInText: '在文本中显示',
  probability: '由模型写成的概率',
  probabilityUnclear: '估计值，不足以下结论',
  probabilityDeclared: '仅按统计数值',
  probabilityNoneDeclared: '统计数值无法判断这段文本，因此没有概率。',
  probabilityNone: '没有概率：这段文本无法判断。',
  gaugeHuman: '像人写的',
  gaugeAi: '像模型写的',
  pRare: '每 1000 篇同类人类文本中，最多有 {n} 篇至少同样像模型写的。',
  pShare: '{n} 的同类人类文本至少同样像模型写的。',

  numbers: '数值',
  n_probability: '由模型写成的概率',
  n_p_value: 'p 值（人类文本）',
  n_words: '词数',
  n_tokens: '词元数',
  n_language: '语言',
  n_model: '模型',
  n_calibration: '校准',
  n_fpr: '误报率（实测）',
  n_target: '误报率（目标）',
  n_version: '程序版本',
  noCalibration: '此模型没有校准数据',
  unknown: '未知',
  none: '无',
  detectors: '检测指标',
  detectorsNote: '无论哪个指标，数值越高越像模型写的。',
  d_mean_logprob: '平均对数概率',
  d_log_rank: '对数排名',
  d_lrr: '似然与对数排名之比（LRR）',
  d_entropy: '熵',
  d_top_1: '首选所占比例',
  d_top_10: '前 10 名所占比例',
  d_top_100: '前 100 名所占比例',
  d_top_1000: '前 1000 名所占比例',
  d_fast_detectgpt: 'Fast-DetectGPT 曲率',
  d_curvature: '每词元曲率',
  d_spread: '用词的均匀程度',
  d_window_spread: '各段的均匀程度',
  d_min_k: '最不可能的词（min-k）',
  d_diversity: '曲线多样性',
  d_lastde: 'Lastde',
  d_winsorised_logprob: '平均对数概率（设下限）',
  d_decline: '后半段失去条理',
  d_binoculars: 'Binoculars',

  limits: '数值不能说明什么',
  limit1: '这里只是把文本与其他文本作比较，并不能证明是谁写的，切勿仅凭此结果对任何人作出决定。',
  limit2: '正式、套路化、常被转载的文字以及用第二语言写的文字可能像模型写的；经过编辑或改写的模型文本也可能像人写的。',
  limitsMore: '文档',
  copy: '复制 JSON',
  copied: '报告已复制为 JSON。',
  notCopied: '浏览器不允许复制。',

  legendSentences: '句子及其前后文字',
  legendWords: '词在模型猜测中的名次',
  legendHint: '指向或点按一个词，或在句子上按回车键，可查看单个词的数值。',
  level_ai2: '很像模型写的',
  level_ai1: '较像模型写的',
  level_mid: '介于两者之间',
  level_human1: '较像人写的',
  level_human2: '很像人写的',
  level_none: '没有数值',
  rank_1: '第 1',
  rank_10: '第 2 至 10',
  rank_100: '第 11 至 100',
  rank_1000: '第 101 至 1000',
  rank_more: '1000 名以外',

  sentenceLabel: '{level}，{p}：{text}',
  sentenceLabelNone: '{level}：{text}',
  tipRank: '名次',
  tipRankValue: '第 {n} 个猜测',
  tipProbability: '概率',
  tipOneIn: '{n} 分之一',
  tipChoices: '此处的不确定性',
  tipChoicesValue: '相当于 {n} 个等可能的选项',
  tipFirst: '第一个词前面没有文字，无从猜测。',
  tipSentence: '所在句子',
  tipSentenceValue: '{level}（{p}）',

  working: '正在阅读：{done} / {all} 词',
  workingFile: '正在阅读网页',
  waiting_loading: '正在加载模型，加载完成后会立即开始阅读。',
  waiting_overloaded: '程序正忙，这段文本正在排队。',
  done: '完成。{verdict}',
  cancelled: '已取消。',
  cancelledSome: '已取消。此前读完的部分已显示。',
  engine: '{model} · {backend} · bonafide {version}',
  engineLoading: '正在加载模型。',

  e_empty: '还没有文本。',
  e_empty_hint: '请粘贴文本或打开文件。',
  e_unreachable: '后台程序没有回应。',
  e_unreachable_hint: 'bonafide serve 还在运行吗？',
  e_notText: '这个文件不像是文本。',
  e_notText_hint: '请打开 UTF-8 编码的 .txt、.md 或 .html 文件；PDF 或 Word 文档请复制其中的文字。',
  e_fileLarge: '这个文件超过 5 MB。',
  e_fileLarge_hint: '请只粘贴需要的部分。',
  e_unknown: '后台程序出了问题。',
};

/**
 * The daemon's errors in Chinese, by code: what happened, and what to do. English comes from the daemon.
 * @type {Record<string, [string, string]>}
 */
const ERRORS_ZH = {
  ...SIGN_ERRORS_ZH,
  ...PAIR_ERRORS_ZH,
  wrong_code: ['此链接已使用过、已过期，或来自上一次启动。', '运行 bonafide token link 可以得到新的链接。'],
  wrong_token: ['此页面的访问许可已失效。', '运行 bonafide token link 可以得到新的链接。'],
  no_token: ['此页面没有访问许可。', '请用 bonafide serve 显示的链接打开。'],
  loading: ['模型仍在加载。', '请稍后重试。'],
  overloaded: ['程序正忙。', '请稍后重试。'],
  stopping: ['程序正在停止。', '请重新启动 bonafide serve。'],
  timeout: ['分析用时过长。', '请减少文本后重试。'],
  body_too_large: ['文本太大。', '请分成几份。'],
  text_too_large: ['文本太大。', '请分成几份。'],
  too_many_blocks: ['段落太多。', '请分成几份。'],
  too_many_tokens: ['文本太长。', '请分成几份，或只粘贴需要的部分。'],
  too_long_for_this_machine: ['文本对这台机器来说太长。', '请减少文本。'],
  unreadable_document: ['无法读取此文件。', '请把其中的文字复制后粘贴。'],
  empty: ['没有可以分析的文本。', '请粘贴文本或打开文件。'],
};

/** @typedef {keyof typeof EN} Key */

/** @type {Lang} */
let lang = 'en';

/** The language of the interface. */
export function language() {
  return lang;
}

/** @param {Lang} chosen */
export function setLanguage(chosen) {
  lang = chosen;
}

/** The locale for numbers and lists. */
export function locale() {
  return lang === 'zh' ? 'zh-Hans-CN' : 'en';
}

/**
 * A text of the interface.
 * @param {Key} key
 * @param {Record<string, string|number>} [values]
 */
export function t(key, values) {
  return fill((lang === 'zh' ? ZH : EN)[key], values ?? {}) ?? key;
}

/**
 * A text with a number, in its singular where the language has one.
 * @param {Key} key
 * @param {number} count
 */
export function plural(key, count) {
  const one = /** @type {Key} */ (`${key}_one`);
  const chosen = new Intl.PluralRules(locale()).select(count) === 'one' && one in EN ? one : key;
  return t(chosen, { n: number(count) });
}

/**
 * @param {string} key
 * @returns {key is Key}
 */
export function isKey(key) {
  return Object.hasOwn(EN, key);
}

/**
 * A finding in the language of the interface, in the daemon's English if there is no translation of it.
 * @param {Evidence} evidence
 */
export function reason(evidence) {
  // A number and its percent sign stay on one line.
  return translated(evidence).replace(/(\d) %/g, '$1\u00a0%');
}

/** @param {Evidence} evidence */
export function isTranslated(evidence) {
  return translated(evidence) !== evidence.message;
}

/** @param {Evidence} evidence */
function translated(evidence) {
  return (lang === 'zh' ? chinese(evidence) : undefined) ?? evidence.message;
}

/**
 * What went wrong, and what to do.
 * @param {{code: string, message: string, hint: string}} error
 * @returns {[string, string]}
 */
export function explain(error) {
  const key = `e_${error.code}`;
  if (isKey(key)) {
    const hint = `${key}_hint`;
    return [t(key), isKey(hint) ? t(hint) : error.hint];
  }
  if (lang === 'zh') {
    const [message, hint] = own(ERRORS_ZH, error.code) ?? [t('e_unknown'), ''];
    return [message, hint || error.message];
  }
  return [sentence(error.message), sentence(error.hint)];
}

/** @param {string} text */
function sentence(text) {
  if (text === '') return text;
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : start + '.';
}

/**
 * @param {number} value
 * @param {Intl.NumberFormatOptions} [options]
 */
export function number(value, options) {
  return new Intl.NumberFormat(locale(), options).format(value);
}

/**
 * A share in percent that is never rounded to certainty.
 * @param {number} share
 */
export function percent(share) {
  const style = /** @type {const} */ ({ style: 'percent' });
  if (share < 0.01) return `< ${number(0.01, style)}`;
  if (share > 0.99) return `> ${number(0.99, style)}`;
  return number(share, { ...style, maximumFractionDigits: 0 });
}

/** @param {string} code An ISO 639 code. */
export function languageName(code) {
  try {
    return new Intl.DisplayNames(locale(), { type: 'language' }).of(code) ?? code;
  } catch {
    return code;
  }
}
