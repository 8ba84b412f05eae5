// @ts-check
// What all pages of the daemon have: a box for errors, a line that is read aloud, and how a page is let in.

import * as api from './api.js';
import { byId } from './dom.js';
import { explain } from './i18n.js';

/** @typedef {{code: string, message: string, hint: string}} Said */

/**
 * Shows an error, or that there is none.
 * @param {Said|null} error
 */
export function tellError(error) {
  const [message, hint] = error ? explain(error) : ['', ''];
  byId('error-message', HTMLElement).textContent = message;
  byId('error-hint', HTMLElement).textContent = hint;
  byId('error', HTMLElement).hidden = error === null;
}

/** @param {string} text */
export function announce(text) {
  byId('status', HTMLElement).textContent = text;
}

/** Forgets a token that is none, and says how to get another. */
export function lock() {
  api.forgetToken();
  byId('locked', HTMLElement).hidden = false;
}

/**
 * Exchanges the link's code, if there is one.
 * @param {(error: api.ApiError) => void} showError
 */
export async function letIn(showError) {
  try {
    await api.enter();
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    // A used link in a tab that has its token already is no trouble.
    if (!api.hasToken()) showError(error);
  }
}
