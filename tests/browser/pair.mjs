// @ts-check
// The page "Pair a browser extension" against a daemon that says whatever a test needs.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { accessible, close, launch, open } from './browser.mjs';
import { CODE, HOSTILE, mock } from './mock.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof mock>>} */
let daemon;
/** @type {Awaited<ReturnType<typeof open>>[]} */
let opened = [];

before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });
beforeEach(async () => { daemon = await mock(); });
afterEach(() => close(opened.splice(0)).finally(() => daemon.close()));

/** @param {import('playwright-core').BrowserContextOptions} [options] */
async function visit(path = `/pair?k=${CODE}`, options = {}) {
  const one = await open(browser, daemon.url + path, options);
  opened.push(one);
  return one.page;
}

/**
 * An extension that waits.
 * @param {string} id
 * @param {Partial<import('../../server/src/http/web/pairing.js').Pending>} [other]
 */
function waits(id, other = {}) {
  const extension = 'abcdefghijklmnopabcdefghijklmnop';
  daemon.desk.pairing.push({
    id, extension, origin: `chrome-extension://${extension}`, browser: 'chromium', code: '482 913', expires_in: 300, ...other,
  });
}

test('the code and the id are shown, and the user lets the extension in', async () => {
  waits('a');
  const page = await visit();
  const card = page.getByRole('article', { name: 'A browser extension asks to be let in' });
  const said = await card.innerText();
  for (const wanted of ['482 913', 'abcdefghijklmnopabcdefghijklmnop', 'Chrome', 'popup shows exactly this code']) {
    assert.equal(said.includes(wanted), true, `${wanted}: ${said}`);
  }
  assert.deepEqual(daemon.desk.paired, [], 'nothing is answered before the user does');
  await card.getByRole('button', { name: 'The codes are the same: let it in' }).click();
  await page.waitForSelector('#done:not([hidden])');
  assert.match(await page.locator('#done').innerText(), /is let in/);
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'done');
  assert.deepEqual(daemon.desk.paired, [['confirm', 'a']]);
  await page.waitForSelector('#nobody:not([hidden])');
  assert.equal(await card.count(), 0);
});

test('what has come since is shown without a reload, and each has its own answer', async () => {
  const page = await visit();
  assert.match(await page.locator('#nobody').innerText(), /No extension is waiting/);
  waits('a');
  waits('b', { browser: 'firefox', extension: '01234567-89ab-cdef-0123-456789abcdef', code: '000 042' });
  await page.waitForSelector('#request-b');
  assert.equal(await page.locator('#status').innerText(), 'A browser extension asks to be paired.');
  assert.match(await page.locator('#request-b').innerText(), /Firefox[^]*01234567-89ab[^]*000 042/);
  await page.locator('#request-b').getByRole('button', { name: 'Refuse' }).click();
  await page.waitForSelector('#request-b', { state: 'detached' });
  assert.deepEqual(daemon.desk.paired, [['refuse', 'b']]);
  assert.match(await page.locator('#done').innerText(), /was refused/);
  assert.equal(await page.locator('#request-a').count(), 1);
  // It asks again: what the user saw must not be what is let in.
  daemon.desk.pairing = [];
  await page.locator('#request-a').getByRole('button', { name: /let it in/ }).click();
  await page.waitForSelector('#error:not([hidden])');
  assert.match(await page.locator('#error').innerText(), /does not wait any more[^]*compare the new code/);
  assert.equal(await page.locator('#done').isVisible(), false);
  await page.selectOption('#language', 'zh');
  assert.match(await page.locator('#error').innerText(), /此扩展不再等待[^]*核对新的配对码/);
});

test('without a link nothing is shown, and the page says how to get in', async () => {
  waits('a');
  const page = await visit('/pair');
  const said = await page.locator('#locked').innerText();
  assert.match(said, /bonafide token link[^]*bonafide pair/);
  assert.equal(await page.locator('.request').count(), 0);
  await accessible(page);
});

test('the main page says that an extension waits', async () => {
  const page = await visit(`/?k=${CODE}`);
  assert.equal(await page.locator('#pairing').isVisible(), false);
  waits('a');
  await page.waitForSelector('#pairing:not([hidden])');
  await accessible(page);
  await page.getByRole('link', { name: 'Compare its code' }).click();
  await page.waitForSelector('#request-a');
  assert.equal(new URL(page.url()).pathname, '/pair');
});

test('it is accessible and readable in both languages, themes and on a small screen', async () => {
  waits('a');
  waits('b', { browser: 'firefox', extension: '01234567-89ab-cdef-0123-456789abcdef', code: '000 042' });
  const page = await visit(undefined, { viewport: { width: 380, height: 700 } });
  for (const [language, said] of [['en', 'Pair a browser extension'], ['zh', '配对浏览器扩展']]) {
    await page.selectOption('#language', language ?? '');
    assert.equal(await page.locator('h2').last().innerText(), said);
    for (const theme of ['light', 'dark']) {
      await page.selectOption('#theme', theme);
      await accessible(page);
    }
  }
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, 'nothing is cut off');
  const rest = (await page.locator('.top, main').allInnerTexts()).join('\n').replaceAll(/bonafide( \w+)*|Chromium|Chrome|Firefox|ID|UUID|English|[a-p]{32}|[0-9a-f-]{36}/g, '');
  assert.doesNotMatch(rest, /[A-Za-z]{3,}/, 'all of it is in Chinese');
});

test('a hostile name stays text', async () => {
  waits('a', { extension: HOSTILE, code: HOSTILE });
  const page = await visit();
  assert.equal((await page.locator('#request-a').innerText()).includes('<img'), true);
  assert.equal(await page.evaluate(() => /** @type {any} */ (globalThis).hacked), undefined);
});
