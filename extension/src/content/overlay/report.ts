// What a card says: the verdict in a sentence, its reasons, who signed, and the numbers behind it.

import { level, LEVELS, type Level } from '../../../../server/src/http/web/levels.js';
import type { BlockReport, Evidence, Judged, Signed, Verdict } from '../../protocol.js';
import type { Item, Surroundings } from '../types.js';
import { Actions, el } from './actions.js';
import { glyph, KINDS } from './glyphs.js';
import type { Stretch } from './marks.js';
import { date, decimal, languageName, percent, rate, sentence, visible, type Say } from './texts.js';

/** Results that may be shown in green; no other may. */
const GREEN: readonly string[] = ['trusted', 'published'];

/** The sentence on top, and what is to be said with it. */
export function head(
  item: Item, verdict: Verdict | null, { settings, daemon }: Surroundings, say: Say, close: HTMLElement,
): HTMLElement {
  const known = verdict !== null && (item.state === 'scored' || verdict !== 'unclear');
  const said = known ? sentence(say, verdict) : say.t(item.state === 'waiting' ? 'said_waiting' : 'said_looked');
  const shape = known ? verdict : item.state === 'waiting' ? 'pending' : 'unclear';
  const made = el('div', { class: 'head', 'data-verdict': shape }, glyph(`v-${shape}`), el('h2', { id: 'title' }, said), close);
  const add = (text: string) => made.append(el('p', { class: 'muted small' }, text));
  if (known && verdict === 'unclear') add(say.t('calm_unclear'));
  if (known && verdict === 'declared_ai') add(say.t('calm_declared'));
  if (known && (verdict === 'likely_ai' || verdict === 'mixed')) add(say.t('calm_accused'));
  const probability = item.report?.probability ?? null;
  if (known && verdict !== item.report?.verdict && probability !== null) {
    add(say.t('stricter', { p: percent(say, probability), limit: percent(say, settings().strictness) }));
  }
  if (item.state === 'looked') {
    add(say.t('calm_looked'));
    const { state } = daemon();
    if (state === 'loading' || state === 'unpaired') add(say.t(state));
    else if (state !== 'ready') add(say.t('away'));
  }
  return made;
}

/** The probability on a scale from a human's to a model's. */
export function gauge(report: BlockReport, verdict: Verdict | null, say: Say): HTMLElement | null {
  const { probability } = report;
  if (probability === null) return null;
  const said = percent(say, probability);
  const apart = verdict === 'declared_ai' || verdict === 'human_signed';
  const name = say.t(apart ? 'probability_declared' : verdict === 'unclear' ? 'probability_unclear' : 'probability');
  const needle = el('span', { class: 'needle' });
  needle.style.setProperty('left', `${Math.min(Math.max(probability, 0.01), 0.99) * 100}%`);
  return el('div', { class: 'gauge' },
    el('p', { class: 'gauge-value muted' }, el('span', {}, name), el('strong', { class: 'number' }, said)),
    el('div', { class: 'scale', dir: 'ltr', role: 'meter', 'aria-label': name, 'aria-valuemin': 0, 'aria-valuemax': 1,
      'aria-valuenow': probability.toFixed(3), 'aria-valuetext': said }, needle),
    el('p', { class: 'ends muted small', dir: 'ltr', 'aria-hidden': 'true' },
      el('span', {}, say.t('gauge_human')), el('span', {}, say.t('gauge_ai'))));
}

/** The findings, the strongest first, and the stretch that each of them rests on. */
export function reasons(
  report: BlockReport, say: Say, actions: Actions, locate: (stretch: Stretch) => void,
): [HTMLElement | null, Map<Element, Stretch>] {
  const places = new Map<Element, Stretch>();
  const sorted = [...report.evidence].sort((a, b) => b.strength - a.strength);
  if (sorted.length === 0) return [null, places];
  const items = sorted.map((evidence) => {
    const stretch = evidence.span && { span: evidence.span, look: 'pointed' };
    const item = finding(evidence, say, stretch && actions.button(say.t('show_in_text'), 'link', () => locate(stretch)));
    if (stretch) places.set(item, stretch);
    return item;
  });
  const list = el('ol', { class: 'reasons' }, ...items);
  return [el('section', { 'aria-labelledby': 'reasons' }, el('h3', { id: 'reasons' }, say.t('reasons')), list), places];
}

function finding(evidence: Evidence, say: Say, show: HTMLElement | undefined): HTMLElement {
  const kind = KINDS.find((one) => one === evidence.kind);
  const points = evidence.points_to === 'ai' || evidence.points_to === 'human' ? evidence.points_to : 'neither';
  const way = ({ ai: 'v-likely_ai', human: 'v-likely_human', neither: 'i-neither' } as const)[points];
  const foot = el('p', { class: 'foot muted small' }, say.t(`points_${points}`));
  if (points !== 'neither') foot.append(' · ', say.t('strength', { p: percent(say, evidence.strength) }));
  if (show) foot.append(' · ', show);
  const said = say.finding(evidence);
  const foreign = say.language !== 'en' && said === evidence.message;
  // A number and its percent sign stay on one line.
  const text = visible(said.replace(/(\d) %/g, '$1\u00a0%'));
  const about = { 'data-points': points, 'data-kind': evidence.kind, 'data-code': evidence.code };
  return el('li', about, glyph(kind ? `k-${kind}` : way),
    el('div', {}, kind && el('h4', {}, say.t(`kind_${kind}`)), el('p', { lang: foreign && 'en' }, text), foot));
}

/** Who signed, and how that is known. */
export function signature({ statement: checked, whole }: Signed, say: Say): HTMLElement {
  const { result, statement, paragraphs, key } = checked;
  const green = GREEN.includes(result);
  const values = {
    name: visible(statement?.author.name ?? '?'), identity: visible(statement?.author.identity ?? '?'),
    contact: visible(checked.contact ?? '?'), found: paragraphs?.found.length ?? 0, total: paragraphs?.total ?? 0,
    date: checked.revoked ? date(say, checked.revoked.at) : '?',
  };
  const made = el('section', { class: `signed${green ? ' green' : ''}`, 'data-result': result, 'aria-labelledby': 'signature' },
    el('h3', { id: 'signature' }, say.t('signature')),
    el('h4', {}, glyph(green ? 'v-human_signed' : 's-open'), el('span', {}, say.t(green && checked.own_key ? 'r_own' : `r_${result}`, values))),
    el('p', { class: 'muted small' }, say.t(`calm_${result}`, values)));
  if (statement && !whole && result !== 'excerpt') made.append(el('p', { class: 'muted small' }, say.t('signed_partly')));
  // What exactly is wrong comes in English only.
  const language = say.language !== 'en' && 'en';
  if (result === 'malformed') made.append(el('p', { class: 'muted small', lang: language }, visible(checked.message)));
  if (!statement) return made;
  const { author, assistance } = statement;
  const usual = (['none', 'spelling', 'translation'] as const).find((one) => one === assistance);
  const help = usual ? say.t(`help_${usual}`) : visible(assistance);
  made.append(facts([
    [say.t('fact_author'), visible(author.name)],
    [say.t('fact_identity'), author.identity && visible(author.identity)],
    [say.t('fact_date'), date(say, statement.date)],
    [say.t('fact_help'), help],
  ]), el('details', {}, el('summary', {}, say.t('details')), facts([
    [say.t('fact_key'), key?.fingerprint],
    [say.t('fact_touched'), key?.touched ? say.t('touched') : undefined],
    [say.t('fact_words'), String(statement.text.words)],
    [say.t('fact_expires'), statement.expires && date(say, statement.expires)],
  ])));
  return made;
}

/** The model and how often it is wrong, and the numbers on this text. */
export function numbers(item: Item, judged: Pick<Judged, 'model' | 'calibrations'> | null, say: Say): HTMLElement | null {
  const { report } = item;
  if (!report || !judged || item.state !== 'scored') return null;
  const { model, calibrations } = judged;
  const calibration = calibrations.find(({ version }) => version === report.calibration) ?? calibrations[0];
  return el('section', { 'aria-labelledby': 'numbers' }, el('h3', { id: 'numbers' }, say.t('numbers')),
    facts([
      [say.t('n_model'), visible(model.name)],
      [say.t('n_fpr'), calibration ? rate(say, calibration.measured_false_positive_rate) : say.t('no_calibration')],
    ]),
    el('details', {}, el('summary', {}, say.t('details')), facts([
      [say.t('n_probability'), report.probability === null ? undefined : decimal(say, report.probability)],
      [say.t('n_p_value'), report.p_value === null ? undefined : decimal(say, report.p_value)],
      [say.t('n_words'), String(report.words)],
      [say.t('n_language'), report.language === null ? say.t('unknown') : languageName(say, report.language)],
      [say.t('n_calibration'), calibration?.version],
    ])));
}

function facts(rows: [string, string | undefined][]): HTMLElement {
  return el('dl', { class: 'facts' }, ...rows.flatMap(([name, value]) => (value === undefined ? []
    : [el('div', {}, el('dt', {}, name), el('dd', { dir: 'auto' }, value))])));
}

/** Sentences by colour, as on the daemon's page; where nothing is settled no sentence stands out. */
export function heat(report: BlockReport, verdict: Verdict | null): Stretch[] {
  const calm: Partial<Record<Level, Level>> = verdict === 'unclear' ? { ai2: 'ai1', human2: 'human1' } : {};
  return report.sentences.flatMap(({ span, probability }) => {
    const found = level(probability);
    return found === 'none' || found === 'mid' ? [] : [{ span, look: calm[found] ?? found }];
  });
}

/** Whether there is more to see by the sentence than in the whole. */
export function hasHeat({ sentences }: BlockReport): boolean {
  return sentences.filter(({ probability }) => probability !== null).length > 1;
}

export function legend(say: Say): HTMLElement {
  return el('div', {}, el('p', { class: 'muted small note' }, say.t('heat_legend')),
    el('ul', { class: 'heat small' }, ...LEVELS.flatMap((one) => (one === 'none' ? []
      : [el('li', {}, el('span', { class: `mark ${one}`, 'aria-hidden': 'true' }), say.t(`level_${one}`))]))));
}
