// @ts-check
// What texts say of themselves, on the page and from the real daemon, whose one-time link is in BONAFIDE_LINK.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, test } from 'node:test';
import { accessible, launch, open } from './browser.mjs';
import { LABEL, PAYLOAD } from './mockevidence.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof open>>} */
let opened;
/** @type {import('playwright-core').Page} */
let page;

before(async () => {
  browser = await launch();
  opened = await open(browser, process.env['BONAFIDE_LINK'] ?? '');
  ({ page } = opened);
});
after(async () => { await browser.close(); });
beforeEach(() => page.selectOption('#language', 'en'));

/** @param {string} text */
async function judge(text) {
  if (await page.locator('#new').isVisible()) await page.click('#new');
  await page.fill('#input', text);
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('#results:not([hidden])', { timeout: 120_000 });
  await page.waitForSelector('#progress', { state: 'hidden', timeout: 120_000 });
}

const finding = (/** @type {string} */ code) => page.locator(`.reasons li[data-code="${code}"]`);
/** Too short for statistics, and enough for a label. */
const SHORT = 'The bus was late again, so I walked. Halfway down the hill my left shoe gave up, and I went on in my socks.';
const pointed = () => page.evaluate(() => [...CSS.highlights.get('finding') ?? []].map(String).join('|'));

test('a hidden message is read aloud and decides nothing', async () => {
  const lively = (await readFile(new URL('lively.txt', import.meta.url), 'utf8')).trim();
  const text = lively.replace(' ', ` ${PAYLOAD}`);
  await judge(text);
  assert.equal((await page.locator('.prose').allTextContents()).join('\n\n'), text);
  assert.equal(await page.locator('.passage[data-verdict="declared_ai"]').count(), 0);
  const found = finding('hidden_message');
  assert.equal(await found.locator('h4').innerText(), 'Hidden characters');
  assert.match(await found.innerText(), /spell a message: “hi!”/);
  await found.hover();
  assert.equal(await pointed(), PAYLOAD);
  assert.equal(await page.locator('.unseen.pointed').getAttribute('data-mark'), 'U+200B U+200C U+200C +21');
  await accessible(page);
  await page.selectOption('#language', 'zh');
  assert.equal(await found.locator('h4').innerText(), '隐藏字符');
  assert.match(await found.innerText(), /其中写着：“hi!”（3 字节，编码方式：以两种零宽字符表示的二进制）/);
});

test('a label declares a short text, and on its own it declares nothing', async () => {
  await judge(LABEL);
  assert.equal(await page.locator('.verdict').getAttribute('data-verdict'), 'unclear');
  assert.match(await finding('label_alone').innerText(), /it declares nothing/);
  await judge(`${LABEL}\n\n${SHORT}`);
  assert.equal(await page.locator('.verdict').getAttribute('data-verdict'), 'declared_ai');
  assert.equal(await page.locator('#verdict').innerText(), 'A watermark or a label says that a model made this text.');
  assert.equal(await page.locator('.passage h3').innerText(), 'declared as a model’s');
  const found = finding('label_visible');
  assert.equal(await found.locator('h4').innerText(), 'Label');
  assert.match(await found.innerText(), /This text says itself that it was generated: “.*本文由AI生成.*”\./);
  assert.equal(await finding('too_short').count(), 1);
  await found.getByRole('button').focus();
  assert.match(await pointed(), /本文由AI生成/);
  await accessible(page);
  await page.selectOption('#language', 'zh');
  assert.equal(await page.locator('#verdict').innerText(), '水印或标识表明这段文本由模型生成。');
  assert.equal(await page.locator('.passage h3').innerText(), '已声明由模型生成');
  assert.match(await found.innerText(), /这段文本自己标明由 AI 生成：“.*本文由AI生成.*”。/);
});

test('what chatbots leave behind is named', async () => {
  await judge('The museum opens at nine, as its page says: https://museum.example/?utm_source=chatgpt.com is where it stands.');
  const found = finding('leftover_link');
  assert.equal(await found.locator('h4').innerText(), 'Left by a chatbot');
  assert.equal(await page.locator('.verdict').getAttribute('data-verdict'), 'unclear');
  await page.selectOption('#language', 'zh');
  assert.match(await found.innerText(), /^聊天机器人留下的痕迹\s+这段文本中有一个链接是从聊天机器人的回答中复制来的/);
});

test('no policy was breached', () => {
  assert.deepEqual(opened.complaints, []);
  assert.deepEqual(opened.foreign, []);
});
