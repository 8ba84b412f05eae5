// Words of the overlay: its sentences, and numbers, dates and names as the user's language writes them.

import type en from '../../_locales/en/content.json';
import { tag, type Translator } from '../../i18n.js';
import type { Verdict } from '../../protocol.js';

export type Say = Translator<keyof typeof en>;
export type Name = keyof typeof en;

/** The tag for `Intl`; Chinese numbers and dates are those of the mainland. */
function locale(say: Say): string {
  return tag(say.language);
}

/** A share in percent that is never rounded to certainty. */
export function percent(say: Say, share: number): string {
  const format = new Intl.NumberFormat(locale(say), { style: 'percent' });
  if (share < 0.01) return `< ${format.format(0.01)}`;
  if (share > 0.99) return `> ${format.format(0.99)}`;
  return format.format(share);
}

/** A rate with two digits after the point. */
export function rate(say: Say, share: number): string {
  return new Intl.NumberFormat(locale(say), { style: 'percent', maximumFractionDigits: 2 }).format(share);
}

export function decimal(say: Say, value: number): string {
  return new Intl.NumberFormat(locale(say), { maximumSignificantDigits: 3 }).format(value);
}

/** A date, or the text itself if it is none. */
export function date(say: Say, text: string): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  return new Intl.DateTimeFormat(locale(say), { dateStyle: 'long', timeStyle: 'short' }).format(at);
}

/** The name of a language by its code. */
export function languageName(say: Say, code: string): string {
  try {
    return new Intl.DisplayNames(locale(say), { type: 'language' }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** What is said of a text in one sentence. */
export function sentence(say: Say, verdict: Verdict): string {
  return say.t(`said_${verdict}`);
}

/** What draws nothing, or changes the order in which text is read: a name could pretend to be another one with it. */
const UNSEEN =
  /[^\P{C}\n\r\t\u200c\u200d]|[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2028\u2029\u2800\u3164\uffa0\u{e0100}-\u{e01ef}]/gu;

/** A foreign text with everything unseen shown by its number. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (unit) => `U+${(unit.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`);
}
