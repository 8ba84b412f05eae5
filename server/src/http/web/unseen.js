// @ts-check
// A text as it is: what could hide in it, or change the order in which it is read, is shown by its number.

import { el } from './dom.js';
import { t } from './i18n.js';

/** Controls, format characters, fillers and marks that draw nothing; line ends and tabs are seen well enough. */
const UNSEEN = /[^\P{C}\n\r\t]|[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2028\u2029\u2800\u3164\ufe00-\ufe0f\uffa0\u{e0100}-\u{e01ef}]/u;
const ALL = new RegExp(UNSEEN.source, 'gu');
const PICTURE = /[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f\u20e3]/u;
/** Scripts in which joiners are part of the spelling. */
const JOINING = /[\u0600-\u08ff\u0900-\u0dff\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefc]/u;

/**
 * A text with everything unseen made visible.
 * @param {string} text
 * @returns {(Node|string)[]}
 */
export function shown(text) {
  /** @type {(Node|string)[]} */
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(ALL)) {
    const [unit] = match;
    if (isAtHome(text, match.index, unit)) continue;
    if (match.index > end) nodes.push(text.slice(end, match.index));
    nodes.push(mark(unit));
    end = match.index + unit.length;
  }
  if (end < text.length) nodes.push(text.slice(end));
  return nodes;
}

/**
 * Whether a text holds what can't be seen.
 * @param {string} text
 */
export function hides(text) {
  return [...text.matchAll(ALL)].some((match) => !isAtHome(text, match.index, match[0]));
}

/**
 * Joiners and variation selectors inside emoji, and joiners in scripts that are written with them.
 * @param {string} text
 * @param {number} at
 * @param {string} unit
 */
function isAtHome(text, at, unit) {
  const before = [...text.slice(Math.max(0, at - 2), at)].at(-1) ?? '';
  const after = String.fromCodePoint(text.codePointAt(at + unit.length) ?? 0x20);
  if (unit === '\ufe0f') return PICTURE.test(before) || /[#*0-9]/.test(before);
  if (unit !== '\u200d' && unit !== '\u200c') return false;
  if (unit === '\u200d' && PICTURE.test(before) && PICTURE.test(after)) return true;
  return JOINING.test(before) && JOINING.test(after);
}

/** @param {string} unit */
function mark(unit) {
  return el('span', { class: 'unseen', title: t('unseen') }, number(unit));
}

/** @param {string} unit */
function number(unit) {
  return `U+${(unit.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Characters of a run that are named one by one; the rest is counted. */
const NAMED = 3;
const RIGHT_TO_LEFT = /[\u05be-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
const WITHOUT_SPACES = /[\u0e00-\u109f\u1780-\u17ff\u1900-\u1aaf]/;
/** Flags such as Scotland's are spelt in characters that can't be seen. */
const FLAG = /^\u{1f3f4}[\u{e0030}-\u{e007a}]{3,6}\u{e007f}/u;
const FLAG_LENGTH = 16;
/** Private and unassigned characters are drawn, if only as boxes. */
const DRAWN = /[\p{Co}\p{Cn}]/u;

/**
 * A stretch of a text in which what can't be seen stays what it is, in an element that shows its number: places in the
 * stretch, and what is copied out of it, are those of the text. What has work to do in a text is left alone.
 * @param {string} text
 * @param {number} [from]
 * @param {number} [to]
 * @returns {(Node|string)[]}
 */
export function inPlace(text, from = 0, to = text.length) {
  /** @type {(Node|string)[]} */
  const nodes = [];
  /** @type {string[]} */
  let run = [];
  let end = from;
  const close = () => {
    if (run.length > 0) nodes.push(run.length > NAMED + 1 ? marked(run, run.length - NAMED) : marked(run, 0));
    run = [];
  };
  for (const match of text.slice(from, to).matchAll(ALL)) {
    const [unit] = match;
    const at = from + match.index;
    if (isAtHome(text, at, unit) || isUsual(text, at, unit)) continue;
    if (at > end) {
      close();
      nodes.push(text.slice(end, at));
    }
    run.push(unit);
    end = at + unit.length;
  }
  close();
  if (end < to) nodes.push(text.slice(end, to));
  return nodes;
}

/**
 * @param {string[]} run
 * @param {number} more How many of them are only counted.
 */
function marked(run, more) {
  const named = run.slice(0, run.length - more).map(number).join(' ');
  return el('span', { class: 'unseen', title: t('unseen'), 'data-mark': more > 0 ? `${named} +${more}` : named }, run.join(''));
}

/**
 * What copied pages and right-to-left scripts have, and a sign is no help to anyone.
 * @param {string} text
 * @param {number} at
 * @param {string} unit
 */
function isUsual(text, at, unit) {
  const before = [...text.slice(Math.max(0, at - 2), at)].at(-1) ?? '';
  const after = String.fromCodePoint(text.codePointAt(at + unit.length) ?? 0x20);
  if (unit === '\u00ad') return /\p{L}/u.test(before) && /[\p{L}\s]/u.test(after);
  if (unit === '\u200b') return WITHOUT_SPACES.test(before) || WITHOUT_SPACES.test(after);
  if (/[\u200e\u200f\u061c\u202a-\u202c\u2066-\u2069]/.test(unit)) return RIGHT_TO_LEFT.test(text);
  if (/[\u{e0030}-\u{e007f}]/u.test(unit)) {
    const near = Math.max(0, at - FLAG_LENGTH);
    const flag = near + text.slice(near, at).lastIndexOf('\u{1f3f4}');
    return flag >= near && at - flag < (FLAG.exec(text.slice(flag, flag + FLAG_LENGTH))?.[0].length ?? 0);
  }
  return DRAWN.test(unit);
}
