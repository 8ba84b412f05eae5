// The card of a warning: how far it has gone, what it resembles, and on which messages that rests.

import type { ScamFinding } from '../../protocol.js';
import type { Alarm, Message } from '../types.js';
import { Actions, el } from './actions.js';
import { glyph } from './glyphs.js';
import { visible, type Name, type Say } from './texts.js';

/** So many findings are listed, and so many messages of each. */
const MOST_FINDINGS = 12;
const MOST_MESSAGES = 3;
/** So much of a message is quoted. */
const QUOTED = 90;

export interface CardHooks {
  close(): void;
  hush(): void;
  /** Brings a message before the reader's eyes. */
  reveal(message: Message): void;
}

/** What a card holds. `looked`: the message whose reasons are wanted first. */
export function scamCard(alarm: Alarm, looked: number | null, say: Say, actions: Actions, hooks: CardHooks): HTMLElement[] {
  const { report } = alarm;
  const risk = report.risk === 'danger' ? 'danger' : 'caution';
  const close = actions.button('', 'close', () => hooks.close(), { 'aria-label': say.t('close') });
  close.append(glyph('close'));
  const head = el('div', { class: 'head', 'data-risk': risk }, glyph('s-scam'),
    el('h2', { id: 'scam-title' }, say.t(`scam_said_${risk}`)), close, el('p', { class: 'muted small' }, say.t('scam_calm')));
  const parts: HTMLElement[] = [head];
  if (report.advice) {
    const { message, hotline } = report.advice;
    const section = el('section', { 'aria-labelledby': 'scam-what' }, el('h3', { id: 'scam-what' }, say.t('scam_what')),
      el('p', {}, visible(message)));
    if (hotline) section.append(el('p', {}, el('strong', {}, hotlineOf(hotline, say))));
    parts.push(section);
  }
  const facts: [string, string][] = [];
  if (report.stage) facts.push([say.t('scam_how'), say.t(`scam_stage_${report.stage}`)]);
  if (report.pattern !== null) facts.push([say.t('scam_like'), patternOf(report.pattern, say)]);
  if (facts.length > 0) {
    parts.push(el('dl', { class: 'facts' }, ...facts.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value)))));
  }
  const found = report.evidence.filter(({ message }) => message !== '');
  const first = (finding: ScamFinding) => looked !== null && finding.places.some(({ turn }) => turn === looked);
  const sorted = [...found.filter(first), ...found.filter((finding) => !first(finding))].slice(0, MOST_FINDINGS);
  if (sorted.length > 0) {
    parts.push(el('section', { 'aria-labelledby': 'scam-found' }, el('h3', { id: 'scam-found' }, say.t('scam_found')),
      el('ol', { class: 'reasons' }, ...sorted.map((finding) => item(finding, alarm, looked, say, actions, hooks)))));
  }
  parts.push(el('section', {}, el('div', { class: 'foot-row' }, actions.button(say.t('scam_hush'), 'quiet', () => hooks.hush()))));
  return parts;
}

function item(
  { code, message, places }: ScamFinding, alarm: Alarm, looked: number | null, say: Say, actions: Actions, hooks: CardHooks,
): HTMLElement {
  const turns = [...new Set(places.map(({ turn }) => turn))];
  // What is asked for comes first, then what the page still shows.
  const gravity = (turn: number) => (turn === looked ? 0 : alarm.message(turn)?.words ? 1 : 2);
  const shown = [...turns].sort((one, other) => gravity(one) - gravity(other)).slice(0, MOST_MESSAGES).sort((one, other) => one - other);
  const quotes = shown.flatMap((turn) => {
    const said = alarm.message(turn);
    return said ? [quote(said, say, actions, hooks)] : [];
  });
  const rest = turns.length - quotes.length;
  const body = el('div', {}, el('p', {}, visible(message)), el('ul', { class: 'quotes' }, ...quotes));
  if (rest > 0 && quotes.length > 0) body.append(el('p', { class: 'foot muted small' }, say.t('scam_more', { n: rest })));
  return el('li', { 'data-code': code }, glyph('k-message'), body);
}

function quote(message: Message, say: Say, actions: Actions, hooks: CardHooks): HTMLElement {
  const side = el('span', { class: 'muted' }, say.t(`scam_${message.side}`));
  const line = visible(message.text.replace(/\s+/gu, ' ').trim());
  const points = [...line];
  const text = points.length > QUOTED ? `${points.slice(0, QUOTED - 1).join('')}…` : line;
  if (!message.words) {
    return el('li', { class: 'small' }, side, ' ', el('q', { dir: 'auto' }, text), el('span', { class: 'muted' }, ` · ${say.t('scam_away')}`));
  }
  const show = actions.button('', 'link', () => hooks.reveal(message), { 'aria-label': say.t('scam_show', { text }), dir: 'auto' });
  show.append(text);
  return el('li', { class: 'small' }, side, ' ', show);
}

export function hotlineOf({ name, number }: { name: string; number: string }, say: Say): string {
  return say.t('scam_hotline', { name: visible(name), number: visible(number) });
}

/** A pattern that is newer than these texts is called by its own name. */
function patternOf(pattern: string, say: Say): string {
  const name = `scam_pattern_${pattern}`;
  const said = say.t(name as Name);
  return said === name ? visible(pattern.replaceAll('_', ' ')) : said;
}
