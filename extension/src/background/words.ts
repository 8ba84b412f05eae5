// The background's own sentences.

import en from '../_locales/en/background.json' with { type: 'json' };
import zh from '../_locales/zh_CN/background.json' with { type: 'json' };
import { language, Translator } from '../i18n.js';
import type { Settings } from '../protocol.js';

export type Name = keyof typeof en;
export type Words = Translator<Name>;

export function words({ language: chosen }: Settings): Words {
  return new Translator(language(chosen, chrome.i18n.getUILanguage()), { en, zh_CN: zh });
}
