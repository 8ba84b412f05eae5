// Sentences in the language of the user: those of `_locales`, and findings, which come with their values.

import { chinese, fill, own } from '../../server/src/http/web/reasons.js';
import type { Evidence, Settings } from './protocol.js';

/** Sentences by name; `{name}` stands for a value. */
export type Texts = Record<string, string>;
export type Language = 'en' | 'zh_CN';

/** The language of the interface: the user's choice, or the browser's. */
export function language(chosen: Settings['language'], browser: string): Language {
  if (chosen !== 'auto') return chosen;
  // Whoever reads traditional characters is better served by those than by English.
  return browser.toLowerCase().startsWith('zh') ? 'zh_CN' : 'en';
}

/** The BCP 47 tag of a language, for `lang` and for `Intl`. */
export function tag(of: Language): string {
  return of === 'en' ? 'en' : 'zh-CN';
}

export class Translator<Name extends string> {
  constructor(
    readonly language: Language,
    private readonly texts: Record<Language, Record<Name, string>>,
  ) {}

  /** A sentence. With a value `n` the one for its plural, if there are two: `name_one` and `name`. */
  t(name: Name, values: Record<string, string | number> = {}): string {
    const texts = this.texts[this.language] as Texts;
    const one = this.language === 'en' && values['n'] === 1 ? own(texts, `${name}_one`) : undefined;
    const shown: Record<string, string> = {};
    for (const [key, value] of Object.entries(values)) {
      shown[key] = typeof value === 'number' ? value.toLocaleString(tag(this.language)) : value;
    }
    return fill(one ?? own(texts, name) ?? name, shown) ?? name;
  }

  /** A finding in one sentence. */
  finding(evidence: Evidence): string {
    return (this.language === 'zh_CN' ? chinese(evidence) : undefined) ?? evidence.message;
  }
}
