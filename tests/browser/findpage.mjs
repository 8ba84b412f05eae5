// @ts-check
// Pages with the content script's finder in them, whose addresses are answered here.

import { readFile } from 'node:fs/promises';
import { launch } from './browser.mjs';
import { bundle } from './bundle.mjs';

const PAGES = new URL('./pages/', import.meta.url);

/** A browser for these tests; the script is bundled once. */
export async function finder() {
  const [browser, script] = await Promise.all([launch(), bundle('./findentry.ts')]);

  /**
   * A page with the finder in it; it has begun unless `wait` is set.
   * @param {string} name A file in `pages/`, or HTML.
   * @param {{host?: string, path?: string, wait?: boolean, options?: import('playwright-core').BrowserContextOptions}} [wish]
   */
  async function open(name, { host = 'news.test', path = '/page', wait = false, options = {} } = {}) {
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
    const page = await context.newPage();
    /** @type {string[]} */
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => { if (message.text().startsWith('bonafide:')) errors.push(message.text()); });
    const html = name.endsWith('.html') ? await readFile(new URL(name, PAGES), 'utf8') : name;
    await page.route('**/*', async (route) => {
      const { pathname } = new URL(route.request().url());
      if (pathname === path) return route.fulfill({ contentType: 'text/html; charset=utf-8', body: html });
      const file = await readFile(new URL(`.${pathname}`, PAGES), 'utf8').catch(() => null);
      return file === null ? route.fulfill({ status: 404, body: '' }) : route.fulfill({ contentType: 'text/html; charset=utf-8', body: file });
    });
    await page.goto(`http://${host}${path}`);
    await page.evaluate(script);
    if (!wait) await page.evaluate('begin()');
    return { page, context, errors };
  }

  return { open, close: () => browser.close() };
}

/**
 * The blocks once all that were looked at so far are shown and nothing is under way.
 * @param {import('playwright-core').Page} page
 * @param {number} count How many there are at least.
 * @returns {Promise<any[]>}
 */
export async function blocks(page, count) {
  await page.waitForFunction((count) => {
    // @ts-expect-error The test's own global.
    const found = globalThis.lab.blocks();
    return found.length >= count && found.every((/** @type {any} */ { state }) => state !== 'waiting');
  }, count);
  return page.evaluate('lab.blocks()');
}
