// @ts-check
// Labels, watermarks, leftovers and hidden characters on the page, from a daemon that finds all of them.

import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { accessible, close, launch, open } from './browser.mjs';
import { mock } from './mock.mjs';
import { LABEL, LINK, MARKED, PAYLOAD } from './mockevidence.mjs';

const PROSE = 'The bus was late again, so she walked down the hill and along the river to the old mill. Nobody was there yet.';
const LONG = `${PROSE} She sat down on the wall 👩‍🚒 and waited until the bells had rung twice. Then the others came, one by one.`;
const ALL = `${LONG} ${MARKED} A word${PAYLOAD} and a link: ${LINK}\n${LABEL}`;
const SIGNS = 'U+200B U+200C U+200C +21';

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

/**
 * A page with the judgement of a text on it.
 * @param {string} text
 * @param {import('playwright-core').BrowserContextOptions} [options]
 */
async function judged(text, options) {
  const one = await open(browser, daemon.link, options);
  opened.push(one);
  await one.page.fill('#input', text);
  await one.page.keyboard.press('Control+Enter');
  await one.page.waitForSelector('#results:not([hidden])');
  await one.page.waitForSelector('#progress', { state: 'hidden' });
  return one.page;
}

/**
 * What is marked in the text.
 * @param {import('playwright-core').Page} page
 */
const pointed = (page) => page.evaluate(() => [...CSS.highlights.get('finding') ?? []].map(String).join('|'));

test('every kind of finding has its name and its symbol', async () => {
  const page = await judged(ALL);
  assert.equal(await page.locator('#verdict').innerText(), 'A watermark or a label says that a model made this text.');
  assert.match(await page.locator('.verdict').innerText(), /the statistics have no part in it/);
  assert.match(await page.locator('.gauge').innerText(), /By the statistics alone/);
  const findings = page.locator('.reasons li');
  const wanted = /** @type {const} */ ([['watermark', 'Watermark', /watermark of the key "acme"/], ['declared', 'Label', /says itself that it was generated/],
    ['hidden_characters', 'Hidden characters', /spell a message: “hi!U\+202E”/], ['leftover', 'Left by a chatbot', /copied from a chatbot/]]);
  for (const [index, [kind, name, said]] of wanted.entries()) {
    const one = findings.nth(index);
    assert.equal(await one.getAttribute('data-kind'), kind);
    assert.equal(await one.locator('h4').innerText(), name);
    assert.equal(await one.locator('use').getAttribute('href'), `#k-${kind}`);
    assert.equal(await page.locator(`#k-${kind}`).count(), 1);
    assert.match(await one.innerText(), said);
  }
  assert.equal(await findings.nth(4).locator('h4').count(), 0, 'the statistics look as before');
});

test('in Chinese as well', async () => {
  const page = await judged(ALL, { locale: 'zh-CN' });
  assert.equal(await page.locator('#verdict').innerText(), '水印或标识表明这段文本由模型生成。');
  const said = async (/** @type {string} */ code) => (await page.locator(`[data-code="${code}"] p`).first().innerText());
  assert.equal(await said('watermark'), '此处带有密钥“acme”的水印：在没有水印的文本中，偶然达到这种程度的至多占 400 万分之一（80 个词元，z = 7.1，共试 2 个密钥）。');
  assert.equal(await said('label_visible'), `这段文本自己标明由 AI 生成：“${LABEL}”。`);
  assert.equal(await said('hidden_message'), '这段文本含有看不见的字符，其中写着：“hi!U+202E”（3 字节，编码方式：以两种零宽字符表示的二进制）。是谁放进去的，为了什么，都无从得知。');
  assert.match(await said('leftover_link'), /^这段文本中有一个链接是从聊天机器人的回答中复制来的/);
  assert.deepEqual(await page.locator('.reasons h4').allInnerTexts(), ['水印', '标识', '隐藏字符', '聊天机器人留下的痕迹']);
});

test('what cannot be seen has a sign in the text, and the text stays what it is', async () => {
  const page = await judged(ALL);
  assert.equal(await page.locator('.prose').textContent(), ALL);
  const sign = page.locator('.prose .unseen');
  assert.equal(await sign.count(), 1, 'one for the run, and none for an emoji');
  assert.equal(await sign.getAttribute('data-mark'), SIGNS);
  assert.equal(await sign.textContent(), PAYLOAD);
  assert.match(await sign.evaluate((one) => getComputedStyle(one, '::before').content), /U\+200B/);
  const box = await sign.boundingBox();
  assert.ok(box && box.width > 40, 'it can be seen');
  await page.locator('.segments label').nth(1).click();
  await page.waitForSelector('.word');
  assert.equal(await page.locator('.prose').textContent(), ALL, 'word by word too');
});

test('what has work to do in a text gets no sign', async () => {
  const honest = 'Donaudampf\u00adschifffahrt, می\u200cخواهم\u200f, 👩🏽‍🚒 and 🏴󠁧󠁢󠁳󠁣󠁴󠁿 stay, ภาษา\u200bไทย too.';
  const page = await judged(honest);
  assert.deepEqual(await page.locator('.prose .unseen').evaluateAll((all) => all.map((one) => one.getAttribute('data-mark'))), []);
  const odd = await judged('A soft \u00adhyphen, a mark\u2060, a\u202eturn and a tag\u{e0041}.');
  assert.deepEqual(await odd.locator('.prose .unseen').evaluateAll((all) => all.map((one) => one.getAttribute('data-mark'))),
    ['U+00AD', 'U+2060', 'U+202E', 'U+E0041']);
});

test('looking at a finding marks its place in the text', async () => {
  const page = await judged(ALL);
  const finding = (/** @type {string} */ code) => page.locator(`[data-code="${code}"]`);
  assert.equal(await pointed(page), '');
  await finding('watermark').hover();
  assert.equal(await pointed(page), MARKED);
  await finding('hidden_message').hover();
  assert.equal(await pointed(page), PAYLOAD);
  assert.equal(await page.locator('.unseen.pointed').count(), 1);
  await finding('evenness_usual').hover();
  assert.equal(await pointed(page), '', 'a finding on all of the text marks nothing');
  assert.equal(await page.locator('.pointed').count(), 0);

  await page.mouse.move(0, 0);
  await page.locator('#verdict').focus();
  const show = finding('label_visible').getByRole('button');
  for (let tabs = 0; tabs < 9 && !await show.evaluate((one) => one === document.activeElement); tabs += 1) await page.keyboard.press('Tab');
  assert.equal(await pointed(page), LABEL, 'the keyboard does the same');
  await page.keyboard.press('Enter');
  assert.match(await page.evaluate(() => document.activeElement?.className ?? ''), /sentence/);
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), LABEL);
  assert.equal(await pointed(page), LABEL, 'and it stays marked');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await pointed(page), '', 'until the focus moves on');

  await finding('leftover_link').getByRole('button').click();
  await page.mouse.move(0, 0);
  assert.equal(await pointed(page), LINK, 'the pointer may leave');
});

test('a label alone is no scrap', async () => {
  const page = await judged(LABEL);
  assert.equal(await page.locator('.passage').getAttribute('data-verdict'), 'declared_ai');
  assert.equal(await page.locator('.passage h3').innerText(), 'declared as a model’s');
  assert.match(await page.locator('#results').innerText(), /The statistics can’t judge this text/);
});

for (const [name, options] of /** @type {const} */ ([
  ['light', { colorScheme: 'light' }], ['dark', { colorScheme: 'dark' }], ['Chinese', { locale: 'zh-CN' }],
  ['narrow', { viewport: { width: 360, height: 740 } }],
])) {
  test(`a declaration looks unlike a likeness, and stands in nobody’s way: ${name}`, async () => {
    const page = await judged(`[likely_ai] ${Array(5).fill(LONG).join(' ')}\n\n${ALL} ${LONG}`, options);
    const colours = await page.locator('.passage h3 > .icon').evaluateAll((all) => all.map((one) => getComputedStyle(one).color));
    assert.deepEqual(await page.locator('.passage').evaluateAll((all) => all.map((one) => one.getAttribute('data-verdict'))), ['likely_ai', 'declared_ai']);
    assert.notEqual(colours[0], colours[1]);
    await accessible(page);
    await page.locator('.passage').nth(1).locator('h3 span').click();
    await page.locator('[data-code="watermark"]').hover();
    assert.equal(await pointed(page), MARKED);
    await accessible(page);
    const alone = await judged(ALL, options);
    await alone.locator('[data-code="hidden_message"]').hover();
    await accessible(alone);
    const [wide, window] = await alone.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.equal(Number(wide) <= Number(window), true, 'nothing sticks out sideways');
  });
}
