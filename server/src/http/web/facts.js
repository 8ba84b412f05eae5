// @ts-check
// What a statement says and what is said of it, as a person reads it.

import { el, icon } from './dom.js';
import { isKey, language, languageName, locale, number, plural, t } from './i18n.js';
import { places } from './blocks.js';
import { shown } from './unseen.js';

/** @typedef {import('./desk.js').Checked} Checked */
/** @typedef {import('./desk.js').Statement} Statement */
/** @typedef {import('./counter.js').Figures} Figures */

/** Results that may be shown in green; no other may. */
const GREEN = ['trusted', 'published'];

/**
 * The editor's figures in one line.
 * @param {Figures} figures
 */
export function figuresLine(figures) {
  return [
    plural('c_keystrokes', figures.keystrokes), plural('c_deletions', figures.deletions),
    t('c_pasted', { n: number(figures.pasted_percent / 100, { style: 'percent' }) }),
    plural('c_minutes', figures.active_minutes), plural('c_revisions', figures.revisions),
  ].join(' · ');
}

/**
 * What the author states.
 * @param {Statement} statement
 * @param {string} fingerprint
 * @param {[string, string][]} [more] More names and values.
 */
export function factList(statement, fingerprint, more = []) {
  const { author, assistance } = statement;
  const help = `a_${assistance}`;
  /** @type {[string, string|undefined][]} */
  const rows = [
    [t('fact_author'), author.name],
    [t('fact_identity'), author.identity],
    [t('fact_key'), fingerprint],
    [t('fact_date'), date(statement.date)],
    [t('fact_language'), statement.language === 'und' ? t('unknown') : languageName(statement.language)],
    [t('fact_words'), number(statement.text.words)],
    [t('fact_assistance'), isKey(help) && assistance !== 'own' ? t(help) : assistance],
    [t('fact_written'), statement.written_here ? figuresLine(statement.written_here) : t('writtenNone')],
    [t('fact_expires'), statement.expires && date(statement.expires)],
    ...more,
  ];
  const said = rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return el('dl', { class: 'numbers' }, ...said.map(([name, value]) =>
    el('div', {}, el('dt', {}, name), el('dd', {}, ...shown(value ?? '')))));
}

/** @param {string} text */
export function date(text) {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text
    : new Intl.DateTimeFormat(locale(), { dateStyle: 'long', timeStyle: 'short' }).format(at);
}

/**
 * A text in full, exactly as it is.
 * @param {string} text
 * @param {string} label
 */
export function exactText(text, label) {
  return el('div', { class: 'exact', dir: 'auto', tabindex: 0, role: 'group', 'aria-label': label }, ...shown(text));
}

/**
 * What is said of one statement in a text.
 * @param {Checked} checked
 * @param {string} text The text that the spans index, but those of quoted parts.
 * @param {Set<string>} own Fingerprints of the reader's own keys.
 */
export function outcome(checked, text, own) {
  const { result, statement, paragraphs, key, spans, quotes } = checked;
  const green = GREEN.includes(result);
  const values = {
    name: statement?.author.name ?? '?', identity: statement?.author.identity ?? '?', contact: checked.contact ?? '?',
    found: number(paragraphs?.found.length ?? 0), total: number(paragraphs?.total ?? 0),
    date: checked.revoked ? date(checked.revoked.at) : '?',
  };
  const mine = result === 'trusted' && own.has(key?.fingerprint ?? '');
  const said = t(mine ? 'r_own' : `r_${result}`, values);
  const made = el('article', { class: `outcome${green ? ' green' : ''}`, 'data-result': result },
    el('h4', {}, icon(green ? 's-signed' : 's-open'), el('span', {}, ...shown(said))),
    el('p', { class: 'muted' }, t(`calm_${result}`, values)));
  // What exactly is wrong, the daemon says in English only.
  if (result === 'malformed') made.append(el('p', { class: 'muted', lang: language() === 'en' ? undefined : 'en' }, ...shown(checked.message)));
  if (quotes > 0) made.append(el('p', { class: 'muted' }, t('quoted')));
  else if (spans.length > 0) made.append(marked(text, spans));
  if (statement) {
    /** @type {[string, string][]} */
    const more = [];
    if (paragraphs) more.push([t('fact_paragraphs'), t('paragraphsOf', { n: number(paragraphs.found.length), all: number(paragraphs.total) })]);
    if (key?.touched) more.push([t('fact_touched'), t('touched')]);
    made.append(factList(statement, key?.fingerprint ?? '', more));
  }
  return made;
}

/**
 * A text in which the signed parts, and nothing else, are marked.
 * @param {string} text
 * @param {import('./desk.js').Span[]} spans
 */
function marked(text, spans) {
  const at = places(text);
  const place = (/** @type {number} */ point) => at[Math.min(point, at.length - 1)] ?? text.length;
  const box = el('div', { class: 'exact', dir: 'auto', tabindex: 0, role: 'group', 'aria-label': t('signedText') });
  let end = 0;
  for (const span of spans) {
    const [from, to] = [Math.max(place(span.start), end), place(span.end)];
    if (to <= from) continue;
    box.append(...shown(text.slice(end, from)), el('mark', {}, ...shown(text.slice(from, to))));
    end = to;
  }
  box.append(...shown(text.slice(end)));
  return box;
}
