// @ts-check
// The page "Write and sign" against a daemon that says whatever a test needs.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { accessible, close, launch, open } from './browser.mjs';
import { CODE, fail, HOSTILE, json, mock } from './mock.mjs';
import { key, PASSPHRASE } from './mockdesk.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof mock>>} */
let daemon;
/** @type {Awaited<ReturnType<typeof open>>[]} */
let opened = [];

before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });
beforeEach(async () => { daemon = await mock(); });
afterEach(() => close(opened.splice(0), (url) => url.startsWith('blob:')).finally(() => daemon.close()));

/** @param {import('playwright-core').BrowserContextOptions} [options] */
async function visit(options, path = `/sign?k=${CODE}`) {
  // Minutes are counted in some of these tests: a minute that turns meanwhile would be one more.
  const one = await open(browser, daemon.url + path, options, { stoppedAt: '2026-11-24T12:00:30Z' });
  opened.push(one);
  return one.page;
}

/** @typedef {import('playwright-core').Page} Page */

const figures = (/** @type {Page} */ page) => page.locator('#figures').innerText();

/**
 * @param {Page} page
 * @param {string} passphrase
 */
async function giveSecret(page, passphrase) {
  await page.fill('#passphrase', passphrase);
  await page.keyboard.press('Enter');
}

test('what is typed, deleted and pasted is counted and shown', async () => {
  const page = await visit({ permissions: ['clipboard-read', 'clipboard-write'] });
  assert.equal(await figures(page), '0 keystrokes · 0 deletions · 0% pasted · 0 active minutes · 0 revisions');
  await page.locator('#draft').pressSequentially('I wrotte');
  for (let times = 0; times < 3; times += 1) await page.keyboard.press('Backspace');
  await page.keyboard.type('te');
  assert.equal(await figures(page), '10 keystrokes · 3 deletions · 0% pasted · 1 active minute · 0 revisions');
  await page.evaluate(() => navigator.clipboard.writeText(' it all'));
  await page.keyboard.press('ControlOrMeta+v');
  await page.waitForFunction(() => document.querySelector('#figures')?.textContent?.includes('50% pasted'));
  await page.keyboard.press('Home');
  await page.keyboard.type('Yes, ');
  assert.match(await figures(page), /15 keystrokes · 3 deletions · 37% pasted · 1 active minute · 1 revision$/);
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.press('ControlOrMeta+x');
  await page.keyboard.press('ControlOrMeta+v');
  await page.waitForFunction(() => document.querySelector('#figures')?.textContent?.includes('37% pasted'));
  assert.equal(await page.inputValue('#draft'), 'Yes, I wrote it all');
  await page.fill('#draft', 'A program put this here.');
  assert.match(await figures(page), /100% pasted/);
  await page.click('#clear');
  assert.equal(await figures(page), '0 keystrokes · 0 deletions · 0% pasted · 0 active minutes · 0 revisions');
});

test('a text is shown in full and signed with the passphrase', async () => {
  const page = await visit({ permissions: ['clipboard-read', 'clipboard-write'] });
  await page.locator('#draft').pressSequentially('These are my own words.\n\nAll of them.');
  await page.selectOption('#assistance', 'spelling');
  await page.selectOption('#text-language', 'de');
  await page.click('#sign');
  const dialog = page.locator('#confirm');
  assert.equal(await page.locator('#confirm .exact').innerText(), 'These are my own words.\n\nAll of them.');
  const said = await dialog.innerText();
  for (const wanted of [/Author\s+Ada/, /https:\/\/ada\.example/, /SHA256:ada/, /German/, /with the spelling/, /Written in the editor\s+no figures/, /block of lines/]) {
    assert.match(said, wanted);
  }
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'passphrase');
  await giveSecret(page, 'wrong');
  await page.waitForFunction(() => document.querySelector('#confirm-error')?.textContent?.includes('wrong'));
  assert.equal(await page.inputValue('#passphrase'), '');
  await giveSecret(page, PASSPHRASE);
  await page.waitForSelector('#made');
  assert.equal(await dialog.isVisible(), false);
  assert.match(await page.locator('#made').innerText(), /my own words\.\n\nAll of them\. human1mock$/);
  const asked = daemon.requests.find(({ path, body }) => path === '/v1/sign' && body)?.body;
  assert.deepEqual(asked, { text: 'These are my own words.\n\nAll of them.', form: 'armour', key: 'ada', assistance: 'spelling', language: 'de' });

  await page.getByRole('button', { name: 'Copy', exact: true }).click();
  await page.waitForFunction(() => document.querySelector('#status')?.textContent === 'Copied.');
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /human1mock$/);
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download', exact: true }).click()]);
  assert.equal(file.suggestedFilename(), 'text.txt');
  assert.match(await readFile(await file.path(), 'utf8'), /human1mock$/);
  assert.equal(await page.evaluate(() => Object.keys(localStorage).length + Object.keys(sessionStorage).length), 1, 'only the token is kept');
});

test('the figures go into the statement only if the author says so', async () => {
  const page = await visit();
  assert.equal(await page.locator('#carry').isChecked(), false);
  await page.locator('#draft').pressSequentially('Typed here.');
  await page.selectOption('#form', 'line');
  await page.check('#carry');
  assert.equal(await page.inputValue('#form'), 'armour', 'a line has no place for them');
  await page.click('#sign');
  await page.waitForSelector('#confirm[open]');
  assert.match(await page.locator('#confirm').innerText(), /Written in the editor\s+11 keystrokes · 0 deletions · 0% pasted · 1 active minute · 0 revisions/);
  await page.getByRole('button', { name: 'Don’t sign' }).click();
  await page.waitForSelector('#confirm', { state: 'hidden' });
  assert.equal(daemon.desk.waiting.length, 0, 'the request does not go on waiting');
  const { written_here } = daemon.requests.find(({ path, body }) => path === '/v1/sign' && body)?.body;
  assert.deepEqual(written_here, { keystrokes: 11, deletions: 0, pasted_percent: 0, active_minutes: 1, revisions: 0 });
  await page.uncheck('#carry');
  await page.selectOption('#assistance', 'own');
  await page.click('#sign');
  assert.match(await page.locator('#error').innerText(), /sentence about the help you had is empty/);
  await page.fill('#sentence', 'A friend read it.');
  await page.click('#sign');
  await page.waitForSelector('#confirm[open]');
  const last = daemon.requests.findLast(({ path, body }) => path === '/v1/sign' && body)?.body;
  assert.deepEqual([last.assistance, last.written_here], ['A friend read it.', undefined]);
  await page.keyboard.press('Escape');
  await page.waitForSelector('#confirm', { state: 'hidden' });
  assert.equal(daemon.desk.waiting.length, 0);
});

test('three wrong passphrases end it, and the draft stays', async () => {
  const page = await visit();
  await page.fill('#draft', 'Mine.');
  await page.click('#sign');
  for (const [index, said] of ['is wrong', 'is wrong', 'three times'].entries()) {
    await giveSecret(page, `guess ${index}`);
    await page.waitForFunction((said) => document.querySelector('#confirm-error')?.textContent?.includes(said), said);
    await page.waitForFunction(() => /** @type {HTMLInputElement} */ (document.querySelector('#passphrase')).value === '');
  }
  assert.equal(await page.getByRole('button', { name: 'Sign', exact: true }).isDisabled(), true);
  await page.keyboard.press('Escape');
  await page.waitForSelector('#confirm', { state: 'hidden' });
  assert.equal(await page.inputValue('#draft'), 'Mine.');
});

test('keys: none, without a passphrase, in hardware', async () => {
  const page = await visit();
  assert.deepEqual(await page.locator('#key option').allInnerTexts(), ['Ada (ada)', 'Ada (bare): has no passphrase', 'Ada (stick)']);
  assert.equal(await page.locator('#key option').nth(1).isDisabled(), true);
  await page.selectOption('#key', 'stick');
  await page.fill('#draft', 'Mine.');
  await page.click('#sign');
  await page.waitForSelector('#confirm[open]');
  assert.equal(await page.locator('#passphrase').count(), 0);
  await page.getByRole('button', { name: 'Sign', exact: true }).click();
  await page.waitForSelector('#made');
  daemon.desk.keys = [];
  const other = await visit();
  assert.match(await other.locator('#keyless').innerText(), /bonafide key new/);
  assert.equal(await other.locator('#sign').isDisabled(), true);
});

test('what other programs ask waits here with its full text', async () => {
  const page = await visit();
  const text = 'Pay Eve\u202e000,1\u202c euros\u200b now. 👨‍👩‍👧 می‌خواهم';
  const one = daemon.desk.add('mail', { text, form: 'line' });
  const two = daemon.desk.add('chat', { text: 'Another one.', form: 'line' });
  await page.waitForSelector(`#request-${one.id}`);
  const card = page.locator(`#request-${one.id}`);
  assert.match(await card.innerText(), /A program asks you to sign this text[^]*token “mail”/);
  assert.equal(await card.locator('.exact').textContent(), 'Pay EveU+202E000,1U+202C eurosU+200B now. 👨‍👩‍👧 می‌خواهم');
  assert.match(await card.innerText(), /can’t be seen or that change the order/);
  assert.equal(await page.locator('#status').innerText(), 'A program asks you to sign a text.');
  await page.locator(`#request-${two.id}`).getByRole('button', { name: 'Refuse' }).click();
  await page.waitForSelector(`#request-${two.id}`, { state: 'detached' });
  assert.equal(daemon.desk.waiting.length, 1);
  await card.getByRole('button', { name: 'Sign…' }).click();
  await page.waitForSelector('#confirm[open]');
  assert.match(await page.locator('#confirm h2').innerText(), /A program asks you/);
  await giveSecret(page, PASSPHRASE);
  await page.waitForSelector('#made');
  assert.match(await page.locator('#output').innerText(), /program that asked has it now/);
  await page.waitForSelector(`#request-${one.id}`, { state: 'detached' });
});

test('the address that a program was given leads to its request', async () => {
  const one = daemon.desk.add('mail', { text: 'Look at me.', form: 'line' });
  const page = await visit({}, `/sign?k=${CODE}#${one.id}`);
  assert.equal(page.url(), `${daemon.url}/sign#${one.id}`);
  assert.equal(await page.evaluate((id) => document.activeElement?.closest('.request')?.id === `request-${id}`, one.id), true);
});

test('results are told calmly, and only known keys in green', async () => {
  const page = await visit();
  for (const [result, said] of /** @type {const} */ ([
    ['trusted', 'Signed by your contact Ada of the library'], ['published', 'Signed by Ada, whose key https://ada.example publishes'],
    ['excerpt', 'Part of a text that Ada signed: 1 of 3 paragraphs'], ['unknown_key', 'Signed by someone who goes by the name Ada'],
    ['key_changed', 'Signed with another key than before'], ['expired', 'Signed, but out of its time'],
    ['revoked', 'Signed with a key that was revoked'], ['altered', 'Not the text that was signed'], ['malformed', 'Not a good statement'],
  ])) {
    await page.fill('#check', `[${result}] My 🔑 words|, and others.`);
    await page.click('#check-go');
    await page.waitForSelector(`.outcome[data-result="${result}"]`);
    assert.equal(await page.locator('.outcome h4').innerText(), said);
    const green = result === 'trusted' || result === 'published';
    assert.equal(await page.locator('.outcome.green').count(), green ? 1 : 0, result);
    const marked = await page.locator('mark').allTextContents();
    const nothing = result === 'altered' || result === 'malformed';
    assert.deepEqual(marked, nothing ? [] : [`[${result}] My 🔑 words`]);
    assert.equal(await page.locator('[role="alert"]:visible').count(), 0);
  }
  await page.fill('#check', '[trusted] All mine.');
  await page.click('#check-go');
  await page.waitForFunction(() => document.querySelector('.outcome h4')?.textContent === 'Signed with your own key ada');
  await page.fill('#check', '> [trusted] Quoted.');
  await page.click('#check-go');
  await page.waitForFunction(() => document.querySelector('.outcome')?.textContent?.includes('quoted part'));
  assert.equal(await page.locator('mark').count(), 0, 'its places are not places in this text');
  await page.fill('#check', 'Nothing here.');
  await page.click('#check-go');
  await page.waitForFunction(() => document.querySelector('#checked')?.textContent?.startsWith('There is no signature'));
});

test('nothing that was written or said becomes markup', async () => {
  daemon.desk.keys = [key('ada', { author: { name: HOSTILE } })];
  daemon.desk.add(HOSTILE, { text: HOSTILE, form: 'line', assistance: HOSTILE });
  const page = await visit();
  await page.waitForSelector('.request');
  await page.fill('#draft', HOSTILE);
  await page.click('#sign');
  assert.equal(await page.locator('#confirm .exact').innerText(), HOSTILE);
  await giveSecret(page, PASSPHRASE);
  await page.waitForSelector('#made');
  await page.fill('#check', `[unknown_key] ${HOSTILE}`);
  await page.click('#check-go');
  await page.waitForSelector('.outcome');
  assert.equal((await page.locator('.outcome h4').innerText()).includes(HOSTILE), true);
  assert.equal(await page.locator('img').count(), 0);
  assert.equal(await page.evaluate(() => 'hacked' in globalThis), false);
});

test('errors are said in words with what to do, and the draft stays', async () => {
  const page = await visit();
  await page.click('#sign');
  assert.match(await page.locator('#error').innerText(), /There is no text to sign yet\.[^]*Write one first/);
  await page.click('#check-go');
  assert.match(await page.locator('#error').innerText(), /There is no text to check yet/);
  await page.fill('#draft', 'a\u202eb');
  await page.click('#sign');
  await page.waitForFunction(() => document.querySelector('#error-message')?.textContent?.includes('bidirectional'));
  await page.selectOption('#language', 'zh');
  assert.match(await page.locator('#error').innerText(), /这段文本或密钥无法使用[^]*U\+202E/);
  await page.selectOption('#language', 'en');
  assert.equal(await page.inputValue('#draft'), 'a\u202eb');
  daemon.answers.push((path, response) => {
    if (path !== '/v1/verify') return false;
    json(response, 401, fail('wrong_token', 'this token is not known'));
    return true;
  });
  await page.fill('#check', 'Text.');
  await page.click('#check-go');
  await page.waitForSelector('#locked:not([hidden])');
  assert.match(await page.locator('#locked').innerText(), /bonafide token link/);
});

test('without a link the page says how to get one', async () => {
  const page = await visit({}, '/sign');
  assert.match(await page.locator('#locked').innerText(), /another tab[^]*bonafide token link/);
});

test('the pages lead to each other in one tab, and the token stays', async () => {
  const page = await visit({}, `/?k=${CODE}`);
  await page.getByRole('link', { name: 'Write and sign' }).click();
  await page.waitForURL('**/sign');
  await page.waitForSelector('html[data-ready]');
  assert.equal(await page.locator('#locked').isVisible(), false);
  await page.locator('#draft').pressSequentially('Unsaved.');
  /** @type {string[]} */
  const asked = [];
  page.once('dialog', (dialog) => {
    asked.push(dialog.type());
    void dialog.accept();
  });
  await page.getByRole('link', { name: 'Judge a text' }).click();
  await page.waitForURL(`${daemon.url}/`);
  await page.waitForSelector('html[data-ready]');
  assert.deepEqual(asked, ['beforeunload'], 'a draft is not given up without a question');
  assert.equal(await page.locator('#locked').isVisible(), false);
});

test('the whole page speaks Chinese', async () => {
  const page = await visit();
  const before = await page.locator('[data-i18n]').allTextContents();
  daemon.desk.add('mail', { text: '我写的。', form: 'line' });
  await page.waitForSelector('.request');
  await page.fill('#draft', '这是我写的。 都是。');
  await page.fill('#check', '[trusted] 我的话。');
  await page.click('#check-go');
  await page.waitForSelector('.outcome');
  await page.click('#sign');
  await giveSecret(page, PASSPHRASE);
  await page.waitForSelector('#made');
  await page.selectOption('#language', 'zh');
  assert.equal(await page.getAttribute('html', 'lang'), 'zh-Hans');
  const after = await page.locator('[data-i18n]').allTextContents();
  assert.deepEqual(after.filter((text, index) => text === before[index]), []);
  assert.match(await figures(page), /^0 次输入 · 0 次删除 · 100% 为粘贴/);
  const latin = async () => (await page.locator('main, dialog').allInnerTexts()).join(' ').match(/[A-Za-z]{3,}/g) ?? [];
  const names = new Set(['SHA', 'other', 'ada', 'Ada', 'stick', 'bare', 'https', 'example', 'mail', 'human', 'mock', 'HTML', 'trusted', 'the', 'library']);
  assert.deepEqual((await latin()).filter((word) => !names.has(word)), []);
  await page.fill('#draft', '再写一段。');
  await page.click('#sign');
  await page.waitForSelector('#confirm[open]');
  assert.deepEqual((await latin()).filter((word) => !names.has(word)), []);
  await giveSecret(page, 'wrong');
  await page.waitForFunction(() => document.querySelector('#confirm-error')?.textContent?.includes('口令不对'));
});

for (const [name, options] of /** @type {const} */ ([
  ['light', { colorScheme: 'light' }], ['dark', { colorScheme: 'dark' }], ['Chinese', { locale: 'zh-CN' }],
  ['narrow', { viewport: { width: 360, height: 740 } }],
])) {
  test(`nothing stands in the way of assistive technology: ${name}`, async () => {
    await accessible(await visit(options, '/sign'));
    const page = await visit(options);
    await accessible(page);
    daemon.desk.add('chat', { text: 'Short.', form: 'line' });
    daemon.desk.add('mail', { text: 'Hidden\u200b. '.repeat(200), form: 'line' });
    await page.waitForSelector('.request');
    await page.fill('#draft', 'My own text.');
    await page.click('#sign');
    await page.waitForSelector('#confirm[open]');
    await accessible(page);
    await giveSecret(page, PASSPHRASE);
    await page.waitForSelector('#made');
    for (const result of ['published', 'excerpt']) {
      await page.fill('#check', `[${result}] Some signed text|, and more.`);
      await page.click('#check-go');
      await page.waitForSelector(`.outcome[data-result="${result}"]`);
      await accessible(page);
    }
    const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.equal(Number(wide) <= Number(window), true, 'nothing sticks out sideways');
  });
}
