// @ts-check
// The dialog in which the author sees all that is signed, and gives the passphrase or says no.

import { ApiError } from './api.js';
import * as desk from './desk.js';
import { button, byId, el } from './dom.js';
import { exactText, factList } from './facts.js';
import { explain, isKey, t } from './i18n.js';
import { hides, shown } from './unseen.js';

const dialog = byId('confirm', HTMLDialogElement);

/**
 * The same, wherever it is shown.
 * @param {desk.Waiting} waiting
 */
export function whole(waiting) {
  const form = `f_${waiting.form}`;
  /** @type {[string, string][]} */
  const more = [[t('formLabel'), isKey(form) ? t(form) : waiting.form]];
  return [
    el('h3', {}, t('confirmText')),
    hides(waiting.text) ? el('p', { class: 'warning' }, t('confirmUnseen')) : null,
    exactText(waiting.text, t('confirmText')),
    el('h3', {}, t('confirmFacts')),
    factList(waiting.statement, waiting.key.fingerprint, more),
  ];
}

/**
 * Who asks, if it is a program.
 * @param {desk.Waiting} waiting
 */
export function asker(waiting) {
  return waiting.from === null ? null : el('p', {}, ...shown(t('confirmFrom', { name: waiting.from })));
}

/**
 * Asks the author; gives what was signed, or nothing.
 * @param {desk.Waiting} waiting
 * @returns {Promise<desk.Status|null>}
 */
export function confirm(waiting) {
  return new Promise((resolve) => {
    const secret = el('input', { type: 'password', id: 'passphrase', autocomplete: 'off', 'aria-describedby': 'confirm-error' });
    const error = el('p', { id: 'confirm-error', class: 'warning', role: 'alert' });
    const sign = el('button', { type: 'submit', class: 'primary' }, t('signNow'));
    const no = button(t('dontSign'), () => void refuse());
    const form = el('form', {},
      el('h2', { id: 'confirm-title', class: 'display' }, t(waiting.from === null ? 'confirmTitle' : 'confirmAsked')),
      asker(waiting), ...whole(waiting),
      waiting.key.has_passphrase
        ? el('label', { class: 'secret' }, el('span', {}, t('passphrase', { name: waiting.key.name })), secret)
        : el('p', { class: 'muted' }, t('agentKey')),
      error, el('div', { class: 'row' }, no, sign));
    let busy = false;

    /** @param {desk.Status|null} status */
    const close = (status) => {
      secret.value = '';
      dialog.removeEventListener('cancel', cancelled);
      dialog.close();
      dialog.replaceChildren();
      resolve(status);
    };
    const refuse = async () => {
      if (busy) return;
      // If nobody hears it, the request ends by itself.
      await desk.refuse(waiting.id).catch(() => undefined);
      close(null);
    };
    /** @param {Event} event */
    const cancelled = (event) => {
      event.preventDefault();
      void refuse();
    };
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      if (busy) return;
      busy = true;
      sign.disabled = true;
      error.textContent = '';
      try {
        close(await desk.confirm(waiting.id, secret.value));
      } catch (thrown) {
        if (!(thrown instanceof ApiError)) throw thrown;
        error.textContent = explain(thrown).join(' ');
        secret.value = '';
        secret.focus();
        // Nothing can be done here any more but to leave.
        sign.disabled = ['wrong_passphrases', 'request_over', 'unknown_request'].includes(thrown.code);
      } finally {
        busy = false;
      }
    });
    dialog.addEventListener('cancel', cancelled);
    dialog.replaceChildren(form);
    dialog.showModal();
    (waiting.key.has_passphrase ? secret : no).focus();
    dialog.scrollTop = 0;
  });
}
