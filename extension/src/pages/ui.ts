// What popup and options are made with.

import { el } from '../../../server/src/http/web/dom.js';
import { language, tag, Translator } from '../i18n.js';
import type { Settings } from '../protocol.js';
import en from '../_locales/en/pages.json' with { type: 'json' };
import zh from '../_locales/zh_CN/pages.json' with { type: 'json' };

export { button, el, icon } from '../../../server/src/http/web/dom.js';

export type Shared = keyof typeof en;
export type Say<Name extends string = never> = Translator<Name | Shared>;

/** The sentences of a page and those that both have, in the user's language; the page is told which that is. */
export function speak<Name extends string>(
  own: { en: Record<Name, string>; zh_CN: Record<Name, string> }, { language: chosen }: Settings,
): Say<Name> {
  const in_ = language(chosen, chrome.i18n.getUILanguage());
  document.documentElement.lang = tag(in_);
  return new Translator<Name | Shared>(in_, { en: { ...en, ...own.en }, zh_CN: { ...zh, ...own.zh_CN } });
}

/** Fills in the sentences that the page's markup names. */
export function translate(say: Say<string>): void {
  for (const element of document.querySelectorAll<HTMLElement>('[data-t]')) {
    element.textContent = say.t((element.dataset['t'] ?? '') as Shared);
  }
  for (const element of document.querySelectorAll<HTMLElement>('[data-t-label]')) {
    element.setAttribute('aria-label', say.t((element.dataset['tLabel'] ?? '') as Shared));
  }
}

export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no #${id}`);
  return found;
}

/** A command to type, and a button that copies it. */
export function command(text: string, say: Say): HTMLElement {
  const copy = el('button', { type: 'button', class: 'quiet' }, say.t('copy'));
  copy.setAttribute('aria-label', say.t('copyCommand', { command: text }));
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = say.t('copied');
      announce(say.t('copied'));
    } catch {
      copy.textContent = say.t('notCopied');
    }
  });
  return el('div', { class: 'command' }, el('code', {}, text), copy);
}

/** Tells those who do not see what has changed. */
export function announce(text: string): void {
  const status = byId('status');
  // The same words again are read again only if they were gone for a moment.
  status.textContent = '';
  requestAnimationFrame(() => { status.textContent = text; });
}

export function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

