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
  const number = (unit.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return el('span', { class: 'unseen', title: t('unseen') }, `U+${number}`);
}
