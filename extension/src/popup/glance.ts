// This page at a glance: its texts by verdict, what rules have hidden, the messaging adapter, and signatures.

import type { Checked, Summary, Verdict } from '../protocol.js';
import { button, el, icon } from '../pages/ui.js';
import type { PopupSay } from './main.js';

/** From the left of the bar to its right, and in the sentence: the most telling first. */
const TELLING = ['declared_ai', 'likely_ai', 'mixed', 'likely_human', 'human_signed'] as const;
const ORDER = [...TELLING, 'unclear', 'pending'] as const;
/** Results that may be shown in green; no other may. */
const GREEN = ['trusted', 'published'];
const MOST_SIGNATURES = 8;

type Part = Verdict | 'pending';

export function page(summary: Summary, say: PopupSay, reveal: () => void): Node[] {
  const count = (part: Part): number => (part === 'pending' ? summary.pending : summary.verdicts[part]);
  const present = ORDER.filter((part) => count(part) > 0);
  const total = present.reduce((sum, part) => sum + count(part), 0);
  const parts: Node[] = [el('h2', { class: 'display', id: 'page-title' }, heading(summary, total, say))];
  if (total > 0) {
    const strip = el('div', { class: 'strip', 'aria-hidden': true });
    for (const part of present) {
      const piece = el('span', { 'data-verdict': part });
      piece.style.flexGrow = String(count(part));
      strip.append(piece);
    }
    const line = (part: Part): HTMLElement => el('li', { 'data-verdict': part }, icon(`v-${part}`),
      el('span', {}, say.t(`chip_${part}`)), el('span', { class: 'number' }, say.t('number', { n: count(part) })));
    parts.push(strip, el('ul', { class: 'legend' }, ...present.map(line)));
    if (summary.verdicts.likely_ai + summary.verdicts.mixed > 0) parts.push(el('p', { class: 'muted small' }, say.t('calm')));
  }
  if (summary.hidden > 0) {
    parts.push(el('p', { class: 'row small' }, el('span', {}, say.t('hidden', { n: summary.hidden })),
      button(say.t('reveal'), reveal, 'link')));
  }
  if (summary.adapter) {
    const { name, found, messages } = summary.adapter;
    parts.push(el('p', { class: found ? 'muted small' : 'notice small wide' },
      found ? say.t('adapter', { name, n: messages }) : say.t('adapterLost', { name })));
  }
  if (summary.scam) {
    const { risk, hushed } = summary.scam;
    const said = el('p', { class: risk === 'none' || hushed ? 'muted small' : 'notice small wide', 'data-risk': risk }, say.t(`scam_${risk}`));
    if (hushed) said.append(' ', say.t('scamHushed'));
    parts.push(said);
  }
  return parts;
}

function heading({ verdicts, pending }: Summary, total: number, say: PopupSay): string {
  if (total === 0) return say.t('nothing');
  if (pending === total) return say.t('reading');
  const telling = TELLING.filter((verdict) => verdicts[verdict] > 0);
  if (telling.length === 0) return say.t('allUnclear', { n: verdicts.unclear });
  const list = telling.slice(0, 3).map((verdict) => say.t(`of_${verdict}`, { n: verdicts[verdict] }));
  return say.t('ofTexts', { n: total, list: new Intl.ListFormat(say.language === 'en' ? 'en' : 'zh-CN').format(list) });
}

export function signatures(all: Checked[], say: PopupSay): Node[] {
  const lines = new Map<string, { checked: Checked; times: number }>();
  for (const checked of all) {
    const name = `${checked.result}\n${checked.key?.fingerprint ?? checked.message}`;
    const known = lines.get(name);
    if (known) known.times += 1;
    else lines.set(name, { checked, times: 1 });
  }
  const shown = [...lines.values()].slice(0, MOST_SIGNATURES);
  const list = el('ul', { class: 'people' }, ...shown.map(({ checked, times }) => {
    const green = GREEN.includes(checked.result);
    const { name = '?', identity = '?' } = checked.statement?.author ?? {};
    const who = { name, identity, contact: checked.contact ?? name };
    const own = green && checked.own_key === true;
    return el('li', { class: green ? 'green' : '', 'data-result': checked.result }, icon(green ? 'v-human_signed' : 's-open'),
      el('p', { dir: 'auto' }, el('strong', {}, say.t(`sign_${checked.result}`, who)), times > 1 ? ` ${say.t('times', { n: times })}` : ''),
      el('p', { class: 'muted small' }, say.t(own ? 'how_own' : `how_${checked.result}`, who)));
  }));
  const rest = lines.size - shown.length;
  return [el('h2', { class: 'title', id: 'signatures-title' }, say.t('signatures')), list,
    ...rest > 0 ? [el('p', { class: 'muted small' }, say.t('more', { n: rest }))] : []];
}
