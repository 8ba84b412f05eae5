// @ts-check
// The page on which the user compares the code of a browser extension and lets it in, or not.

import * as api from './api.js';
import { button, byId, el } from './dom.js';
import { announce, letIn, lock, tellError } from './frame.js';
import { t } from './i18n.js';
import { answer, Watch } from './pairing.js';
import { translate, wireSettings } from './settings.js';

/** @typedef {import('./pairing.js').Pending} Pending */

const list = byId('requests', HTMLElement);
const done = byId('done', HTMLElement);

const state = {
  /** @type {Pending[]|null} */
  waiting: null,
  /** @type {'pairDone'|'pairRefused'|null} */
  done: null,
  /** @type {{code: string, message: string, hint: string}|null} */
  error: null,
};

const watch = new Watch((all, arrived) => {
  state.waiting = all;
  show();
  if (arrived) announce(t('pairWaiting'));
}, shut);

function localise() {
  translate();
  showDone();
  showError(state.error);
  show();
}

function show() {
  list.replaceChildren(...(state.waiting ?? []).map(card));
  byId('nobody', HTMLElement).hidden = state.waiting === null || state.waiting.length > 0;
}

/** @param {Pending} pending */
function card(pending) {
  const title = `request-title-${pending.id}`;
  const browser = t(pending.browser === 'firefox' ? 'pairFirefox' : 'pairChromium');
  return el('article', { class: 'card request', id: `request-${pending.id}`, 'aria-labelledby': title },
    el('h3', { id: title }, t('pairAsks')),
    el('p', {}, `${browser} `, el('code', {}, pending.extension)),
    el('p', { class: 'code' }, pending.code),
    el('p', {}, t('pairCompare')),
    el('p', { class: 'muted' }, t('pairMay')),
    el('div', { class: 'row' },
      button(t('pairNo'), () => void say(pending, false)),
      button(t('pairYes'), () => void say(pending, true), 'primary')));
}

/**
 * @param {Pending} pending
 * @param {boolean} yes
 */
async function say(pending, yes) {
  state.done = null;
  showError(null);
  try {
    await answer(pending.id, yes);
    state.done = yes ? 'pairDone' : 'pairRefused';
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    if (error.status === 401) shut();
    showError(error);
  }
  showDone();
  // The button that was pressed goes away: the focus stays near.
  if (state.done) done.focus();
  if (api.hasToken()) await watch.look();
}

function showDone() {
  done.hidden = state.done === null;
  done.textContent = state.done === null ? '' : t(state.done);
}

/** @param {{code: string, message: string, hint: string}|null} error */
function showError(error) {
  state.error = error;
  tellError(error);
}

/** Nobody is shown to a page that was not let in. */
function shut() {
  lock();
  state.waiting = null;
  show();
}

/** Exchanges the link's code, if there is one. */
async function connect() {
  await letIn(showError);
  if (!api.hasToken()) return shut();
  await watch.start();
}

wireSettings(localise);
localise();
await connect();
document.documentElement.dataset['ready'] = 'true';
