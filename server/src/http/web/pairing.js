// @ts-check
// Browser extensions that ask to be let in: the daemon's shapes, the requests about them, and a watch over them.

import { ApiError, request } from './api.js';

/**
 * @typedef {{id: string, origin: string, extension: string, browser: 'chromium'|'firefox', code: string,
 *   expires_in: number}} Pending
 */

const EVERY_MS = 3000;

/** @returns {Promise<Pending[]>} */
async function pending() {
  return /** @type {{requests: Pending[]}} */ (await request('GET', '/v1/pair')).requests;
}

/**
 * The user's answer.
 * @param {string} id
 * @param {boolean} yes
 */
export async function answer(id, yes) {
  await request('POST', yes ? '/v1/pair/confirm' : '/v1/pair/refuse', { id });
}

/** Looks again and again, while the page is looked at, who waits. */
export class Watch {
  /**
   * @param {(all: Pending[], arrived: boolean) => void} onChange Called when others wait than before.
   * @param {(error: ApiError) => void} [onLocked] Called, once, when the daemon does not know the page any more.
   */
  constructor(onChange, onLocked = () => undefined) {
    this.onChange = onChange;
    this.onLocked = onLocked;
    /** @type {Pending[]|null} */
    this.known = null;
    this.timer = 0;
    this.over = false;
  }

  async start() {
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void this.#go();
    });
    await this.#go();
  }

  async #go() {
    if (this.over) return;
    if (document.visibilityState === 'visible') await this.look();
    clearTimeout(this.timer);
    if (!this.over) this.timer = window.setTimeout(() => void this.#go(), EVERY_MS);
  }

  async look() {
    let all;
    try {
      all = await pending();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // A daemon that does not answer now may answer later.
      if (error.status !== 401) return;
      this.over = true;
      return this.onLocked(error);
    }
    const before = new Set(this.known?.map(({ id }) => id));
    const arrived = all.some(({ id }) => !before.has(id));
    const same = this.known !== null && !arrived && all.length === before.size;
    this.known = all;
    // What stands there already keeps its place and its focus.
    if (!same) this.onChange(all, arrived);
  }
}
