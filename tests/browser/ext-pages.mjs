// @ts-check
// The extension's popup and options, as a person uses them: with the keyboard, in both languages, with and without a
// daemon. BONAFIDE_SHOTS names a folder that gets pictures of them.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { accessible } from './browser.mjs';
import { launchExtension } from './extension.mjs';
import { fail, HOSTILE, json } from './mock.mjs';
import { service } from './mockservice.mjs';
import { comes as until } from './tree.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** @type {Awaited<ReturnType<typeof launchExtension>>} */
let extension;
/** @type {Awaited<ReturnType<typeof service>>} */
let daemon;
/** @type {import('node:http').Server} */
let site;
/** @type {Page} */
let page;
/** @type {string[]} */
const complaints = [];

before(async () => {
  site = createServer((_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Empty</title>'));
  await new Promise((resolve) => site.listen(0, '127.0.0.1', () => resolve(undefined)));
  extension = await launchExtension({ options: { permissions: ['clipboard-read', 'clipboard-write'] } });
  extension.context.on('page', (opened) => {
    opened.on('pageerror', (error) => complaints.push(String(error)));
    opened.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text());
    });
  });
});
after(async () => {
  await extension.close();
  site.close();
});
beforeEach(async () => {
  daemon = await service();
  await extension.reset({ port: daemon.port });
  page = await extension.context.newPage();
  await page.goto(`http://news.test:${/** @type {import('node:net').AddressInfo} */ (site.address()).port}/`);
});
afterEach(async () => {
  for (const opened of extension.context.pages().slice(1)) await opened.close();
  await daemon.close();
  assert.deepEqual(complaints.splice(0), [], 'neither errors nor breaches of the content security policy');
});

/** @param {Record<string, unknown>} [settings] */
async function paired(settings = {}) {
  daemon.paired = true;
  await extension.reset({ port: daemon.port, ...settings }, daemon.token);
}

/**
 * @param {Page} opened
 * @param {string} name
 */
async function shot(opened, name) {
  const folder = process.env['BONAFIDE_SHOTS'];
  if (!folder) return;
  // A picture without the scroll bar, which would take its width.
  const { width = 0 } = opened.viewportSize() ?? {};
  if (width < 400) await opened.setViewportSize({ width, height: await opened.evaluate(() => document.body.scrollHeight) });
  await opened.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

const text = (/** @type {Page} */ opened, selector = 'main') => opened.locator(selector).innerText();
const focused = (/** @type {Page} */ opened) => opened.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '');
const EMPTY = { human_signed: 0, likely_human: 0, unclear: 0, mixed: 0, likely_ai: 0, declared_ai: 0 };

/**
 * Tells how the page stands, once the content script has had its say.
 * @param {Record<string, unknown>} what
 */
async function tell(what) {
  const tab = await extension.tabOf(page);
  await until(async () => (await extension.stored('session'))[`tab:${tab}`]?.frames[0]?.summary);
  await extension.sendFrom(page, 'tally', what);
}

/** @param {Record<string, unknown>} other */
const summary = (other) => ({ verdicts: EMPTY, pending: 0, hidden: 0, statements: [], adapter: null, scam: null, ...other });
const statement = (/** @type {string} */ result, name = 'Ada', identity = 'https://ada.example') => ({
  result, message: 'said by core', carrier: 'token', quotes: 0, spans: [], key: { fingerprint: `SHA256:${result}${name}`, public_key: 'ssh-ed25519 AAAA', touched: true },
  statement: { author: { name, identity } }, ...result === 'trusted' ? { contact: `${name} of the library` } : {},
});

// ---- popup ----

test('without a daemon the popup says what is missing, what still works, and what to do', async () => {
  await daemon.close();
  const popup = await extension.openPopup(page);
  assert.match(await text(popup), /Not running\s+The language model’s judgement is missing until you start it:\s+bonafide serve[^]*Signatures, labels and hidden characters are still checked/);
  await popup.getByRole('button', { name: 'Copy the command bonafide serve' }).click();
  await popup.waitForFunction(() => document.querySelector('#service button')?.textContent === 'Copied');
  assert.equal(await popup.evaluate(() => navigator.clipboard.readText()), 'bonafide serve');
  await shot(popup, 'popup-away');
});

test('pairing: the code is shown, confirmed elsewhere, and a token comes of it', async () => {
  const popup = await extension.openPopup(page);
  assert.match(await text(popup), /Not paired yet/);
  await popup.getByRole('button', { name: 'Pair' }).press('Enter');
  await popup.waitForSelector('.code');
  assert.equal(await text(popup, '.code'), '482 913');
  assert.equal(await popup.locator('.code').getAttribute('aria-label'), 'The code is 4 8 2   9 1 3');
  assert.equal(await focused(popup), 'Open the program’s page');
  await accessible(popup);
  await shot(popup, 'popup-pairing');
  const opens = extension.context.waitForEvent('page');
  await popup.keyboard.press('Enter');
  const daemonPage = await opens;
  await daemonPage.waitForURL(`${daemon.url}/pair`);
  assert.equal((await extension.stored('local'))['token'], undefined);
  assert.ok(daemon.pairing);
  daemon.pairing.state = 'confirmed';
  await popup.waitForSelector('strong[data-state="ready"]');
  assert.match(await text(popup), /Ready\s+smollm2-135m on cpu-f32 · bonafide 0\.1\.0\s+Paired\./);
  assert.equal((await extension.stored('local'))['token'], daemon.token);
  assert.equal(JSON.stringify(await extension.stored('session')).includes('bfp_'), false, 'the secret of the pairing is gone');
  const asked = daemon.requests.filter(({ path }) => path.startsWith('/v1/pair'));
  assert.equal(asked.every(({ method, origin, authorization }) => method === 'POST' && origin === `chrome-extension://${extension.id}` && authorization === undefined), true);
  assert.equal(daemon.requests.at(-1)?.authorization, `Bearer ${daemon.token}`);
});

test('a pairing goes on where it was: the popup closed, the worker stopped', async () => {
  const popup = await extension.openPopup(page);
  await popup.getByRole('button', { name: 'Pair' }).click();
  await popup.waitForSelector('.code');
  await popup.close();
  await extension.stopWorker();
  const again = await extension.openPopup(page);
  assert.equal(await text(again, '.code'), '482 913');
  assert.equal(daemon.requests.filter(({ path }) => path === '/v1/pair').length, 1, 'the same one');
  await again.close();
  await extension.stopWorker();
  assert.ok(daemon.pairing);
  daemon.pairing.state = 'confirmed';
  const last = await extension.openPopup(page);
  await last.waitForSelector('strong[data-state="ready"]');
  assert.equal(daemon.pairing.told, true);
});

test('a pairing that is refused, has ended, or is tried too often says so', async () => {
  const popup = await extension.openPopup(page);
  for (const [state, said] of /** @type {const} */ ([['refused', /refused on the program’s page/], ['expired', /not confirmed in time/]])) {
    await popup.getByRole('button', { name: 'Pair' }).click();
    await popup.waitForSelector('.code');
    assert.ok(daemon.pairing);
    daemon.pairing.state = state;
    await popup.waitForSelector('.code', { state: 'detached' });
    await popup.getByText(said).first().waitFor();
  }
  daemon.answers.push((path, response) => {
    if (path !== '/v1/pair') return false;
    json(response, 429, fail('too_many_pairings', 'too many'), { 'retry-after': '300' });
    return true;
  });
  await popup.getByRole('button', { name: 'Pair' }).click();
  await popup.getByText('too many attempts to pair').first().waitFor();
  assert.equal((await extension.stored('local'))['token'], undefined);
});

test('every state of the daemon has its sentence', async () => {
  await paired();
  daemon.status = { status: 'loading', api: 1, version: '0.1.0', model: null, calibration: null };
  const popup = await extension.openPopup(page);
  assert.match(await text(popup), /Loading its language model\s+Texts are judged as soon as it is there/);
  daemon.status = { ...daemon.status, status: 'ok', model: { name: 'other-model', sha256: '0', architecture: 'llama', backend: 'cpu' } };
  await popup.waitForSelector('strong[data-state="ready"]');
  assert.match(await text(popup), /other-model on cpu[^]*no calibration for this model/, 'it is asked again until it is there');
  const says = async (/** @type {RegExp} */ said) => {
    const opened = await extension.openPopup(page);
    assert.match(await text(opened), said);
    await opened.close();
  };
  daemon.status = { ...daemon.status, api: 2, version: '9.9.9' };
  await says(/Another version\s+The program is bonafide 9\.9\.9, which does not fit this extension/);
  const once = (/** @type {number} */ status, /** @type {string} */ code) => daemon.answers.push((path, response) => {
    if (path !== '/v1/status') return false;
    json(response, status, fail(code, 'said so'));
    return true;
  });
  once(404, 'not_found');
  await says(/an older bonafide or another program/);
  once(403, 'foreign_token');
  await says(/Refuses this extension[^]*Pair the two again/);
  once(401, 'wrong_token');
  await says(/Not paired yet/);
});

test('the page at a glance: verdicts, what is hidden, the adapter, signatures', async () => {
  await paired();
  await tell(summary({
    verdicts: { ...EMPTY, likely_ai: 3, unclear: 14, likely_human: 4, human_signed: 2, declared_ai: 1, mixed: 1 }, pending: 2, hidden: 3,
    adapter: { name: 'WhatsApp Web', found: true, messages: 24 },
    statements: [statement('trusted'), statement('trusted'), statement('published', HOSTILE), statement('unknown_key', 'Eve'), statement('key_changed', 'Bob', 'https://bob.example')],
  }));
  const popup = await extension.openPopup(page);
  assert.equal(await text(popup, '#page-title'), 'Of 27 texts, 1 is declared as a model’s, 3 look like a model’s, and 1 is mixed');
  assert.deepEqual((await popup.locator('.legend li').allInnerTexts()).map((line) => line.replace(/\s+/g, ' ').trim()),
    ['declared as a model’s 1', 'looks like a model’s 3', 'mixed 1', 'looks like a human’s 4', 'signed by a human 2', 'unclear 14', 'being read 2']);
  assert.match(await text(popup), /3 texts are hidden by your rules\.\s*Show them/);
  assert.match(await text(popup), /WhatsApp Web: 24 messages read/);
  const people = (await popup.locator('#signatures li').allInnerTexts()).map((line) => line.replace(/\s+/g, ' ').trim());
  assert.deepEqual(people, ['Ada of the library (2 times) You know this key. It signs as Ada.', `${HOSTILE}, https://ada.example This identity publishes the key.`,
    'Someone who signs as Eve The signature is good, but nobody known to you vouches for the key.',
    'Bob, https://bob.example, with another key Until now this identity was known by other keys. Ask the author another way before you rely on it.']);
  assert.equal(await popup.locator('#signatures .green').count(), 2, 'green is only what is trusted or published');
  assert.equal(await popup.locator('img').count(), 0);
  await accessible(popup);
  await shot(popup, 'popup');
  const revealed = extension.inScript(page, () => new Promise((resolve) => chrome.runtime.onMessage.addListener((message) => { if (message.name === 'reveal') resolve(true); })));
  await popup.getByRole('button', { name: 'Show them' }).click();
  assert.equal(await revealed, true);
  await tell(summary({ adapter: { name: 'Slack', found: false, messages: 0 } }));
  await popup.getByText('Slack: no messages were found. The site may have changed').waitFor();
  assert.equal(await text(popup, '#page-title'), 'There is no text to judge here', 'it follows the page while it is open');
  await popup.emulateMedia({ colorScheme: 'dark' });
  await accessible(popup);
});

test('the switch takes a site out and back in', async () => {
  await paired();
  const popup = await extension.openPopup(page);
  const toggle = popup.getByRole('switch', { name: 'Label news.test' });
  assert.equal(await toggle.isChecked(), true);
  await toggle.press('Space');
  await popup.getByText('news.test is not labelled').waitFor();
  assert.deepEqual((await extension.send('load')).ok.off, ['news.test']);
  await accessible(popup);
  await toggle.press('Space');
  await popup.getByText('news.test is not labelled').waitFor({ state: 'detached' });
  assert.deepEqual((await extension.send('load')).ok.off, []);
});

test('on a site that was not granted there is one clear question', async () => {
  await paired();
  await extension.send('save', { off: ['news.test'] });
  await page.reload();
  // What the browser tells of a tab after a click on the toolbar, and its own question, can't be had here.
  const popup = await extension.openPopup(page, async (opened) => {
    await opened.addInitScript(() => {
      const asked = /** @type {unknown[]} */ ([]);
      Object.assign(globalThis, { asked });
      chrome.tabs.get = /** @type {any} */ (async (/** @type {number} */ id) => ({ id, url: 'https://example.org/a?b' }));
      chrome.permissions.request = /** @type {any} */ (async (/** @type {unknown} */ what) => {
        asked.push(what);
        return false;
      });
    });
  });
  await popup.waitForSelector('#site:not([hidden])');
  assert.equal(await text(popup, '#site-title'), 'Label texts on example.org?');
  assert.match(await text(popup, '#site'), /on your machine alone[^]*You can take this back at any time/);
  await accessible(popup);
  await shot(popup, 'popup-question');
  await popup.getByRole('button', { name: 'Yes, label this site' }).click();
  assert.deepEqual(await popup.evaluate(() => /** @type {any} */ (globalThis).asked), [{ origins: ['https://example.org/*'] }]);
  await popup.waitForFunction(() => document.querySelector('#status')?.textContent === 'Nothing was changed.');
});

test('only this time: the tab is labelled until it goes elsewhere', async () => {
  await paired();
  const tab = await extension.tabOf(page);
  await extension.send('save', { off: ['news.test'] });
  assert.equal((await extension.sendFrom(page, 'settings', { host: '' })).ok, null);
  await extension.send('once', { tab });
  assert.notEqual((await extension.sendFrom(page, 'settings', { host: '' })).ok, null);
  await page.goto('about:blank');
  await page.goto(`http://news.test:${/** @type {import('node:net').AddressInfo} */ (site.address()).port}/`);
  await until(async () => !('once' in await extension.stored('session')));
  assert.equal((await extension.send('site', { host: 'news.test', origin: new URL(page.url()).origin })).ok, 'off');
});

// ---- options ----

test('rules: made, moved, changed, deleted and brought back with the keyboard', async () => {
  const options = await extension.openOptions();
  await options.getByRole('button', { name: 'Add a rule' }).press('Enter');
  assert.equal(await options.evaluate(() => document.activeElement?.getAttribute('value')), 'declared_ai');
  const sites = options.getByRole('textbox', { name: 'Sites' });
  assert.equal(await options.getByRole('checkbox', { name: 'looks like a model’s' }).isChecked(), true);
  await options.getByRole('checkbox', { name: 'comments' }).press('Space');
  await sites.fill('not%a');
  await options.getByLabel('What to do').selectOption('hide');
  await accessible(options);
  await sites.press('Enter');
  await options.getByText('“not%a” is not the name of a site.').waitFor();
  assert.deepEqual(await rules(), []);
  await sites.fill('https://Example.org/a, *.reddit.com');
  await sites.press('Enter');
  await options.locator('#rules > li').waitFor();
  const [made] = await rules();
  assert.deepEqual(made, { id: made?.id, on: true, action: 'hide', verdicts: ['likely_ai'], kinds: ['comment'], sites: ['example.org', 'reddit.com'] });
  assert.equal(await options.locator('#rules li label').innerText(), 'Comments with the verdict “looks like a model’s” on example.org or reddit.com: hide');

  await options.getByRole('button', { name: 'Add a rule' }).press('Enter');
  await options.getByRole('button', { name: 'Save the rule' }).press('Enter');
  await options.locator('#rules > li').nth(1).waitFor();
  await options.getByRole('button', { name: /^Move up: All texts/ }).press('Enter');
  await options.waitForFunction(() => document.querySelector('#rules li label')?.textContent?.startsWith('All texts'));
  assert.deepEqual((await rules()).map(({ action }) => action), ['collapse', 'hide']);
  assert.match(await focused(options), /^Move down: All texts/, 'the button at the end of its way hands the focus on');
  await options.waitForFunction(() => document.querySelector('#status')?.textContent === 'Now in place 1 of 2.');

  await options.getByRole('button', { name: /^Edit: All texts/ }).press('Enter');
  await options.keyboard.press('Escape');
  assert.match(await focused(options), /^Edit: All texts/);
  await options.getByRole('button', { name: /^Edit: All texts/ }).press('Enter');
  await options.getByLabel('What to do').selectOption('dim');
  await options.getByRole('button', { name: 'Save the rule' }).press('Enter');
  await options.getByText('All texts with the verdict “looks like a model’s”: dim').waitFor();
  await options.locator('#rules [type="checkbox"]').first().press('Space');
  await until(async () => (await rules())[0]?.on === false);

  await options.getByRole('button', { name: /^Delete: All texts/ }).press('Enter');
  await options.getByText('The rule is deleted.').first().waitFor();
  assert.deepEqual((await rules()).map(({ action }) => action), ['hide']);
  assert.match(await focused(options), /^Delete: Comments/);
  await options.getByRole('button', { name: 'Undo' }).press('Enter');
  await until(async () => (await rules()).length === 2);
  assert.deepEqual((await rules()).map(({ action, on }) => [action, on]), [['dim', false], ['hide', true]]);
  await shot(options, 'options');
});

async function rules() {
  return /** @type {import('../../extension/src/protocol.js').Rule[]} */ ((await extension.send('load')).ok.rules);
}

test('contacts come from a key as it is pasted', async () => {
  const options = await extension.openOptions();
  const key = options.getByLabel('Public key');
  const name = options.getByLabel('Name', { exact: true });
  await key.fill('ssh-rsa AAAA ada@home');
  assert.equal(await name.inputValue(), 'ada@home', 'the comment is a first proposal');
  await options.getByRole('button', { name: 'Add', exact: true }).press('Enter');
  await options.getByText('This is not a public key of the kind that is used here').waitFor();
  const line = publicKey();
  await key.fill(`  ${line} ada@home\n`);
  await name.fill('Ada <b>of</b> the library');
  await options.getByRole('button', { name: 'Add', exact: true }).press('Enter');
  const item = options.locator('#contacts li');
  await item.getByText(/^SHA256:/).waitFor();
  assert.match(await item.innerText(), /^Ada <b>of<\/b> the library\s+SHA256:[\w+/]{43}/);
  assert.equal((await extension.send('load')).ok.contacts[0].key, line);
  await key.fill(line);
  await name.fill('Somebody else');
  await options.getByRole('button', { name: 'Add', exact: true }).press('Enter');
  await options.getByText('This key is that of Ada').waitFor();
  await accessible(options);
  await options.getByRole('button', { name: /^Remove Ada/ }).press('Enter');
  await item.waitFor({ state: 'detached' });
  await options.getByRole('button', { name: 'Undo' }).press('Enter');
  await item.waitFor();
  await extension.send('save', { pins: { 'https://ada.example': [line] } });
  await options.reload();
  await options.getByRole('button', { name: 'Remove https://ada.example' }).press('Enter');
  await options.getByText('None so far.', { exact: true }).waitFor();
  assert.deepEqual((await extension.send('load')).ok.pins, {});
});

test('what is shown, the port and the pairing can be set', async () => {
  await paired();
  const options = await extension.openOptions();
  const slider = options.getByRole('slider', { name: 'How sure a “looks like a model’s” must be' });
  assert.equal(await slider.getAttribute('aria-valuetext'), 'As sure as the program’s calibration asks');
  await slider.press('End');
  assert.equal(await slider.getAttribute('aria-valuetext'), 'From an estimated probability of 99 % on');
  await options.getByRole('checkbox', { name: /^Show “unclear” too/ }).press('Space');
  await options.getByRole('checkbox', { name: /^Only what humans signed/ }).press('Space');
  await until(async () => (await extension.send('load')).ok.signedOnly);
  const { strictness, showUnclear } = (await extension.send('load')).ok;
  assert.deepEqual([strictness, showUnclear], [0.99, true]);
  await slider.press('Home');
  await until(async () => (await extension.send('load')).ok.strictness === 0);

  await options.getByLabel('Port of the program').fill('99999');
  await options.keyboard.press('Enter');
  await options.getByText('A port is a whole number').first().waitFor();
  await options.getByRole('button', { name: 'End the pairing' }).press('Enter');
  await options.getByText('The pairing has ended.').first().waitFor();
  assert.equal(daemon.paired, false);
  assert.equal((await extension.stored('local'))['token'], undefined);
  await options.getByText('Not paired yet').waitFor();
  const other = await service();
  try {
    await options.getByLabel('Port of the program').fill(String(other.port));
    await options.keyboard.press('Enter');
    await until(() => other.requests.some(({ path }) => path === '/v1/status'));
  } finally {
    await other.close();
  }
});

test('notes are shown, everything can be taken along, brought back and erased', async () => {
  await paired();
  await extension.sendFrom(page, 'note', { at: '2026-01-01T00:00:00Z', host: 'x', verdict: 'likely_ai', said: 'human', comment: `I wrote it. ${HOSTILE}`, text: 'My text.' });
  await extension.send('save', { rules: [{ id: 'a', on: true, action: 'dim' }], off: ['quiet.test'] });
  const options = await extension.openOptions();
  await options.locator('#notes-part summary').press('Enter');
  assert.match(await text(options, '#notes'), /news\.test\s+looks like a model’s\s+a human’s\s+I wrote it\. <img/);
  await options.getByText('quiet.test').first().waitFor();
  await accessible(options);
  const downloads = options.waitForEvent('download');
  await options.getByRole('button', { name: 'Export' }).press('Enter');
  const path = await (await downloads).path();
  const exported = await readFile(path, 'utf8');
  assert.equal(exported.includes(daemon.token) || exported.includes('My text'), false);
  assert.equal(JSON.parse(exported).settings.rules[0].action, 'dim');
  assert.equal(JSON.parse(exported).notes.length, 1);

  await options.getByRole('button', { name: 'Erase everything…' }).press('Enter');
  await options.keyboard.press('Escape');
  assert.equal(Object.keys(await extension.stored('local')).includes('notes'), true, 'not without a yes');
  await options.getByRole('button', { name: 'Erase everything…' }).press('Enter');
  await shot(options, 'options-erase');
  await Promise.all([options.waitForNavigation(), options.getByRole('button', { name: 'Erase everything', exact: true }).click()]);
  await options.waitForSelector('html[data-ready]');
  assert.deepEqual(Object.keys(await extension.stored('local')), []);
  assert.equal(await options.locator('#notes-part').isVisible(), false);

  await options.setInputFiles('#import-file', { name: 'x.json', mimeType: 'application/json', buffer: Buffer.from('{"settings": 7}') });
  await options.getByText('This file holds no settings of bonafide.').waitFor();
  await options.setInputFiles('#import-file', path);
  await until(async () => (await rules()).length === 1);
  await options.getByRole('button', { name: 'Switch on: quiet.test' }).waitFor();
});

test('damaged settings are no obstacle', async () => {
  await (await extension.worker()).evaluate(() => chrome.storage.local.set({ settings: { language: 'en', rules: 'all', strictness: [] }, notes: { a: 1 } }));
  const options = await extension.openOptions();
  assert.match(await text(options, '#counts'), /Damaged entries, set aside\s+1/);
  await options.getByRole('checkbox', { name: /^Show “unclear” too/ }).press('Space');
  await until(async () => (await extension.send('load')).ok.showUnclear);
});

for (const [language, name] of /** @type {const} */ ([['en', 'English'], ['zh_CN', 'Chinese']])) {
  for (const scheme of /** @type {const} */ (['light', 'dark'])) {
    test(`nothing stands in the way of assistive technology: ${name}, ${scheme}`, async () => {
      await paired({ language, rules: [{ id: 'a', on: true, action: 'collapse', verdicts: ['likely_ai', 'declared_ai'], kinds: ['comment'] }, { id: 'b', on: false, action: 'dim' }],
        contacts: [{ name: 'Ada', key: publicKey(), added: '2026-01-01T00:00:00Z' }], pins: { 'https://ada.example': [publicKey()] }, off: ['quiet.test'] });
      await tell(summary({
        verdicts: { ...EMPTY, likely_ai: 3, unclear: 14, likely_human: 4, human_signed: 2, declared_ai: 1, mixed: 1 }, hidden: 1,
        adapter: { name: 'Slack', found: false, messages: 0 }, statements: [statement('trusted'), statement('altered')],
      }));
      const popup = await extension.openPopup(page, (opened) => opened.emulateMedia({ colorScheme: scheme }));
      await accessible(popup);
      assert.equal(await popup.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), true, 'it fits beside its scroll bar');
      await shot(popup, `popup-${language}-${scheme}`);
      const options = await extension.openOptions();
      await options.emulateMedia({ colorScheme: scheme });
      await options.getByText(/^SHA256:/).first().waitFor();
      await accessible(options);
      await shot(options, `options-${language}-${scheme}`);
      if (language === 'zh_CN') {
        assert.equal(await popup.evaluate(() => document.documentElement.lang), 'zh-CN');
        const known = /bonafide|smollm2-135m|cpu-f32|news\.test|Slack|Ada|of the library|https:\/\/\S+|SHA256:\S+|English|quiet\.test|ssh-ed25519|AAAA|example\.org|\d+/g;
        for (const opened of [popup, options]) {
          assert.doesNotMatch((await text(opened, 'body')).replace(known, ''), /[A-Za-z]{3,}/, 'no sentence is left in English');
        }
      }
      await options.setViewportSize({ width: 360, height: 740 });
      assert.equal(await options.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, 'it fits a narrow window');
      await shot(options, `options-narrow-${language}-${scheme}`);
    });
  }
}

function publicKey() {
  const { publicKey: key } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(/** @type {string} */ (key.export({ format: 'jwk' }).x), 'base64url');
  const part = (/** @type {Buffer} */ bytes) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  return `ssh-ed25519 ${Buffer.concat([part(Buffer.from('ssh-ed25519')), part(raw)]).toString('base64')}`;
}
