// @ts-check
// The page against a daemon that says whatever a test needs.

import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { accessible, close, launch, open } from './browser.mjs';
import { fail, HOSTILE, json, mock } from './mock.mjs';

const EASY = 'In the modern world it is important to communicate well with others. Clear words help people to understand what is meant. '
  + 'They build trust and respect between people who work together. Listening is an important part of every conversation that matters. '
  + 'It shows that one cares about what others think and feel. In the end everyone gains from words that are open and honest.';
const words = (/** @type {string} */ verdict) => `[${verdict}] ${EASY}`;
/** Too long to be put together with its neighbours. */
const long = (/** @type {string} */ verdict) => `[${verdict}] ${EASY} ${EASY} ${EASY}`;

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
async function visit(options, url = daemon.link) {
  const one = await open(browser, url, options);
  opened.push(one);
  return one.page;
}

/**
 * @param {import('playwright-core').Page} page
 * @param {string} text
 */
async function judge(page, text) {
  await page.fill('#input', text);
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('#results:not([hidden])');
  await page.waitForSelector('#progress', { state: 'hidden' });
}

test('the link becomes a token and leaves the address bar', async () => {
  const page = await visit();
  assert.equal(page.url(), `${daemon.url}/`);
  assert.equal(await page.locator('#locked').isVisible(), false);
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  await judge(page, words('likely_ai'));
  assert.equal(daemon.requests.filter(({ path }) => path === '/v1/session').length, 1);
  assert.equal(daemon.requests.at(-1)?.authorization, 'Bearer mock-token');
  await page.goto(daemon.url + '/?k=used-up');
  await page.waitForSelector('html[data-ready]');
  assert.equal(await page.locator('#error').isVisible(), false, 'a used link is no trouble for a page that has its token');
});

test('without a link the page says how to get one', async () => {
  const page = await visit({}, daemon.url);
  assert.match(await page.locator('#locked').innerText(), /bonafide token link/);
  await page.fill('#input', words('likely_ai'));
  await page.click('#score');
  await page.waitForSelector('#error:not([hidden])');
  assert.match(await page.locator('#error').innerText(), /token is required/);
  assert.equal(await page.inputValue('#input'), words('likely_ai'), 'the text is still there');
  const wrong = await visit({}, daemon.url + '/?k=used-up');
  assert.match(await wrong.locator('#error').innerText(), /used already/);
  assert.equal(await wrong.locator('#locked').isVisible(), true);
});

test('a text gets a verdict, coloured sentences, words on demand, reasons and numbers', async () => {
  const page = await visit();
  await judge(page, `${words('likely_ai')} A key 🔑 turns.`);
  assert.equal(await page.locator('#verdict').innerText(), 'This text looks like a model’s.');
  assert.match(await page.locator('#status').innerText(), /Done\. This text looks like a model’s/);
  assert.equal(await page.locator('#reading .sentence.ai2').count() > 2, true);
  const shown = await page.locator('.prose').innerText();
  assert.equal(shown, `${words('likely_ai')} A key 🔑 turns.`);

  assert.equal(await page.locator('.word').count(), 0, 'words are made when somebody looks');
  await page.locator('#reading .sentence').nth(2).hover();
  await page.locator('#reading .sentence').nth(2).locator('.word').nth(1).hover();
  const tip = await page.locator('#tip').innerText();
  assert.match(tip, /build\s+Rank\s+guess no\. [\d,]+\s+Probability\s+(\d|1 in)/);
  assert.match(tip, /Sentence\s+(very much|rather) like a model’s \(\d+%\)/);
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#tip').isVisible(), false);
  await page.locator('#reading .sentence').last().click();
  const key = page.locator('.word', { hasText: '🔑' });
  assert.equal(await key.count(), 1, 'tokens that share a character are one word');

  assert.equal(await page.getByRole('meter').getAttribute('aria-valuetext'), '93%');
  assert.match(await page.locator('.reasons li').first().innerText(), /at most 4 in 1000[^]*towards a model · weight 93%/);
  await page.getByRole('button', { name: 'Show in the text' }).click();
  assert.match(await page.evaluate(() => document.activeElement?.textContent ?? ''), /turns\./);
  const numbers = await page.locator('.numbers').first().innerText();
  for (const wanted of [/p-value[^]*0\.004/, /smollm2-135m \(llama, cpu-f32\)/, /measured\s+0\.93%/, /aimed at\s+1%/, /bonafide 0\.1\.0/]) {
    assert.match(numbers, wanted);
  }
  assert.equal(await page.locator('.limits a').getAttribute('href'), '/docs');
});

test('several passages are counted, and each has its own report', async () => {
  const page = await visit();
  await judge(page, ['likely_ai', 'likely_human', 'mixed', 'unclear'].map(long).join('\n\n'));
  assert.equal(await page.locator('#verdict').innerText(),
    'Of 4 passages, 1 looks like a model’s, 1 is mixed, 1 looks like a human’s, and 1 is unclear.');
  assert.equal(await page.locator('.passage').count(), 4);
  await page.getByRole('button', { name: 'Next passage' }).click();
  await page.getByRole('button', { name: 'Next passage' }).click();
  assert.match(await page.locator('nav.passages').innerText(), /Passage 3 of 4: mixed/);
  assert.equal(await page.locator('.passage[aria-current] h3').innerText(), 'mixed\n50%');
  assert.equal(await page.locator('.passage[aria-current] .human2').count() > 0, true);
  assert.equal(await page.locator('.passage[aria-current] .ai2').count() > 0, true);
  await page.locator('.passage').nth(1).click();
  assert.match(await page.locator('nav.passages').innerText(), /Passage 2 of 4: looks like a human’s/);
});

test('unclear is calm', async () => {
  const page = await visit();
  await judge(page, 'Only a few words.');
  assert.match(await page.locator('.verdict').innerText(), /don’t settle who wrote this[^]*normal answer/);
  assert.equal(await page.locator('[role="alert"]:visible').count(), 0);
  assert.match(await page.locator('.reasons li').first().innerText(), /counts 4 words/);
  assert.match(await page.locator('#results').innerText(), /No probability is given/);
});

test('everything can be done with the keyboard', async () => {
  const page = await visit();
  const focused = () => page.evaluate(() => {
    const at = document.activeElement;
    return { id: at?.id ?? '', class: at?.className ?? '', text: at?.textContent ?? '', outlined: at ? getComputedStyle(at).outlineStyle : '' };
  });
  assert.equal((await focused()).id, 'input');
  await page.keyboard.insertText([words('likely_human'), long('likely_ai')].join('\n\n'));
  await page.keyboard.press('Control+Enter');
  await page.waitForFunction(() => document.activeElement?.id === 'verdict');
  await page.keyboard.press('Shift+Tab');
  assert.match((await focused()).class, /sentence/, 'one Tab stop leads into the text');
  const first = await focused();
  await page.keyboard.press('ArrowRight');
  const second = await focused();
  assert.notEqual(second.text, first.text);
  assert.equal(second.outlined, 'solid');
  await page.keyboard.press('Enter');
  assert.match((await focused()).class, /word/);
  assert.equal((await focused()).text, 'Clear');
  await page.keyboard.press('ArrowRight');
  assert.equal((await focused()).text, 'words');
  assert.match(await page.locator('#tip').innerText(), /words\s+Rank/);
  assert.equal(await page.locator('.word:focus').getAttribute('aria-describedby'), 'tip');
  await page.keyboard.press('Escape');
  assert.equal((await focused()).text, second.text, 'back out to the sentence');
  await page.keyboard.press('End');
  assert.match(await page.locator('nav.passages').innerText(), /Passage 2 of 2/, 'the report follows the focus');
  assert.equal(await page.locator('#reading [tabindex="0"]').count(), 1);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.querySelector('#report')?.contains(document.activeElement)), true);
});

test('the whole interface speaks Chinese, and findings without a translation stay English', async () => {
  const page = await visit();
  const before = await page.locator('[data-i18n]').allTextContents();
  await judge(page, words('likely_ai'));
  await page.selectOption('#language', 'zh');
  assert.equal(await page.getAttribute('html', 'lang'), 'zh-Hans');
  assert.equal(await page.locator('#verdict').innerText(), '这段文本像模型写的。');
  const after = await page.locator('[data-i18n]').allTextContents();
  assert.deepEqual(after.filter((text, index) => text === before[index]), []);
  const findings = page.locator('.reasons li');
  assert.match(await findings.first().innerText(), /每 1000 篇同类人类文本中，最多只有 4 篇/);
  const tomorrow = page.locator('[data-code="of_tomorrow"] p').first();
  assert.equal(await tomorrow.innerText(), 'A finding that has no translation yet.');
  assert.equal(await tomorrow.getAttribute('lang'), 'en');
  const latin = (await page.locator('#report').innerText()).match(/[A-Za-z]{3,}/g) ?? [];
  const names = new Set(['JSON', 'DetectGPT', 'Fast', 'LRR', 'Lastde', 'bonafide', 'smollm', 'llama', 'cpu', 'finding', 'that', 'has', 'translation', 'yet']);
  assert.deepEqual(latin.filter((word) => !names.has(word)), []);
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  assert.equal(await page.locator('#score span').innerText(), '分析文本', 'the choice is kept');
  const chinese = await visit({ locale: 'zh-CN' });
  assert.equal(await chinese.getAttribute('html', 'lang'), 'zh-Hans', 'the browser’s language is the default');
});

test('dark follows the system and can be chosen', async () => {
  const page = await visit({ colorScheme: 'dark' });
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await paper();
  await page.selectOption('#theme', 'light');
  const light = await paper();
  assert.notEqual(dark, light);
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  assert.equal(await paper(), light, 'the choice is kept');
  await page.selectOption('#theme', 'auto');
  assert.equal(await paper(), dark);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.selectOption('#theme', 'dark');
  assert.equal(await paper(), dark);
});

test('nothing that was pasted or said becomes markup', async () => {
  const page = await visit();
  await judge(page, `${words('likely_ai')} ${HOSTILE}`);
  await page.locator('#reading .sentence').last().hover();
  await page.locator('.word').last().hover();
  await page.locator('summary').click();
  assert.equal((await page.locator('#reading').innerText()).includes(HOSTILE), true);
  assert.equal((await page.locator('.reasons').innerText()).includes(HOSTILE), true);
  assert.equal(await page.locator('img').count(), 0);
  assert.equal(await page.evaluate(() => 'hacked' in globalThis), false);
});

test('errors are said in words with what to do, and the text stays', async () => {
  const page = await visit();
  await page.click('#score');
  assert.match(await page.locator('#error').innerText(), /There is no text yet\.[^]*Paste one/);
  daemon.answers.push((path, response) => {
    if (path !== '/v1/score') return false;
    json(response, 413, fail('too_many_tokens', 'the text takes 20000 tokens', 'send it in several requests'));
    return true;
  });
  await page.fill('#input', words('likely_ai'));
  await page.click('#score');
  await page.waitForFunction(() => document.querySelector('#error-message')?.textContent?.includes('20000'));
  assert.match(await page.locator('#error').innerText(), /The text takes 20000 tokens\.[^]*Send it in several requests\./);
  assert.equal(await page.inputValue('#input'), words('likely_ai'));
  await page.selectOption('#language', 'zh');
  assert.match(await page.locator('#error').innerText(), /文本太长/);
  await page.selectOption('#language', 'en');
  // Browsers send again what failed on a connection that was open already, and there are six at most.
  for (let times = 0; times < 7; times += 1) {
    daemon.answers.push((path, response) => {
      if (path !== '/v1/score') return false;
      response.destroy();
      return true;
    });
  }
  await page.click('#score');
  await page.waitForFunction(() => document.querySelector('#error-message')?.textContent?.includes('does not answer'));
});

test('a busy or loading daemon is waited for', async () => {
  const page = await visit();
  for (const [status, code] of /** @type {const} */ ([[503, 'loading'], [429, 'overloaded'], [503, 'loading']])) {
    daemon.answers.push((path, response) => {
      if (path !== '/v1/score') return false;
      json(response, status, fail(code, 'come again'), { 'retry-after': '0' });
      return true;
    });
  }
  await judge(page, words('likely_human'));
  assert.equal(await page.locator('#verdict').innerText(), 'This text looks like a human’s.');
});

test('what was scored before a failure is kept, and the rest can be tried again', async () => {
  const page = await visit();
  daemon.answers.push((path, response) => {
    // The first batch passes.
    if (path !== '/v1/score' || daemon.requests.filter((one) => one.path === path).length < 2) return false;
    json(response, 500, fail('scoring_failed', 'the model failed on this text'));
    return true;
  });
  await page.fill('#input', Array.from({ length: 4 }, () => long('likely_ai')).join('\n\n'));
  await page.click('#score');
  await page.waitForSelector('#error:not([hidden])');
  assert.match(await page.locator('#error').innerText(), /The model failed on this text\./);
  assert.equal(await page.locator('.passage[data-verdict="pending"]').count(), 3);
  assert.equal(await page.locator('#verdict').innerText(), 'Read so far, 1 of 4: 1 looks like a model’s.');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.waitForFunction(() => document.querySelector('#verdict')?.textContent?.startsWith('All 4 passages'));
  assert.equal(await page.locator('#error').isVisible(), false);
});

test('scoring can be cancelled', async () => {
  const page = await visit();
  /** @type {import('node:http').ServerResponse[]} */
  const held = [];
  daemon.answers.push((path, response) => path === '/v1/score' && held.push(response) > 0);
  await page.fill('#input', words('likely_ai'));
  await page.click('#score');
  await page.waitForSelector('#progress:not([hidden])');
  assert.match(await page.locator('#progress').innerText(), /Reading: 0 of \d+ words/);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.waitForSelector('#writing:not([hidden])');
  assert.equal(await page.inputValue('#input'), words('likely_ai'));
  assert.equal(await page.locator('#status').innerText(), 'Cancelled.');
  await judge(page, words('likely_ai'));
  assert.equal(await page.locator('#reading .sentence.ai2').count() > 0, true);
  await page.getByRole('button', { name: 'Edit' }).click();
  assert.equal(await page.inputValue('#input'), words('likely_ai'));
  held.forEach((response) => response.destroy());
});

test('a long text is sent in parts and stays light', async () => {
  const page = await visit();
  const text = Array.from({ length: 40 }, () => long('likely_ai')).join('\n\n');
  await judge(page, text);
  const sent = daemon.requests.filter(({ path }) => path === '/v1/score');
  assert.equal(sent.length > 4, true);
  assert.equal(sent.flatMap(({ body }) => body.blocks.map((/** @type {any} */ block) => block.text)).join('\n\n'), text);
  const tokens = await page.evaluate(() => document.querySelector('.numbers')?.textContent ?? '');
  assert.match(tokens, /Tokens/);
  assert.equal(await page.locator('.word').count(), 0);
  await page.locator('.segments label').nth(1).click();
  await page.waitForFunction(() => document.querySelectorAll('.word').length > 20);
  const made = await page.locator('.word').count();
  assert.equal(made < 2500, true, `${made} words near the window, of ten thousand`);
});

test('files: text, Markdown, HTML, and what is none of them', async () => {
  const page = await visit();
  const give = (/** @type {string} */ name, /** @type {string|Buffer} */ content) =>
    page.setInputFiles('#file', { name, mimeType: 'application/octet-stream', buffer: Buffer.from(content) });
  await give('a.txt', EASY);
  await page.waitForFunction(() => /** @type {HTMLTextAreaElement} */ (document.querySelector('#input')).value !== '');
  assert.equal(await page.inputValue('#input'), EASY);
  await give('b.md', '# Title\n\nSome **bold** words and a [link](http://x).\n\n```\ncode\n```\n');
  await page.waitForFunction(() => /** @type {HTMLTextAreaElement} */ (document.querySelector('#input')).value.startsWith('Title'));
  assert.equal(await page.inputValue('#input'), 'Title\n\nSome bold words and a link.');
  await give('c.pdf', Buffer.from([0x25, 0x50, 0x44, 0x46, 0x2d, 0x31, 0xff, 0xfe, 0]));
  await page.waitForSelector('#error:not([hidden])');
  assert.match(await page.locator('#error').innerText(), /does not look like text/);
  const html = `<!doctype html><p>${words('likely_human')}</p>\n\n<p>${words('likely_ai')}</p>`;
  await page.evaluate((html) => {
    const data = new DataTransfer();
    data.items.add(new File([html], 'page.html', { type: 'text/html' }));
    dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  }, html);
  await page.waitForSelector('#file-card:not([hidden])');
  assert.equal(await page.locator('#error').isVisible(), false);
  await page.click('#score');
  await page.waitForSelector('#verdict');
  assert.deepEqual(daemon.requests.findLast(({ path }) => path === '/v1/score')?.body, { html, tokens: true });
  assert.equal(await page.locator('#verdict').innerText(), 'Of 2 passages, 1 looks like a model’s and 1 looks like a human’s.');
  assert.equal(await page.locator('.prose').first().innerText(), words('likely_human'));
});

test('the report can be copied as JSON', async () => {
  const page = await visit({ permissions: ['clipboard-read', 'clipboard-write'] });
  await judge(page, words('mixed'));
  await page.getByRole('button', { name: 'Copy JSON' }).click();
  await page.waitForFunction(() => document.querySelector('#status')?.textContent?.includes('copied'));
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  assert.deepEqual(Object.keys(copied), ['blocks', 'model', 'calibration', 'version']);
  assert.equal(copied.blocks[0].verdict, 'mixed');
  assert.equal('tokens' in copied.blocks[0], false);
});

for (const [name, options] of /** @type {const} */ ([
  ['light', { colorScheme: 'light' }], ['dark', { colorScheme: 'dark' }], ['Chinese', { locale: 'zh-CN' }],
  ['narrow', { viewport: { width: 360, height: 740 } }],
])) {
  test(`nothing stands in the way of assistive technology: ${name}`, async () => {
    const locked = await visit(options, daemon.url);
    await accessible(locked);
    const page = await visit(options);
    await accessible(page);
    await judge(page, ['likely_ai', 'likely_human', 'mixed', 'unclear'].map(long).join('\n\n'));
    await page.locator('summary').click();
    await page.locator('#reading .sentence').nth(1).click();
    await accessible(page);
    await page.locator('.segments label').nth(1).click();
    await page.waitForSelector('.word');
    await accessible(page);
    const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.equal(Number(wide) <= Number(window), true, 'nothing sticks out sideways');
  });
}
