// @ts-check
// The page "Write and sign": an editor that counts, the author's word, and what came of it; and a place to check.

import * as api from './api.js';
import { countWords } from './blocks.js';
import { confirm } from './confirm.js';
import { Counter } from './counter.js';
import * as desk from './desk.js';
import { button, byId, el } from './dom.js';
import { figuresLine, outcome } from './facts.js';
import { announce, letIn, lock, tellError } from './frame.js';
import { languageName, plural, t } from './i18n.js';
import { Requests } from './requests.js';
import { translate, wireSettings } from './settings.js';

const LANGUAGES = ['en', 'zh-Hans', 'zh-Hant', 'ar', 'de', 'es', 'fr', 'hi', 'id', 'it', 'ja', 'ko', 'nl', 'pl', 'pt', 'ru', 'tr', 'uk', 'vi'];

const draft = byId('draft', HTMLTextAreaElement);
const keyChoice = byId('key', HTMLSelectElement);
const assistance = byId('assistance', HTMLSelectElement);
const sentence = byId('sentence', HTMLInputElement);
const textLanguage = byId('text-language', HTMLSelectElement);
const form = byId('form', HTMLSelectElement);
const carry = byId('carry', HTMLInputElement);
const signButton = byId('sign', HTMLButtonElement);
const check = byId('check', HTMLTextAreaElement);
const checkButton = byId('check-go', HTMLButtonElement);
let counter = new Counter();

/** @typedef {import('./frame.js').Said} Said */

const state = {
  /** @type {desk.Keys|null} */
  keys: null,
  /** @type {{status: desk.Status, text: string, form: desk.Form, from: string|null}|null} */
  made: null,
  /** @type {{verified: desk.Verified, text: string}|null} */
  checked: null,
  /** @type {Said|null} */
  error: null,
};

const requests = new Requests((status, waiting) => made(status, waiting), announce, lockIfUnknown);

// ---- what is shown ----

function localise() {
  translate();
  draft.placeholder = t('draftPlaceholder');
  check.placeholder = t('checkPlaceholder');
  showKeys();
  showLanguages();
  showCount();
  showError(state.error);
  showMade();
  showChecked();
  requests.show();
}

function showKeys() {
  const chosen = keyChoice.value;
  const own = (state.keys?.own ?? []).filter((key) => !key.revoked);
  keyChoice.replaceChildren(...own.map((key) => {
    const usable = key.has_passphrase || key.hardware;
    const said = t(usable ? 'keyOption' : 'keyBare', { author: key.author.name, name: key.name });
    return el('option', { value: key.name, disabled: !usable, selected: key.default && usable }, said);
  }));
  if (own.length === 0) keyChoice.append(el('option', { value: '' }, t('keyNone')));
  if (own.some((key) => key.name === chosen)) keyChoice.value = chosen;
  byId('keyless', HTMLElement).hidden = state.keys === null || own.length > 0;
  signButton.disabled = keyChoice.value === '';
}

function showLanguages() {
  const chosen = textLanguage.value;
  textLanguage.replaceChildren(el('option', { value: '' }, t('languageFound')),
    ...LANGUAGES.map((tag) => el('option', { value: tag }, languageName(tag))));
  textLanguage.value = chosen;
}

function showCount() {
  const words = countWords(draft.value);
  byId('count', HTMLElement).textContent = words === 0 ? '' : plural('words', words);
  byId('figures', HTMLElement).textContent = figuresLine(counter.figures(draft.value));
  byId('clear', HTMLElement).hidden = draft.value === '';
}

/** @param {Said|null} error */
function showError(error) {
  state.error = error;
  tellError(error);
}

/** @param {api.ApiError} error */
function lockIfUnknown(error) {
  if (error.status === 401) lock();
}

/**
 * What a request's failure means to the page.
 * @param {unknown} error
 */
function failed(error) {
  if (!(error instanceof api.ApiError)) throw error;
  lockIfUnknown(error);
  showError(error);
}

/** @param {string} code */
const mistake = (code) => showError({ code, message: '', hint: '' });

// ---- signing ----

/** What the form has no place for can't be chosen with it. */
function showForm() {
  for (const option of form.options) option.disabled = carry.checked && option.value === 'line';
  if (form.selectedOptions[0]?.disabled) {
    form.value = 'armour';
    announce(t('carryNote'));
  }
}

/** @returns {desk.Wish} */
function wish() {
  const own = assistance.value === 'own';
  return {
    text: draft.value,
    form: /** @type {desk.Form} */ (form.value),
    key: keyChoice.value,
    assistance: own ? sentence.value.trim() : assistance.value,
    ...(textLanguage.value === '' ? {} : { language: textLanguage.value }),
    ...(carry.checked ? { written_here: counter.figures(draft.value) } : {}),
  };
}

async function sign() {
  if (draft.value.trim() === '') {
    mistake('noDraft');
    return draft.focus();
  }
  if (assistance.value === 'own' && sentence.value.trim() === '') {
    mistake('noSentence');
    return sentence.focus();
  }
  signButton.disabled = true;
  showError(null);
  try {
    const waiting = await desk.ask(wish());
    const status = waiting && await confirm(waiting);
    if (waiting && status) made(status, waiting);
  } catch (error) {
    failed(error);
  } finally {
    signButton.disabled = keyChoice.value === '';
  }
}

/**
 * @param {desk.Status} status
 * @param {desk.Waiting} waiting
 */
function made(status, waiting) {
  state.made = { status, text: waiting.text, form: waiting.form, from: waiting.from };
  showMade();
  announce(t('madeTitle'));
  document.getElementById('made-title')?.focus();
}

function showMade() {
  const box = byId('output', HTMLElement);
  const { made } = state;
  if (!made) return box.replaceChildren();
  const output = made.status.output ?? '';
  const beside = made.form === 'side' || made.form === 'vc';
  const kind = { html: 'html', side: 'txt.human.json', vc: 'txt.human.json', line: 'txt', armour: 'txt' }[made.form];
  box.replaceChildren(el('section', { class: 'card made', 'aria-labelledby': 'made-title' },
    el('h3', { id: 'made-title', tabindex: -1 }, t('madeTitle')),
    el('p', { class: 'muted' }, t(made.from === null ? (beside ? 'madeSide' : 'made') : 'madeElsewhere')),
    el('pre', { class: 'exact', id: 'made', tabindex: 0, role: 'group', 'aria-label': t('madeTitle') }, output),
    el('div', { class: 'row' },
      button(t('copyOutput'), () => void copy(output)),
      button(t('download'), () => download(`text.${kind}`, output)),
      beside ? button(t('downloadText'), () => download('text.txt', made.text)) : null)));
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    announce(t('outputCopied'));
  } catch {
    announce(t('notCopied'));
  }
}

/**
 * @param {string} name
 * @param {string} text
 */
function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/octet-stream' }));
  el('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

// ---- checking ----

async function checkText() {
  const text = check.value;
  if (text.trim() === '') {
    mistake('noCheck');
    return check.focus();
  }
  checkButton.disabled = true;
  showError(null);
  try {
    state.checked = { verified: await desk.verify(text), text };
    showChecked();
    announce(byId('checked', HTMLElement).querySelector('h4, p')?.textContent ?? '');
  } catch (error) {
    failed(error);
  } finally {
    checkButton.disabled = false;
  }
}

function showChecked() {
  const box = byId('checked', HTMLElement);
  const { checked } = state;
  if (!checked) return box.replaceChildren();
  const own = new Set(state.keys?.own.map((key) => key.fingerprint));
  // The daemon counts without a byte order mark.
  const text = checked.verified.text ?? checked.text.replace(/^\ufeff/, '');
  const all = checked.verified.statements.map((one) => outcome(one, text, own));
  box.replaceChildren(...(all.length === 0 ? [el('p', {}, t('noSignature'))] : all));
}

// ---- beginning ----

function clear() {
  draft.value = '';
  counter = new Counter();
  showCount();
  draft.focus();
}

function wire() {
  wireSettings(localise);
  draft.addEventListener('input', (event) => {
    const type = event.isTrusted && event instanceof InputEvent ? event.inputType : '';
    counter.change(draft.value, type, draft.selectionEnd, Date.now());
    showCount();
  });
  assistance.addEventListener('change', () => {
    byId('sentence-label', HTMLElement).hidden = assistance.value !== 'own';
    if (assistance.value === 'own') sentence.focus();
  });
  carry.addEventListener('change', showForm);
  byId('clear', HTMLButtonElement).addEventListener('click', clear);
  signButton.addEventListener('click', () => void sign());
  checkButton.addEventListener('click', () => void checkText());
  document.addEventListener('visibilitychange', () => {
    if (api.hasToken() && document.visibilityState === 'visible') void requests.watch();
  });
  addEventListener('hashchange', () => requests.reveal(location.hash.slice(1)));
  // The draft is kept nowhere, so it is not given up without a question.
  addEventListener('beforeunload', (event) => {
    if (draft.value.trim() !== '' && state.made?.text !== draft.value) event.preventDefault();
  });
}

/** Exchanges the link's code, and finds out whose keys there are and what waits. */
async function connect() {
  await letIn(showError);
  if (!api.hasToken()) return lock();
  try {
    state.keys = await desk.keys();
    showKeys();
  } catch (error) {
    failed(error);
  }
  if (!api.hasToken()) return;
  await requests.watch();
  requests.reveal(location.hash.slice(1));
}

wire();
localise();
draft.focus();
await connect();
document.documentElement.dataset['ready'] = 'true';
