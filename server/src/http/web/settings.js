// @ts-check
// What every page has at its top: the language and the look. The choice is kept in the browser; a text never is.

import { byId } from './dom.js';
import { isKey, language, setLanguage, t } from './i18n.js';

/**
 * @param {string} key
 * @param {string} [value]
 */
function setting(key, value) {
  try {
    if (value !== undefined) localStorage.setItem(key, value);
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** @param {string} theme */
function setTheme(theme) {
  document.documentElement.dataset['theme'] = theme;
}

/** Puts all texts that stand in the HTML into the language of the interface. */
export function translate() {
  document.documentElement.lang = language() === 'zh' ? 'zh-Hans' : 'en';
  for (const element of document.querySelectorAll('[data-i18n]')) {
    const key = element.getAttribute('data-i18n') ?? '';
    if (isKey(key)) element.textContent = t(key);
  }
}

/**
 * Takes up the kept choices, and follows new ones.
 * @param {() => void} localise Called when another language was chosen.
 */
export function wireSettings(localise) {
  const theme = byId('theme', HTMLSelectElement);
  theme.value = setting('bonafide-theme') ?? 'auto';
  if (theme.value === '') theme.value = 'auto';
  setTheme(theme.value);
  theme.addEventListener('change', () => {
    setTheme(theme.value);
    setting('bonafide-theme', theme.value);
  });
  const chosen = byId('language', HTMLSelectElement);
  const wish = setting('bonafide-language') ?? navigator.language.slice(0, 2).toLowerCase();
  chosen.value = wish === 'zh' ? 'zh' : 'en';
  setLanguage(chosen.value === 'zh' ? 'zh' : 'en');
  chosen.addEventListener('change', () => {
    setLanguage(chosen.value === 'zh' ? 'zh' : 'en');
    setting('bonafide-language', chosen.value);
    localise();
  });
}
