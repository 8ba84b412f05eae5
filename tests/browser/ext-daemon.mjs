// @ts-check
// The built extension beside the real daemon with the real model, on pages as people read them: what is told of each is read
// in the accessibility tree. BONAFIDE_LINK is a one-time link, BONAFIDE_SIGNED a folder with signed texts. Pictures for a
// person to look at go to the folder BONAFIDE_SHOTS, if there is one.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { accessible } from './browser.mjs';
import { launchExtension, pair } from './extension.mjs';
import { serve } from './server.mjs';
import { all, click, focus, focused, none, one, tree, until } from './tree.mjs';

/** @typedef {import('playwright-core').Page} Page */

const link = process.env['BONAFIDE_LINK'] ?? '';
const signed = process.env['BONAFIDE_SIGNED'] ?? '';
/** @type {Awaited<ReturnType<typeof launchExtension>>} */
let extension;
/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
/** @type {string[]} */
const complaints = [];

before(async () => {
  const article = await readFile(join(signed, 'article.html'), 'utf8');
  const post = (await readFile(join(signed, 'post.txt'), 'utf8')).trim();
  const words = await readFile(new URL('lively.txt', import.meta.url), 'utf8');
  const frame = (/** @type {string} */ title, /** @type {string} */ body) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>
    <style>body { font: 17px/1.6 Georgia, serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }</style>${body}</html>`;
  site = await serve({
    '/signed.html': frame('Signed', `<main><article><h1>The boiler</h1><div>${article}</div></article></main>`),
    '/altered.html': frame('Altered', `<main><article><h1>The boiler</h1><div>${article.replace('forty quid', 'ninety quid')}</div></article></main>`),
    '/posts.html': frame('Posts', `<main><h1>Posts</h1><div role="feed">
      <article aria-label="one"><p>${post}</p></article>
      <article aria-label="two"><p>${post.replace('coat', 'hat')}</p></article>
      <article aria-label="three"><p>Look what I found elsewhere, and now for something of my own that is not signed by anybody at all:</p><blockquote><p>${post}</p></blockquote><p>And so it went on for a while.</p></article>
    </div></main>`),
    '/article.html': frame('An article', '<main><article><h1>Moving about</h1><!-- text: plain.txt --></article></main>'),
    '/two.html': frame('Two', '<main><article><h1>Moving about</h1><!-- text: plain.txt --></article><article><h1>The boiler</h1><!-- text: lively.txt --></article></main>'),
    '/framed.html': frame('Framed', '<main><h1>Somebody else’s article</h1><iframe src="/article.html" title="the article" width="700" height="900"></iframe></main>'),
    '/hostile.html': frame('Hostile', `<main><article><h1>Moving about</h1><!-- text: plain.txt --></article></main>
      <button>Looks like a human’s text. Show why</button>`),
  });
  assert.equal(words.includes('forty quid'), true);
  const { port } = new URL(link);
  extension = await launchExtension({
    daemonPort: Number(port),
    // The test's pages count as public ones, as real pages would: they may not reach this machine.
    args: [`--ip-address-space-overrides=127.0.0.1:${site.port}=public`],
    options: { colorScheme: 'light', reducedMotion: 'reduce' },
  });
  extension.context.on('page', (page) => page.on('pageerror', (error) => complaints.push(String(error))));
});
after(async () => {
  await extension?.close();
  await site?.close();
  assert.deepEqual(complaints, [], 'no page had an error');
});

/** @param {string} path */
async function visit(path, host = 'news.test') {
  const page = await extension.context.newPage();
  await page.goto(site.url(host, path));
  return page;
}

/** @param {Page} page @param {string} name */
async function shot(page, name, fullPage = false) {
  const folder = process.env['BONAFIDE_SHOTS'];
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`), fullPage });
}

/** The labels of a page, in order. @param {Page} page */
const labels = async (page) => (await all(page, 'button', /Show why$/)).map(({ name }) => name.replace('. Show why', ''));

/** @param {Page} page @param {string[]} expected */
async function labelled(page, expected) {
  await until(() => labels(page), (found) => JSON.stringify(found) === JSON.stringify(expected), `the labels ${expected.join(', ')}`);
}

/** The words of the open card. @param {Page} page */
async function card(page) {
  await one(page, 'dialog', /./);
  const nodes = await tree(page);
  const start = nodes.findIndex(({ role }) => role === 'dialog');
  return nodes.slice(start).map(({ name }) => name).join('\n');
}

const AI = 'Looks like a model’s text';
const HUMAN = 'Looks like a human’s text';
const SIGNED = 'Signed by a human being';

test('without the daemon signatures and labels are read, and the popup says what is missing', async () => {
  const page = await visit('/article.html');
  const popup = await extension.openPopup(page);
  await popup.getByText(/not paired/i).first().waitFor();
  await shot(popup, 'popup-unpaired');
  await accessible(popup);
  await popup.close();
  assert.deepEqual(await labels(page), []);
  await page.close();
});

test('it is paired by comparing a code, and pages get the model’s labels at once', async () => {
  const waiting = await visit('/article.html');
  await pair(extension, link, shot);
  await labelled(waiting, [AI]);
  await waiting.close();
});

test('an article is labelled, and the card says why', async () => {
  const page = await visit('/article.html');
  const badge = await one(page, 'button', /Show why$/);
  await labelled(page, [AI]);
  await shot(page, 'badge');
  await click(page, badge);
  const said = await card(page);
  assert.match(said, /This text looks like a model’s/);
  assert.match(said, /proves nothing/);
  assert.match(said, /smollm2-135m/i);
  assert.match(said, /Human texts mistaken for a model’s/);
  await shot(page, 'card');
  await page.keyboard.press('Escape');
  await none(page, 'dialog', /./);
  await focus(page, await one(page, 'button', /Show why$/));
  await page.keyboard.press('Enter');
  await one(page, 'dialog', /./);
  await page.keyboard.press('Escape');
  await none(page, 'dialog', /./);
  assert.match((await focused(page))?.name ?? '', /Show why$/, 'the focus is where it was');
  await page.close();
});

test('the popup counts what the page shows', async () => {
  const page = await visit('/two.html');
  await labelled(page, [AI, HUMAN]);
  const popup = await extension.openPopup(page);
  await popup.getByText(/1 looks like a model’s/).first().waitFor();
  await popup.getByText(/1 looks like a human/).first().waitFor();
  await shot(popup, 'popup');
  await accessible(popup);
  await popup.close();
  await page.close();
});

test('signed words are shown as signed, altered ones are not', async () => {
  const whole = await visit('/signed.html');
  await labelled(whole, [SIGNED]);
  await click(whole, await one(whole, 'button', /Show why$/));
  assert.match(await card(whole), /Signed with your own key main[\s\S]*Ada/);
  await shot(whole, 'card-signed');
  await whole.close();
  const altered = await visit('/altered.html');
  await extension.openPopup(altered).then(async (popup) => {
    await popup.getByText('A text that was altered').waitFor();
    await popup.close();
  });
  assert.deepEqual((await labels(altered)).filter((label) => label === SIGNED), []);
  await altered.close();
});

test('a post signed with one word, the same altered, and a post that quotes it', async () => {
  const page = await visit('/posts.html');
  await until(() => labels(page), (found) => found.includes(SIGNED), 'a signed post');
  assert.equal((await labels(page)).filter((label) => label === SIGNED).length, 1, 'neither the altered post nor the quoting one');
  const popup = await extension.openPopup(page);
  await popup.getByText('A text that was altered').waitFor();
  await popup.close();
  await page.close();
});

test('an article in a frame is labelled there and counted in the popup', async () => {
  const page = await visit('/framed.html');
  const popup = await extension.openPopup(page);
  await popup.getByText(/1 looks like a model’s/).first().waitFor({ timeout: 15_000 });
  await popup.close();
  await page.close();
});

test('the popup counts by the threshold that the user has set, as the page shows', async () => {
  await extension.send('save', { strictness: 1 });
  const page = await visit('/article.html');
  const tab = await extension.tabOf(page);
  const { verdicts } = await until(async () => (await extension.send('glance', { tab })).ok, (found) => found?.verdicts.unclear > 0 && found.pending === 0, 'a text that was read');
  assert.equal(verdicts.likely_ai, 0);
  await extension.send('save', { strictness: 0 });
  await until(async () => (await extension.send('glance', { tab })).ok, (found) => found?.verdicts.likely_ai === 1, 'the text counted');
  await page.close();
});

test('in Chinese', async () => {
  await extension.send('save', { language: 'zh_CN' });
  const page = await visit('/article.html');
  const badge = await one(page, 'button', /像模型/);
  await click(page, badge);
  await one(page, 'dialog', /./);
  await shot(page, 'card-zh');
  const popup = await extension.openPopup(page);
  await popup.getByText(/像模型/).first().waitFor();
  await shot(popup, 'popup-zh');
  await popup.close();
  const options = await extension.openOptions();
  await shot(options, 'options-zh', true);
  await options.close();
  await extension.send('save', { language: 'en' });
  await page.close();
});

test('rules of the user: a collapsed text leaves a line by which it comes back', async () => {
  const rule = { id: 'r', on: true, verdicts: ['likely_ai'], action: 'collapse' };
  await extension.send('save', { rules: [rule] });
  const page = await visit('/two.html');
  const back = await one(page, 'button', /show$/);
  assert.equal(await page.getByText('Regular physical activity is one').isVisible(), false);
  await shot(page, 'collapsed');
  await click(page, back);
  await page.getByText('Regular physical activity is one').waitFor();
  await extension.send('save', { rules: [] });
  await page.close();
});

test('a page can tell neither that the extension is there, nor what it says', async () => {
  await extension.send('save', { rules: [] });
  const page = await extension.context.newPage();
  await page.addInitScript(() => {
    const before = Object.getOwnPropertyNames(globalThis);
    Object.assign(globalThis, { before });
  });
  await page.goto(site.url('news.test', '/hostile.html'));
  await labelled(page, ['Looks like a human’s text', AI]);
  const told = await page.evaluate(async (id) => {
    const probes = ['manifest.json', 'content.js', 'popup.html', 'bonafide_wasm_bg.wasm', 'bonafide_scam.bin', 'icons/16.png', '_locales/en/messages.json'];
    const reachable = [];
    for (const name of probes) {
      const found = await fetch(`chrome-extension://${id}/${name}`).then(() => true, () => false);
      const drawn = await new Promise((resolve) => {
        const image = new Image();
        image.onload = () => resolve(true);
        image.onerror = () => resolve(false);
        image.src = `chrome-extension://${id}/${name}`;
      });
      if (found || drawn) reachable.push(name);
    }
    const hosts = [...document.documentElement.children].filter((child) => !['HEAD', 'BODY'].includes(child.tagName));
    const points = new Set();
    for (let x = 2; x < innerWidth; x += 6) for (let y = 2; y < innerHeight; y += 6) points.add(document.elementFromPoint(x, y)?.tagName);
    const before = new Set(/** @type {any} */ (globalThis).before);
    return {
      reachable, runtime: typeof /** @type {any} */ (globalThis).chrome?.runtime,
      globals: Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name) && name !== 'before'),
      roots: hosts.map((host) => host.shadowRoot), texts: hosts.map((host) => host.textContent), named: hosts.map((host) => host.getAttributeNames().filter((name) => name !== 'style')),
      overBadge: hosts.some((host) => points.has(host.tagName) && document.body.querySelector(host.tagName.toLowerCase()) === null),
      sheets: document.adoptedStyleSheets.length, highlights: CSS.highlights?.size ?? 0,
      marks: [...document.body.querySelectorAll('*')].flatMap((element) => element.getAttributeNames()).filter((name) => !['lang', 'id', 'class', 'style', 'title', 'src'].includes(name)),
    };
  }, extension.id);
  assert.deepEqual(told, {
    reachable: [], runtime: 'undefined', globals: [], roots: [null], texts: [''], named: [[]], overBadge: false, sheets: 0, highlights: 0, marks: [],
  });
  await page.close();
});

test('a forged badge is not in the popup, and the page’s messages reach nobody', async () => {
  const page = await visit('/hostile.html');
  await labelled(page, ['Looks like a human’s text', AI]);
  await page.evaluate(() => {
    for (const name of ['look', 'tally', 'settings', 'score', 'pair', 'erase']) {
      window.postMessage({ name, ask: {} }, '*');
      document.dispatchEvent(new CustomEvent(name, { detail: {} }));
    }
  });
  const popup = await extension.openPopup(page);
  await popup.getByText(/1 looks like a model’s/).first().waitFor();
  assert.doesNotMatch(await popup.locator('main').innerText(), /looks? like a human/);
  await popup.close();
  await page.close();
});

test('a page can’t reach the daemon, by itself or through the extension', async () => {
  const page = await visit('/article.html');
  const reached = await page.evaluate(async (daemon) => {
    const answers = [];
    for (const [method, path] of [['GET', '/v1/health'], ['POST', '/v1/status'], ['POST', '/v1/pair'], ['POST', '/v1/score']]) {
      for (const mode of /** @type {RequestMode[]} */ (['cors', 'no-cors'])) {
        const answer = await fetch(new URL(path ?? '', daemon), { method: method ?? 'GET', mode, ...(method === 'POST' ? { body: '{}' } : {}) })
          .then(async (response) => (response.type === 'opaque' ? 'opaque' : `${response.status} ${await response.text()}`), () => 'blocked');
        answers.push(answer);
      }
    }
    return answers;
  }, new URL('/', link).href);
  assert.deepEqual(reached.filter((answer) => answer !== 'blocked' && answer !== 'opaque'), []);
  const status = await fetch(new URL('/v1/status', link), { method: 'POST', headers: { 'content-type': 'application/json', origin: site.url('news.test', '').replace(/\/$/, '') }, body: '{}' });
  assert.equal(status.status, 403);
  await page.close();
});

test('options: everything that is kept can be seen, exported and erased', async () => {
  const options = await extension.openOptions();
  await accessible(options);
  await shot(options, 'options', true);
  await options.close();
});
