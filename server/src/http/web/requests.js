// @ts-check
// What other programs want signed, for as long as it waits.

import { ApiError } from './api.js';
import { asker, confirm, whole } from './confirm.js';
import * as desk from './desk.js';
import { button, byId, el } from './dom.js';
import { t } from './i18n.js';

const EVERY_MS = 4000;
const list = byId('requests', HTMLElement);

export class Requests {
  /**
   * @param {(status: desk.Status, waiting: desk.Waiting) => void} onSigned
   * @param {(text: string) => void} announce
   * @param {(error: ApiError) => void} onError Called when the daemon can't be asked.
   */
  constructor(onSigned, announce, onError) {
    this.onSigned = onSigned;
    this.announce = announce;
    this.onError = onError;
    /** @type {desk.Waiting[]} */
    this.waiting = [];
    this.timer = 0;
  }

  /** Looks now, and then again and again while the page is looked at. */
  async watch() {
    clearTimeout(this.timer);
    if (document.visibilityState === 'visible' && !(await this.look())) return;
    this.timer = window.setTimeout(() => void this.watch(), EVERY_MS);
  }

  /** @returns {Promise<boolean>} Whether to go on. */
  async look() {
    let all;
    try {
      all = await desk.waiting();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) this.onError(error);
      return error.status !== 401;
    }
    const asked = all.filter((one) => one.from !== null);
    const known = new Set(this.waiting.map(({ id }) => id));
    const same = asked.length === this.waiting.length && asked.every(({ id }) => known.has(id));
    this.waiting = asked;
    // What stands there already keeps its place and its focus.
    if (!same) this.show();
    if (asked.some(({ id }) => !known.has(id))) this.announce(t('requestArrived'));
    return true;
  }

  show() {
    list.replaceChildren(...this.waiting.map((one) => this.#card(one)));
  }

  /**
   * Brings the request that the address names before the user's eyes.
   * @param {string} id
   */
  reveal(id) {
    const card = document.getElementById(`request-${id}`);
    card?.scrollIntoView({ block: 'nearest' });
    card?.querySelector('button')?.focus();
  }

  /** @param {desk.Waiting} waiting */
  #card(waiting) {
    const title = `request-title-${waiting.id}`;
    return el('article', { class: 'card request', id: `request-${waiting.id}`, 'aria-labelledby': title },
      el('h3', { id: title }, t('confirmAsked')), asker(waiting),
      ...whole(waiting),
      el('div', { class: 'row' },
        button(t('look'), () => void this.#confirm(waiting)),
        button(t('refuse'), () => void this.#refuse(waiting))));
  }

  /** @param {desk.Waiting} waiting */
  async #confirm(waiting) {
    const status = await confirm(waiting);
    if (status) this.onSigned(status, waiting);
    else this.announce(t('refused'));
    await this.look();
  }

  /** @param {desk.Waiting} waiting */
  async #refuse(waiting) {
    try {
      await desk.refuse(waiting.id);
      this.announce(t('refused'));
    } catch (error) {
      // It was answered elsewhere, or waited too long: the next look tells.
      if (!(error instanceof ApiError)) throw error;
    }
    await this.look();
  }
}
