// @ts-check
// A headless Chromium with the page open and everything that it complains about written down.

import assert from 'node:assert/strict';
import axe from 'axe-core';
import { chromium } from 'playwright-core';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/** The browser's program; `CHROMIUM` names another. */
export function executable() {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const places = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return process.env['CHROMIUM'] || [...places, MAC].find((place) => existsSync(place));
}

export async function launch() {
  const path = executable();
  if (!path) throw new Error('no chromium: install it, or name it in CHROMIUM');
  return chromium.launch({
    executablePath: path, headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync',
      '--no-first-run', '--disable-dev-shm-usage'],
  });
}

/**
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 * @param {import('playwright-core').BrowserContextOptions} [options]
 * @param {{ stoppedAt?: string }} [clock] The time that the page reads, always the same; without one, the true time.
 */
export async function open(browser, url, options = {}, { stoppedAt } = {}) {
  const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1360, height: 860 }, ...options });
  if (stoppedAt) await context.clock.setFixedTime(stoppedAt);
  const page = await context.newPage();
  /** @type {string[]} */
  const complaints = [];
  /** @type {string[]} */
  const foreign = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const address = new URL(request.url());
    if (address.protocol !== 'data:' && address.origin !== new URL(url).origin) foreign.push(request.url());
  });
  await page.goto(url);
  await page.waitForSelector('html[data-ready]');
  return { page, context, complaints, foreign };
}

/**
 * Closes pages, and fails if one asked for anything outside the daemon or complained.
 * @param {Awaited<ReturnType<typeof open>>[]} opened
 * @param {(url: string) => boolean} [own] What is the page's own though it is no address of the daemon.
 */
export async function close(opened, own = () => false) {
  await Promise.all(opened.map(({ context }) => context.close()));
  assert.deepEqual(opened.flatMap(({ foreign }) => foreign.filter((url) => !own(url))), [], 'nothing outside the daemon is asked for');
  // Chromium writes down every answer that is an error; those are wanted here.
  const complaints = opened.flatMap(({ complaints }) => complaints).filter((text) => !text.startsWith('Failed to load resource'));
  assert.deepEqual(complaints, [], 'neither errors nor breaches of the content security policy');
}

/**
 * Fails for what axe-core finds wrong (WCAG 2.2 AA and its best practices).
 * @param {import('playwright-core').Page} page
 */
export async function accessible(page) {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    // @ts-expect-error axe-core leaves itself in the window.
    const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] });
    return violations.map((/** @type {any} */ one) => `${one.id}: ${one.help}\n` + one.nodes.slice(0, 3)
      .map((/** @type {any} */ node) => `  ${node.html.slice(0, 160)}\n  ${node.failureSummary}`).join('\n'));
  });
  assert.deepEqual(found, []);
}
