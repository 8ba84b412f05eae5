// @ts-check
// The report beside the text: the verdict in one sentence, the reasons, the numbers, and what they can't tell.

import { button, el, icon } from './dom.js';
import { isKey, isTranslated, language, languageName, locale, number, percent, plural, reason, t } from './i18n.js';
import { shown } from './unseen.js';

/** @typedef {import('./api.js').BlockReport} BlockReport */
/** @typedef {import('./api.js').Evidence} Evidence */
/** @typedef {import('./api.js').Verdict} Verdict */
/** @typedef {import('./api.js').Report} Report */
/** @typedef {import('./api.js').Span} Span */
/** @typedef {Omit<Report, 'blocks'>} Meta */
/** @typedef {import('./reading.js').Passage} Passage */

/** @type {Verdict[]} */
const ORDER = ['declared_ai', 'likely_ai', 'mixed', 'likely_human', 'human_signed', 'unclear'];
/** Verdicts that somebody could hold against an author.
 * @type {Verdict[]} */
const ACCUSING = ['likely_ai', 'mixed'];
/** Findings of these kinds have a symbol and a name; the others are the statistics of the model. */
const KINDS = /** @type {const} */ (['watermark', 'hidden_characters', 'leftover', 'declared', 'signature']);
/** More passages than this are a list to scroll in, not a strip to look at. */
const STRIP = 60;

/**
 * @typedef {object} Actions
 * @property {(index: number) => void} select Shows the report on another passage.
 * @property {(span: Span) => void} locate Shows a stretch of the passage in the text.
 * @property {(span: Span|null) => void} point Marks a stretch of it, or takes the mark away.
 * @property {() => void} copy
 */

/**
 * Everything together, in one sentence. Nothing is said of the whole before all of it was read.
 * @param {Passage[]} passages
 */
export function summary(passages) {
  const reports = passages.flatMap((passage) => passage.report ?? []);
  const [first] = reports;
  if (!first) return '';
  if (passages.length === 1) return t(`said_${first.verdict}`);
  const count = reports.length;
  const whole = count === passages.length;
  const kinds = ORDER.map((verdict) => ({ verdict, n: reports.filter((report) => report.verdict === verdict).length }))
    .filter(({ n }) => n > 0);
  const [only] = kinds;
  if (whole && only && kinds.length === 1) return t(`all_${only.verdict}`, { n: number(count) });
  const list = kinds.map(({ verdict, n }) => plural(`of_${verdict}`, n));
  const joined = language() === 'zh' ? list.join('，') : new Intl.ListFormat(locale()).format(list);
  const values = { n: number(count), all: number(passages.length), list: joined };
  return t(whole ? 'of_passages' : 'so_far', values);
}

/**
 * The one symbol for all: that of their verdict, if all passages agree.
 * @param {Passage[]} passages
 * @returns {Verdict|'pending'}
 */
function overall(passages) {
  const reports = passages.flatMap((passage) => passage.report ?? []);
  if (reports.length < passages.length) return 'pending';
  const kinds = new Set(reports.map((report) => report.verdict));
  const [only] = kinds;
  if (only && kinds.size === 1) return only;
  const ai = kinds.has('likely_ai') || kinds.has('declared_ai');
  const human = kinds.has('likely_human') || kinds.has('human_signed');
  return kinds.has('mixed') || (ai && human) ? 'mixed' : 'unclear';
}

/**
 * The whole report pane.
 * @param {Passage[]} passages
 * @param {number} selected
 * @param {Meta} meta
 * @param {Actions} actions
 */
export function render(passages, selected, meta, actions) {
  const report = passages[selected]?.report;
  const parts = [head(passages, actions)];
  if (passages.length > 1) parts.push(navigation(passages, selected, actions));
  if (report) parts.push(reasons(report, actions), numbers(report, meta));
  parts.push(limits());
  return parts;
}

/**
 * @param {Passage[]} passages
 * @param {Actions} actions
 */
function head(passages, actions) {
  const verdict = overall(passages);
  const reports = passages.flatMap((passage) => passage.report ?? []);
  const section = el('header', { class: 'verdict', 'data-verdict': verdict }, icon(`v-${verdict}`),
    el('h2', { id: 'verdict', class: 'display', tabindex: -1 }, summary(passages)));
  if (verdict !== 'pending' && reports.every((report) => report.verdict === 'unclear')) section.append(el('p', { class: 'muted' }, t('calm_unclear')));
  else if (reports.some((report) => ACCUSING.includes(report.verdict))) section.append(el('p', { class: 'muted' }, t('calm_accused')));
  if (reports.some((report) => report.verdict === 'declared_ai')) section.append(el('p', { class: 'muted' }, t('calm_declared')));
  section.append(button(t('copy'), actions.copy, 'quiet copy'));
  return section;
}

/**
 * @param {Passage[]} passages
 * @param {number} selected
 * @param {Actions} actions
 */
function navigation(passages, selected, actions) {
  const count = passages.length;
  const say = t('passage', { i: number(selected + 1), n: number(count) });
  const back = button('‹', () => actions.select(selected - 1), 'quiet arrow');
  back.setAttribute('aria-label', t('previous'));
  back.disabled = selected <= 0;
  const on = button('›', () => actions.select(selected + 1), 'quiet arrow');
  on.setAttribute('aria-label', t('next'));
  on.disabled = selected >= count - 1;
  const verdict = passages[selected]?.report?.verdict ?? 'pending';
  const nav = el('nav', { class: 'passages', 'aria-label': t('passagesList') });
  if (count <= STRIP) nav.append(strip(passages, selected));
  nav.append(el('div', { class: 'bar' },
    el('p', { class: 'chip', 'data-verdict': verdict }, icon(`v-${verdict}`), el('span', {}, `${say}: ${t(`chip_${verdict}`)}`)),
    el('div', { class: 'actions' }, back, on)));
  return nav;
}

/**
 * The passages in order, as wide as they are long: a picture of what the sentence above it says.
 * @param {Passage[]} passages
 * @param {number} selected
 */
function strip(passages, selected) {
  const made = el('div', { class: 'strip', 'aria-hidden': 'true' });
  for (const [index, { report, text }] of passages.entries()) {
    const part = el('span', { 'data-verdict': report?.verdict ?? 'pending', class: index === selected ? 'selected' : '' },
      icon(`v-${report?.verdict ?? 'pending'}`));
    part.style.setProperty('flex-grow', String(Math.max(1, report?.words ?? text.length / 6)));
    part.dataset['index'] = String(index);
    made.append(part);
  }
  return made;
}

/**
 * @param {BlockReport} report
 * @param {Actions} actions
 */
function reasons(report, actions) {
  return el('section', { class: 'card', 'aria-labelledby': 'reasons' }, gauge(report),
    el('h3', { id: 'reasons' }, t('reasons')),
    el('ol', { class: 'reasons' }, ...report.evidence.map((one) => finding(one, actions))));
}

/** @param {BlockReport} report */
function gauge(report) {
  const { probability, p_value: p } = report;
  const declared = report.verdict === 'declared_ai';
  if (probability === null) return el('p', { class: 'muted' }, t(declared ? 'probabilityNoneDeclared' : 'probabilityNone'));
  const said = percent(probability);
  const needle = el('span', { class: 'needle' });
  needle.style.setProperty('left', `${Math.min(Math.max(probability, 0.01), 0.99) * 100}%`);
  const scale = el('div', { class: 'scale', role: 'meter', 'aria-label': t('probability'), 'aria-valuemin': 0, 'aria-valuemax': 1,
    'aria-valuenow': probability.toFixed(3), 'aria-valuetext': said }, needle);
  const ends = el('p', { class: 'ends muted', 'aria-hidden': 'true' }, el('span', {}, t('gaugeHuman')), el('span', {}, t('gaugeAi')));
  const name = t(declared ? 'probabilityDeclared' : report.verdict === 'unclear' ? 'probabilityUnclear' : 'probability');
  const made = el('div', { class: 'gauge', 'data-verdict': report.verdict },
    el('p', { class: 'gauge-value' }, el('span', { class: 'muted' }, name), el('strong', { class: 'number' }, said)), scale, ends);
  if (p !== null) {
    const comparison = p < 0.02 ? t('pRare', { n: number(Math.max(1, Math.ceil(p * 1000))) }) : t('pShare', { n: percent(p) });
    made.append(el('p', { class: 'muted' }, comparison));
  }
  return made;
}

/**
 * @param {Evidence} evidence
 * @param {Actions} actions
 */
function finding(evidence, actions) {
  const way = { ai: 'v-likely_ai', human: 'v-likely_human', neither: 'i-neither' }[evidence.points_to] ?? 'i-neither';
  const points = `points_${evidence.points_to}`;
  const foot = el('p', { class: 'foot muted' }, isKey(points) ? t(points) : evidence.points_to);
  if (evidence.points_to !== 'neither') foot.append(' · ', t('strength', { n: percent(evidence.strength) }));
  const { span } = evidence;
  if (span) foot.append(' · ', button(t('showInText'), () => actions.locate(span), 'link'));
  const foreign = language() !== 'en' && !isTranslated(evidence);
  const kind = KINDS.find((one) => one === evidence.kind);
  const item = el('li', { 'data-points': evidence.points_to, 'data-code': evidence.code, 'data-kind': evidence.kind }, icon(kind ? `k-${kind}` : way),
    el('div', {}, kind && el('h4', {}, t(`kind_${kind}`)), el('p', { lang: foreign ? 'en' : undefined }, ...shown(reason(evidence))), foot));
  if (span) {
    for (const event of ['pointerenter', 'focusin']) item.addEventListener(event, () => actions.point(span));
    for (const event of ['pointerleave', 'focusout']) item.addEventListener(event, () => actions.point(null));
  }
  return item;
}

/**
 * @param {BlockReport} report
 * @param {Meta} meta
 */
function numbers(report, meta) {
  const { model } = meta;
  const calibration = meta.calibrations?.find(({ version }) => version === report.calibration) ?? meta.calibration;
  const rate = (/** @type {number} */ share) => number(share, { style: 'percent', maximumFractionDigits: 2 });
  const or = (/** @type {number|null} */ value) => (value === null ? t('none') : number(value, { maximumSignificantDigits: 3 }));
  const rows = [
    [t('n_probability'), or(report.probability)],
    [t('n_p_value'), or(report.p_value)],
    [t('n_words'), number(report.words)],
    [t('n_tokens'), number(report.token_count)],
    [t('n_language'), report.language === null ? t('unknown') : languageName(report.language)],
    [t('n_model'), `${model.name} (${model.architecture}, ${model.backend})`],
    [t('n_calibration'), calibration?.version ?? t('noCalibration')],
    ...(calibration ? [
      [t('n_fpr'), rate(calibration.measured_false_positive_rate)],
      [t('n_target'), rate(calibration.target_false_positive_rate)],
    ] : []),
    [t('n_version'), `bonafide ${meta.version}`],
  ];
  const detectors = Object.entries(report.detectors).map(([name, value]) => {
    const key = `d_${name}`;
    return pair(isKey(key) ? t(key) : name, number(value, { minimumFractionDigits: 3, maximumFractionDigits: 3 }));
  });
  return el('section', { class: 'card', 'aria-labelledby': 'numbers' }, el('h3', { id: 'numbers' }, t('numbers')),
    el('dl', { class: 'numbers' }, ...rows.map(([name, value]) => pair(name ?? '', value ?? ''))),
    el('details', {}, el('summary', {}, t('detectors')), el('p', { class: 'muted' }, t('detectorsNote')),
      el('dl', { class: 'numbers' }, ...detectors)));
}

/**
 * @param {string} name
 * @param {string} value
 */
function pair(name, value) {
  return el('div', {}, el('dt', {}, name), el('dd', { class: 'number' }, value));
}

function limits() {
  return el('section', { class: 'card limits', 'aria-labelledby': 'limits' }, el('h3', { id: 'limits' }, t('limits')),
    el('p', {}, t('limit1')), el('p', {}, t('limit2')), el('p', {}, el('a', { href: '/docs' }, t('limitsMore'))));
}
