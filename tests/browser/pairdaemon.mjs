// @ts-check
// Pairing against the real daemon, whose one-time link is in BONAFIDE_LINK. The extension is played by a client that
// writes the header which a browser would write.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { accessible, close, launch, open } from './browser.mjs';

const link = process.env['BONAFIDE_LINK'] ?? '';
const ORIGIN = 'chrome-extension://abcdefghijklmnopabcdefghijklmnop';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

/**
 * What an extension's worker says to the daemon.
 * @param {string} path
 * @param {unknown} body
 * @param {string} [token]
 * @returns {Promise<any>}
 */
function worker(path, body, token) {
  return new Promise((resolve, reject) => {
    const headers = { origin: ORIGIN, 'sec-fetch-site': 'none', 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
    const sent = request(new URL(path, link), { method: 'POST', headers }, (answer) => {
      let text = '';
      answer.on('data', (part) => { text += part; });
      answer.on('end', () => resolve(JSON.parse(text)));
    });
    sent.on('error', reject);
    sent.end(JSON.stringify(body));
  });
}

test('an extension is let in on the page, uses its token and ends it', async () => {
  const opened = await open(browser, link);
  const { page } = opened;
  const asked = await worker('/v1/pair', {});
  await page.waitForSelector('#pairing:not([hidden])');
  await page.getByRole('link', { name: 'Compare its code' }).click();
  await page.waitForSelector('.request');
  const said = await page.locator('.request').innerText();
  assert.equal(said.includes(asked.code) && said.includes(ORIGIN.slice(-32)), true, said);
  await accessible(page);
  assert.deepEqual(await worker('/v1/pair/state', { request: asked.request }), { state: 'waiting' });
  await page.getByRole('button', { name: /let it in/ }).click();
  await page.waitForSelector('#done:not([hidden])');
  const { state, token } = await worker('/v1/pair/state', { request: asked.request });
  assert.equal(state, 'confirmed');
  const status = await worker('/v1/status', {}, token);
  assert.deepEqual([status.status, status.api], ['ok', 1]);
  assert.deepEqual(await worker('/v1/pair/end', {}, token), { ended: 'extension-abcdefgh' });
  assert.equal((await worker('/v1/status', {}, token)).error.code, 'unpaired_extension');

  const again = await worker('/v1/pair', {});
  await page.waitForSelector('.request');
  await page.getByRole('button', { name: 'Refuse' }).click();
  await page.waitForSelector('.request', { state: 'detached' });
  assert.deepEqual(await worker('/v1/pair/state', { request: again.request }), { state: 'refused' });
  await close([opened]);
});
