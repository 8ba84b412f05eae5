// @ts-check
// The one tooltip: what the model made of a word, and what is said of its sentence. It stays while the pointer is on
// it, goes with Escape, and hides nothing that has focus.

import { byId, el } from './dom.js';
import { number, percent, t } from './i18n.js';
import { level } from './levels.js';
import { shown } from './unseen.js';

/** @typedef {import('./api.js').Sentence} Sentence */
/** @typedef {import('./api.js').Token} Token */

const GRACE_MS = 180;
const GAP = 8;

const tip = byId('tip', HTMLElement);
/** @type {HTMLElement|null} */
let anchor = null;
let pinned = false;
let timer = 0;

tip.addEventListener('pointerenter', () => clearTimeout(timer));
tip.addEventListener('pointerleave', leave);
addEventListener('scroll', () => anchor && place(anchor), { passive: true, capture: true });
addEventListener('resize', hide);
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') hide();
});
document.addEventListener('pointerdown', (event) => {
  if (event.target instanceof Element && !event.target.closest('#tip, .sentence')) hide();
});

export function isShown() {
  return !tip.hidden;
}

/**
 * @param {HTMLElement} at
 * @param {Token|null} token
 * @param {Sentence} sentence
 * @param {string} word
 * @param {boolean} stays Whether it belongs to a word with focus, and outlives the pointer's leaving.
 */
export function show(at, token, sentence, word, stays) {
  clearTimeout(timer);
  if (anchor !== at) anchor?.classList.remove('looked-at');
  anchor = at;
  pinned = stays;
  at.classList.add('looked-at');
  tip.replaceChildren(...(token ? wordLines(token, word) : []), sentenceLine(sentence));
  tip.hidden = false;
  place(at);
}

/** The pointer has left; it may be on its way to the tooltip. */
export function leave() {
  clearTimeout(timer);
  if (!pinned) timer = window.setTimeout(hide, GRACE_MS);
}

export function hide() {
  clearTimeout(timer);
  anchor?.classList.remove('looked-at');
  anchor = null;
  pinned = false;
  tip.hidden = true;
}

/**
 * @param {Token} token
 * @param {string} word
 */
function wordLines(token, word) {
  const title = el('p', { class: 'tip-word' }, ...shown(word.replace(/\n/g, '↵').trim() || '␣'));
  if (token.rank === null || token.logprob === null) return [title, el('p', {}, t('tipFirst'))];
  const lines = [
    line(t('tipRank'), t('tipRankValue', { n: number(token.rank) })),
    line(t('tipProbability'), chance(Math.exp(token.logprob))),
  ];
  if (token.entropy !== null) {
    const choices = Math.exp(token.entropy);
    const n = number(choices, { maximumSignificantDigits: 2 });
    lines.push(line(t('tipChoices'), t('tipChoicesValue', { n })));
  }
  return [title, el('dl', {}, ...lines.flat())];
}

/** @param {Sentence} sentence */
function sentenceLine(sentence) {
  const said = sentence.probability === null ? t('level_none') : t('tipSentenceValue', { level: t(`level_${level(sentence.probability)}`), p: percent(sentence.probability) });
  return el('dl', { class: 'tip-sentence' }, ...line(t('tipSentence'), said));
}

/**
 * @param {string} name
 * @param {string} value
 */
function line(name, value) {
  return [el('dt', {}, name), el('dd', {}, value)];
}

/** @param {number} probability */
function chance(probability) {
  if (probability >= 0.001) return number(probability, { style: 'percent', maximumSignificantDigits: 2 });
  return t('tipOneIn', { n: number(1 / Math.max(probability, 1e-12), { maximumSignificantDigits: 2 }) });
}

/**
 * Above the word's first line, which is read already, or below where there is no room.
 * @param {HTMLElement} at
 */
function place(at) {
  const box = at.getClientRects()[0];
  if (!box) return hide();
  const { offsetWidth: width, offsetHeight: height } = tip;
  const above = box.top - GAP - height;
  const top = above >= GAP ? above : box.bottom + GAP;
  const right = Math.min(at.closest('.pane')?.getBoundingClientRect().right ?? innerWidth, innerWidth - GAP);
  const left = Math.max(Math.min(box.left, right - width), GAP);
  tip.style.setProperty('left', `${Math.round(left)}px`);
  tip.style.setProperty('top', `${Math.round(top)}px`);
}
