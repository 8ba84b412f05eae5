// @ts-check
// A real Chromium with the built extension in it, and the helpers that its tests share.

import { chromium } from 'playwright-core';
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { executable } from './browser.mjs';

const DIST = fileURLToPath(new URL('../../extension/dist/chromium/', import.meta.url));

/** Whether the extension has been built. */
export function built() {
  return existsSync(join(DIST, 'manifest.json'));
}

/**
 * Starts a browser with the extension and a profile of its own.
 *
 * No test can answer a browser's own question for a permission, so sites for tests are granted in the manifest of a copy.
 * Names under `.test` lead to this machine; everything else leads nowhere.
 * @param {{
 *   grant?: string[], language?: 'en'|'zh_CN', daemonPort?: number, args?: string[],
 *   options?: Parameters<typeof chromium.launchPersistentContext>[1]
 * }} [wish] `grant`: match patterns of sites on which the extension may run. `language`: of its interface.
 */
export async function launchExtension({ grant = ['http://*.test/*'], language = 'en', daemonPort, args = [], options = {} } = {}) {
  const path = executable();
  if (!path) throw new Error('no chromium: install it, or name it in CHROMIUM');
  assert.ok(built(), 'the extension is not built: run `cargo xtask extension`');
  const home = mkdtempSync(join(tmpdir(), 'bonafide-extension-'));
  const folder = join(home, 'extension');
  cpSync(DIST, folder, { recursive: true });
  const file = join(folder, 'manifest.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  manifest.host_permissions.push(...grant);
  writeFileSync(file, JSON.stringify(manifest));
  const context = await chromium.launchPersistentContext(join(home, 'profile'), {
    executablePath: path, headless: false, ignoreDefaultArgs: ['--disable-extensions'], locale: 'en-US', viewport: { width: 1360, height: 860 },
    args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync',
      '--no-first-run', '--disable-dev-shm-usage', '--disable-features=DisableLoadExtensionCommandLineSwitch',
      '--host-resolver-rules=MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      `--disable-extensions-except=${folder}`, `--load-extension=${folder}`, ...args],
    ...options,
  });
  const worker = await workerOf(context);
  const id = new URL(worker.url()).host;
  await worker.evaluate(async ({ language, port }) => {
    await chrome.storage.local.set({ settings: { language, ...(port === undefined ? {} : { port }) } });
  }, { language, port: daemonPort });

  /** @param {string} name */
  const address = (name) => `chrome-extension://${id}/${name}`;

  /**
   * A page of the extension, ready.
   * @param {string} name
   * @param {(page: import('playwright-core').Page) => Promise<void>} [prepare] Before it loads.
   */
  async function openPage(name, prepare) {
    const page = await context.newPage();
    await prepare?.(page);
    await page.goto(address(name));
    await page.waitForSelector('html[data-ready]');
    return page;
  }

  return {
    context, id, address, openPage,
    /** The worker as it runs now: the browser stops it and starts it again. */
    worker: () => workerOf(context),
    /**
     * The popup, in a tab of its own, about another tab.
     * @param {import('playwright-core').Page|null} [about]
     * @param {(page: import('playwright-core').Page) => Promise<void>} [prepare]
     */
    async openPopup(about = null, prepare) {
      const tab = about ? await tabOf(about) : null;
      const page = await openPage(`popup.html${tab === null ? '' : `?tab=${tab}`}`, async (opened) => {
        await opened.setViewportSize({ width: 376, height: 600 });
        await prepare?.(opened);
      });
      return page;
    },
    openOptions: () => openPage('options.html'),
    tabOf,
    /**
     * Sends a message as popup and options do.
     * @param {string} name
     * @param {unknown} [ask]
     * @returns {Promise<any>}
     */
    async send(name, ask = {}) {
      const page = await context.newPage();
      try {
        await page.goto(address('manifest.json'));
        return await page.evaluate((message) => chrome.runtime.sendMessage(message), { name, ask });
      } finally {
        await page.close();
      }
    },
    /**
     * Runs in the world of the content script of a page.
     * @template T, A
     * @param {import('playwright-core').Page} page
     * @param {(argument: A) => T} work It must not use anything from around it.
     * @param {A} [argument]
     * @returns {Promise<Awaited<T>>}
     */
    async inScript(page, work, argument) {
      const session = await context.newCDPSession(page);
      try {
        /** @type {Promise<number>} */
        const world = new Promise((resolve, reject) => {
          setTimeout(reject, 10_000, new Error('the content script does not run in that page')).unref();
          session.on('Runtime.executionContextCreated', ({ context: { id: number, origin, auxData } }) => {
            if (origin === `chrome-extension://${id}` && auxData?.['type'] === 'isolated') resolve(number);
          });
        });
        await session.send('Runtime.enable');
        const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
          expression: `(${work})(${JSON.stringify(argument) ?? 'undefined'})`, contextId: await world, awaitPromise: true, returnByValue: true,
        });
        if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        return result.value;
      } finally {
        await session.detach();
      }
    },
    /**
     * Sends a message as the content script of a page does.
     * @param {import('playwright-core').Page} page
     * @param {string} name
     * @param {unknown} [ask]
     * @returns {Promise<any>}
     */
    async sendFrom(page, name, ask = {}) {
      return this.inScript(page, (message) => chrome.runtime.sendMessage(message), { name, ask });
    },
    /**
     * Empties what the extension keeps, and sets some settings.
     * @param {Record<string, unknown>} [settings]
     * @param {string} [token] As if it had been paired.
     */
    async reset(settings = {}, token) {
      await (await workerOf(context)).evaluate(async (token) => {
        await Promise.all([chrome.storage.local.clear(), chrome.storage.session.clear(), chrome.storage.sync.clear(), chrome.alarms.clearAll()]);
        if (token) await chrome.storage.local.set({ token });
      }, token);
      const { error } = await this.send('save', { language, off: [], ...settings });
      assert.equal(error, undefined);
    },
    /**
     * What one of the extension's storages holds.
     * @param {'local'|'session'|'sync'} area
     * @returns {Promise<Record<string, any>>}
     */
    stored: async (area) => (await workerOf(context)).evaluate((area) => chrome.storage[area].get(null), area),
    /** Stops the worker, as the browser does when nothing has happened for a while. */
    async stopWorker() {
      const page = await context.newPage();
      await page.goto(address('manifest.json'));
      const session = await context.newCDPSession(page);
      await session.send('ServiceWorker.enable');
      const gone = new Promise((resolve) => {
        session.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
          if (versions.length > 0 && versions.every(({ runningStatus }) => runningStatus === 'stopped')) resolve(undefined);
        });
      });
      await session.send('ServiceWorker.stopAllWorkers');
      await gone;
      await page.close();
    },
    async close() {
      await context.close();
      rmSync(home, { recursive: true, force: true, maxRetries: 3 });
    },
  };

  /**
   * The browser's number for a page's tab.
   * @param {import('playwright-core').Page} page
   * @returns {Promise<number>}
   */
  async function tabOf(page) {
    const mark = `tab-${Math.random().toString(36).slice(2)}`;
    const before = await page.evaluate((mark) => {
      const { hash } = location;
      history.replaceState(history.state, '', `#${mark}`);
      return hash;
    }, mark);
    const worker = await workerOf(context);
    const found = await worker.evaluate(async (mark) => {
      const tabs = await chrome.tabs.query({});
      return tabs.find(({ url }) => url?.endsWith(`#${mark}`))?.id ?? null;
    }, mark);
    await page.evaluate((hash) => history.replaceState(history.state, '', hash || location.pathname + location.search), before);
    if (found === null) throw new Error('the extension may not see that tab');
    return found;
  }
}

/** @param {import('playwright-core').BrowserContext} context */
async function workerOf(context) {
  return context.serviceWorkers()[0] ?? context.waitForEvent('serviceworker');
}

/**
 * Pairs an extension with a daemon as a person does: with the popup's code and the daemon's page.
 * @param {Awaited<ReturnType<typeof launchExtension>>} extension
 * @param {string} link A one-time link to the daemon's page.
 * @param {(page: import('playwright-core').Page, name: string) => Promise<void>} [shot]
 */
export async function pair(extension, link, shot) {
  const page = await extension.context.newPage();
  await page.goto(link);
  await page.waitForSelector('html[data-ready]');
  const popup = await extension.openPopup();
  await popup.getByRole('button', { name: /pair/i }).click();
  const code = (await popup.getByText(/\d{3}\s\d{3}/).first().innerText()).match(/\d{3}\s\d{3}/)?.[0] ?? '';
  await shot?.(popup, 'popup-pairing');
  await page.goto(new URL('/pair', link).href);
  const request = page.locator('.request', { hasText: extension.id });
  await request.waitFor();
  assert.ok((await request.innerText()).includes(code), 'both show the same code');
  await shot?.(page, 'daemon-pairing');
  await request.getByRole('button', { name: /let it in/ }).click();
  await popup.getByText(/ready|smollm2/i).first().waitFor();
  await popup.close();
  await page.close();
}
