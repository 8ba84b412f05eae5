// @ts-check
// The page against the real daemon with the real model, whose one-time link is in BONAFIDE_LINK.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { level, rankName } from '../../server/src/http/web/levels.js';
import { accessible, launch, open } from './browser.mjs';

/** @typedef {import('../../server/src/http/web/api.js').Report} Report */

const link = process.env['BONAFIDE_LINK'] ?? '';
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof open>>} */
let opened;
/** @type {import('playwright-core').Page} */
let page;

before(async () => {
  browser = await launch();
  opened = await open(browser, link);
  ({ page } = opened);
});
after(async () => { await browser.close(); });

/**
 * Judges a text and gives the daemon's replies beside what the page makes of them.
 * @param {string} text
 */
async function judge(text) {
  /** @type {Promise<Report>[]} */
  const replies = [];
  const listen = (/** @type {import('playwright-core').Response} */ response) => {
    if (new URL(response.url()).pathname === '/v1/score' && response.ok()) replies.push(response.json());
  };
  page.on('response', listen);
  if (await page.locator('#new').isVisible()) await page.click('#new');
  await page.fill('#input', text);
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('#results:not([hidden])', { timeout: 120_000 });
  await page.waitForSelector('#progress', { state: 'hidden', timeout: 120_000 });
  page.off('response', listen);
  const reports = await Promise.all(replies);
  return reports.flatMap(({ blocks }) => blocks);
}

const fixture = (/** @type {string} */ name) => readFile(new URL(name, import.meta.url), 'utf8');

test('the page shows what the daemon says: sentences, words, reasons, numbers', async () => {
  assert.equal(await page.locator('#locked').isVisible(), false, 'the link let the page in');
  const text = (await fixture('plain.txt')).trim();
  const blocks = await judge(text);
  const [block] = blocks;
  assert.equal(blocks.length, 1);
  assert.ok(block?.tokens);
  assert.equal(await page.locator('.passage').getAttribute('data-verdict'), block.verdict);
  assert.equal(await page.locator('.verdict').getAttribute('data-verdict'), block.verdict);
  assert.equal(await page.locator('.prose').textContent(), text, 'nothing of the text is lost or doubled');
  assert.deepEqual(await page.locator('.reasons li').evaluateAll((all) => all.map((one) => one.getAttribute('data-code'))),
    block.evidence.map(({ code }) => code));

  const sentences = page.locator('#reading .sentence');
  assert.equal(await sentences.count(), block.sentences.length);
  const classes = await sentences.evaluateAll((all) => all.map((one) => one.classList[1]));
  assert.deepEqual(classes, block.sentences.map(({ probability }) => level(probability)));

  const points = [...text];
  const second = block.sentences[1]?.span ?? { start: 0, end: 0 };
  const spelling = (/** @type {import('../../server/src/http/web/api.js').Token} */ { span }) => points.slice(span.start, span.end).join('');
  const token = block.tokens.find((one) => one.rank !== null && one.span.start >= second.start && one.span.end < second.end
    && /^[a-z]{6,}$/.test(spelling(one)));
  assert.ok(token?.rank, 'the second sentence has a long word that is one token');
  await sentences.nth(1).hover();
  const word = sentences.nth(1).locator('.word', { hasText: new RegExp(`^${spelling(token)}$`) });
  await word.hover();
  assert.match(await page.locator('#tip').innerText(), new RegExp(`${spelling(token)}\\s+Rank\\s+guess no\\. ${token.rank.toLocaleString('en')}\\s`));
  assert.equal(await word.getAttribute('class'), `word r${rankName(token.rank)} looked-at`);

  const shown = await page.locator('.numbers').first().innerText();
  assert.match(shown, new RegExp(`Tokens\\s+${block.token_count}`));
});

test('neither fixture is called the opposite of what it looks like', async () => {
  const [plain] = await judge(await fixture('plain.txt'));
  const [lively] = await judge(await fixture('lively.txt'));
  assert.notEqual(plain?.verdict, 'likely_human');
  assert.notEqual(lively?.verdict, 'likely_ai');
  assert.ok((plain?.probability ?? 1) > (lively?.probability ?? 0), 'in order, wherever the thresholds are');
});

test('every finding of the daemon has its Chinese', async () => {
  await judge(await fixture('lively.txt'));
  await page.selectOption('#language', 'zh');
  assert.match(await page.locator('#verdict').innerText(), /\p{Script=Han}/u);
  for (const finding of await page.locator('.reasons li').allInnerTexts()) assert.match(finding, /^\p{Script=Han}/u);
  await page.selectOption('#language', 'en');
});

test('short, odd and foreign texts get an answer and no trouble', async () => {
  for (const text of ['Hello.', '🙂🙃🙂', 'x'.repeat(2000), 'שלום עולם, זהו טקסט קצר.', '今天的公交车又晚点了，所以我走下山。', '<b>bold</b> & "quotes"']) {
    const blocks = await judge(text);
    assert.ok(blocks.every(({ verdict }) => verdict === 'unclear'), text.slice(0, 20));
    assert.equal(await page.locator('#error').isVisible(), false);
    const sentences = await page.locator('#reading .sentence').count();
    for (let index = 0; index < sentences; index += 1) await page.locator('#reading .sentence').nth(index).click();
    assert.equal((await page.locator('.prose').allTextContents()).join(''), text);
  }
});

test('an HTML file is read by the daemon', async () => {
  await page.click('#new');
  const paragraphs = (await fixture('lively.txt')).trim().split('\n\n');
  const html = `<!doctype html><title>A boiler</title><nav>Home About</nav><article><h1>A boiler</h1>${paragraphs.map((one) => `<p>${one}</p>`).join('')}</article>`;
  await page.setInputFiles('#file', { name: 'boiler.html', mimeType: 'text/html', buffer: Buffer.from(html) });
  await page.waitForSelector('#file-card:not([hidden])');
  await page.click('#score');
  await page.waitForSelector('#verdict', { timeout: 120_000 });
  assert.match((await page.locator('.prose').allTextContents()).join('\n'), /Morgan looked at the thing/);
  assert.equal((await page.locator('.prose').allTextContents()).join('\n').includes('About'), false);
});

test('keyboard alone, in the dark', async () => {
  await page.click('#new');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.keyboard.insertText(await fixture('plain.txt'));
  await page.keyboard.press('Control+Enter');
  await page.waitForFunction(() => document.activeElement?.id === 'verdict', undefined, { timeout: 120_000 });
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  assert.match(await page.locator('#tip').innerText(), /Rank\s+guess no\./);
  await accessible(page);
});

test('the documentation opens and no policy was breached', async () => {
  await page.click('.limits a');
  await page.waitForURL('**/docs');
  assert.match(await page.locator('body').innerText(), /v1\/score/);
  assert.deepEqual(opened.complaints, []);
  assert.deepEqual(opened.foreign, []);
});
