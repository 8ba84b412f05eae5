// @ts-check
// The warning of a scam as it is drawn: a banner over the conversation, marks beside messages, and a card. What it says is
// made up here; nothing is found by an engine. Pictures go to the folder BONAFIDE_SCREENSHOTS.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { accessible } from './browser.mjs';
import { ask, laboratory, settled, show } from './overlaypage.mjs';
import { all, box, click, focus, focused, none, one, tree, until } from './tree.mjs';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('../../extension/src/protocol.js').ScamReport} ScamReport */

const ADVICE = 'Do not send money, and talk to somebody you trust first.';
/** @type {ScamReport} */
const DANGER = {
  risk: 'danger', probability: 0.97, stage: 'drain', pattern: 'investment', turns: 4, model: 'made up',
  advice: { message: ADVICE, hotline: { region: 'US', number: '1-877-382-4357', name: 'FTC' } },
  evidence: [
    { code: 'withdrawal_fee', stage: 'drain', strength: 0.9, places: [{ turn: 0 }, { turn: 3 }], message: 'Asks for a fee before a withdrawal.' },
    { code: 'guaranteed_returns', stage: 'hook', strength: 0.6, places: [{ turn: 2, span: { start: 0, end: 3 } }], message: 'Promises profit without risk.' },
  ],
};
/** @type {ScamReport} */
const CAUTION = { ...DANGER, risk: 'caution', stage: 'trust', pattern: 'a_new_one', advice: { message: ADVICE } };
const MARK = 'This message is a reason for the scam warning. Show why';
/** In the page of these tests: two bubbles, a paragraph in a box, and one that is not there. */
const MESSAGES = ['#m0', '#m1', '#in1', '#gone'];

const visited = laboratory();

/** @param {Page} page @param {ScamReport | null} report @param {string[]} [messages] @param {string} [key] */
async function warn(page, report, messages = MESSAGES, key = 'chat') {
  await ask(page, (lab, [what, where, which]) => lab.warn(what, where, which), /** @type {const} */ ([report, messages, key]));
  await settled(page);
}

/** @param {Page} page */
const banner = (page) => ask(page, (lab) => {
  const found = lab.overlay.host.root.querySelector('.banner');
  const box = found?.getBoundingClientRect();
  return found ? { text: found.textContent, risk: found.dataset.risk, role: found.querySelector('p').getAttribute('role'), x: box.x, y: box.y, width: box.width, height: box.height } : null;
});

/** @param {Page} page @param {string} name */
async function picture(page, name) {
  const folder = process.env['BONAFIDE_SCREENSHOTS'];
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.screenshot({ path: join(folder, `warning-${name}.png`), animations: 'disabled' });
}

test('danger is called out once, with what to do and whom to call', async () => {
  const page = await visited();
  await warn(page, DANGER);
  await one(page, 'alert');
  const said = await banner(page);
  assert.equal(said?.text, `Danger This chat resembles a scam. ${ADVICE} FTC: 1-877-382-4357Why?`);
  // The same again, with a finding more, says nothing anew.
  const node = await one(page, 'alert');
  await warn(page, { ...DANGER, turns: 5 });
  assert.equal((await one(page, 'alert')).id, node.id);
  await warn(page, null);
  await none(page, 'alert');
  assert.equal(await banner(page), null);
  await warn(page, DANGER);
  await none(page, 'alert');
  assert.equal((await banner(page))?.role, 'note');
  await warn(page, DANGER, MESSAGES, 'another');
  await one(page, 'alert');
});

test('caution is said politely, and nothing is said of nothing', async () => {
  const page = await visited();
  await warn(page, null);
  assert.equal(await banner(page), null);
  await warn(page, CAUTION);
  await one(page, 'status');
  await none(page, 'alert');
  assert.equal((await banner(page))?.text, `Caution Some of this chat resembles a scam. ${ADVICE}Why?`);
  await warn(page, DANGER);
  await one(page, 'alert');
  await none(page, 'status');
});

test('the banner stands at the top of the window, or of the box in which the messages scroll', async () => {
  const page = await visited();
  await warn(page, DANGER, ['#m0', '#m1', '#p0', '#gone']);
  const high = await banner(page);
  assert.ok(high && high.y >= 0 && high.y < 24 && high.width <= 620 && high.x > 0, JSON.stringify(high));
  await page.evaluate(() => {
    const box = /** @type {HTMLElement} */ (document.querySelector('.box'));
    box.style.setProperty('height', '300px');
    box.scrollIntoView({ block: 'center' });
  });
  await warn(page, DANGER, ['#in0', '#in1', '#in2'], 'inner');
  const pane = await page.locator('.box').boundingBox();
  const inside = await banner(page);
  assert.ok(pane && inside && inside.y >= pane.y && inside.y < pane.y + 24 && inside.x >= pane.x && inside.x + inside.width <= pane.x + pane.width, JSON.stringify([pane, inside]));
  await page.evaluate(() => window.scrollBy(0, -60));
  await until(() => banner(page), (now) => Math.abs((now?.y ?? 0) - inside.y - 60) < 2, 'the banner at the new place');
});

test('the page is not moved, and learns nothing', async () => {
  const page = await visited({ before: () => {
    Object.assign(globalThis, { shifts: [], seen: [], heard: [] });
    const { shifts, seen, heard } = /** @type {any} */ (globalThis);
    new PerformanceObserver((list) => { shifts.push(...list.getEntries().map((entry) => /** @type {any} */ (entry).value)); }).observe({ type: 'layout-shift', buffered: true });
    new MutationObserver((list) => { for (const change of list) seen.push(change.type, ...[...change.addedNodes].map((node) => node.nodeName)); })
      .observe(document, { childList: true, attributes: true, characterData: true, subtree: true });
    for (const type of ['pointerdown', 'click', 'focusin']) document.addEventListener(type, (event) => heard.push(`${type} ${/** @type {Element} */ (event.target).localName}`), true);
  } });
  const places = () => page.evaluate(() => [...document.querySelectorAll('p, .bubble, .box')].map((element) => element.getBoundingClientRect().y));
  const before = await places();
  await warn(page, DANGER);
  await warn(page, CAUTION, MESSAGES, 'another');
  assert.deepEqual([await places(), await page.evaluate('shifts'), await page.evaluate('seen')], [before, [], ['childList', 'DIV']]);
  const at = /** @type {NonNullable<Awaited<ReturnType<typeof banner>>>} */ (await banner(page));
  const under = () => page.evaluate(({ x, y, width }) => document.elementsFromPoint(x + width / 2, y + 10).map(({ localName }) => localName), at);
  assert.ok(!(await under()).includes('div'), 'a page that asks what lies there finds what was there');
  // A click on it is ours alone.
  await page.mouse.click(at.x + at.width / 2, at.y + 10);
  await one(page, 'dialog');
  assert.deepEqual(await page.evaluate('heard'), []);
});

test('the card says how far it is, what it resembles, and on which messages that rests', async () => {
  const page = await visited();
  await warn(page, DANGER);
  await click(page, await one(page, 'button', 'Why?'));
  await one(page, 'dialog', 'This chat resembles a scam.');
  const text = await ask(page, (lab) => lab.overlay.host.root.querySelector('.card').innerText.replace(/\s+/g, ' '));
  for (const part of [ADVICE, 'FTC: 1-877-382-4357', 'How far it has gone asking for more and more', 'Resembles most an investment scam',
    'Asks for a fee before a withdrawal.', 'Theirs Nobody was there yet', 'Yours message 3 · not in the page now', 'Promises profit without risk.']) {
    assert.ok(text.includes(part) || text.replaceAll('“', '').replaceAll('”', '').replaceAll('"', '').includes(part), `${part}\n${text}`);
  }
  await warn(page, CAUTION);
  assert.match(await ask(page, (lab) => lab.overlay.host.root.querySelector('.card').innerText), /building trust[^]*a new one/);
});

test('a reason’s message is brought into sight and outlined', async () => {
  const page = await visited({ page: { paragraphs: 30 } });
  await page.evaluate(() => window.scrollTo(0, 0));
  await warn(page, DANGER, ['#m0', '#m1', '#p9', '#gone']);
  await click(page, await one(page, 'button', 'Why?'));
  await focus(page, await one(page, 'button', /^Show the message: Nobody was there yet/));
  await page.keyboard.press('Enter');
  const rim = () => ask(page, (lab) => {
    const { x, y, width, height } = lab.overlay.host.root.querySelector('.outline')?.getBoundingClientRect() ?? {};
    return { x, y, width, height };
  });
  const bubble = await until(async () => page.locator('.bubble').first().boundingBox(), (found) => found !== null && found.y > 0 && found.y < 700, 'the message in sight');
  await until(rim, ({ x, y, width }) => Boolean(bubble) && Math.abs(x - (bubble?.x ?? 0) + 3) < 2 && Math.abs(y - (bubble?.y ?? 0) + 3) < 2 && width > (bubble?.width ?? 0), 'its outline');
  await picture(page, 'outline');
  await page.keyboard.press('Escape');
  await until(rim, ({ width }) => width === undefined, 'no outline without a card');
});

test('marks stand beside the messages concerned, beside their badges, and open the card at them', async () => {
  const page = await visited();
  await warn(page, DANGER);
  assert.equal((await all(page, 'button', MARK)).length, 2, 'one of them is not in the page, and one is no reason');
  await page.locator('#m0').scrollIntoViewIfNeeded();
  await settled(page);
  const [inBox, mark] = await all(page, 'button', MARK);
  assert.ok(inBox && mark);
  const bubble = await page.locator('.bubble').first().boundingBox();
  const alone = await box(page, mark);
  assert.ok(bubble && alone.x >= bubble.x + bubble.width && alone.width <= 20, JSON.stringify([bubble, alone]));
  await show(page, { selector: '#m0', kind: 'message', turn: { side: 'them', name: null } });
  await settled(page);
  const badge = await box(page, await one(page, 'button', 'Looks like a model’s text. Show why'));
  await until(async () => box(page, mark), ({ x }) => x >= badge.x + badge.width, 'the mark beside the badge');
  await click(page, mark);
  await one(page, 'dialog', 'This chat resembles a scam.');
  await page.keyboard.press('Escape');
  await none(page, 'dialog');
  // The first reason is the one that rests on the message of the mark. That one is scrolled out of its box, but not for keys.
  await focus(page, inBox);
  await page.keyboard.press('Enter');
  await one(page, 'dialog', 'This chat resembles a scam.');
  assert.equal(await ask(page, (lab) => lab.overlay.host.root.querySelector('.card li[data-code]').dataset.code), 'guaranteed_returns');
  await warn(page, DANGER, ['#gone', '#m1', '#gone', '#gone']);
  await none(page, 'button', MARK);
  await warn(page, DANGER);
  assert.equal((await all(page, 'button', MARK)).length, 2);
  await warn(page, null);
  await none(page, 'button', MARK);
  await one(page, 'button', 'Looks like a model’s text. Show why');
});

test('with keys alone: in, through, out, and the focus is back', async () => {
  const page = await visited();
  await warn(page, DANGER);
  await focus(page, await one(page, 'button', 'Why?'));
  await page.keyboard.press('Enter');
  await until(() => focused(page), (node) => node?.role === 'dialog', 'the focus in the card');
  assert.equal((await one(page, 'button', 'Why?')).properties['expanded'], true);
  await page.keyboard.press('Tab');
  assert.equal((await focused(page))?.name, 'Close');
  await page.keyboard.press('Enter');
  await none(page, 'dialog');
  await until(() => focused(page), (node) => node?.name === 'Why?', 'the focus on the banner');
  await page.keyboard.press('Space');
  await one(page, 'dialog');
  await page.keyboard.press('Escape');
  await none(page, 'dialog');
  await until(() => focused(page), (node) => node?.name === 'Why?', 'the focus on the banner again');
  // A field of the page has it back too.
  await page.evaluate(() => {
    const field = document.createElement('input');
    field.setAttribute('aria-label', 'Answer');
    document.querySelector('main')?.append(field);
    field.focus();
  });
  // The page was scrolled to the field; the banner follows with the next picture.
  await settled(page);
  const at = await banner(page);
  await page.mouse.click((at?.x ?? 0) + 60, (at?.y ?? 0) + 12);
  await one(page, 'dialog');
  await page.keyboard.press('Escape');
  await until(() => focused(page), (node) => node?.name === 'Answer', 'the focus in the field');
});

test('no scam: it is hidden for this chat', async () => {
  const page = await visited();
  await warn(page, CAUTION);
  await click(page, await one(page, 'button', 'Why?'));
  await click(page, await one(page, 'button', 'Not a scam: hide for this chat'));
  await none(page, 'dialog');
  assert.equal(await banner(page), null);
  assert.deepEqual(await ask(page, (lab) => lab.hushed), ['chat']);
});

test('a card of a text and the card of a warning are not open together', async () => {
  const page = await visited();
  await show(page, { selector: '#p0', report: {} });
  await warn(page, CAUTION);
  await click(page, await one(page, 'button', 'Why?'));
  await one(page, 'dialog', 'Some of this chat resembles a scam.');
  await ask(page, (lab) => lab.overlay.open(lab.get('#p0')));
  await one(page, 'dialog', 'This text looks like a model’s.');
  await click(page, await one(page, 'button', 'Why?'));
  await one(page, 'dialog', 'Some of this chat resembles a scam.');
  await warn(page, null);
  await none(page, 'dialog');
});

test('nothing that a message or a report says becomes markup, and nothing unseen hides in it', async () => {
  const page = await visited();
  await page.evaluate(() => { /** @type {Element} */ (document.querySelector('#m0')).textContent = '<b id="evil">x</b>\u202e'; });
  await warn(page, { ...DANGER, pattern: '<i>x</i>', advice: { message: '<b>pay</b>\u202e', hotline: { region: 'US', number: '<u>1</u>', name: 'x' } } });
  await click(page, await one(page, 'button', 'Why?'));
  const found = await ask(page, (lab) => [...lab.overlay.host.root.querySelectorAll('b, i, u, #evil')].length);
  assert.equal(found, 0);
  assert.ok((await tree(page)).some(({ name }) => name.includes('<b>pay</b>U+202E')));
});

test('removal leaves nothing', async () => {
  const page = await visited();
  const markup = await page.evaluate(() => document.body.outerHTML);
  await warn(page, DANGER);
  await ask(page, (lab) => lab.overlay.remove());
  assert.equal(await page.evaluate(() => document.body.outerHTML), markup);
  assert.equal(await page.evaluate(() => document.documentElement.lastElementChild?.localName), 'body');
});

for (const [name, options] of /** @type {const} */ ([
  ['light', {}],
  ['dark', { context: { colorScheme: 'dark' }, page: { dark: true } }],
  ['chinese', { begin: { language: 'zh_CN' } }],
  ['narrow', { context: { viewport: { width: 320, height: 640 } } }],
  ['right to left', { page: { dir: 'rtl', lang: 'he' } }],
  ['high contrast', { context: { forcedColors: 'active' } }],
])) {
  test(`a warning that everybody can read: ${name}`, async () => {
    const page = await visited({ ...options, begin: { ...('begin' in options ? options.begin : {}), mode: 'open' } });
    for (const report of [CAUTION, DANGER]) {
      await warn(page, report);
      await page.emulateMedia({ reducedMotion: 'reduce' });
      await accessible(page);
      await picture(page, `${report.risk}-${name.replaceAll(' ', '-')}`);
      const view = page.viewportSize();
      const at = await banner(page);
      assert.ok(view && at && at.x >= 0 && at.x + at.width <= view.width, JSON.stringify(at));
    }
    await click(page, await one(page, 'button', name === 'chinese' ? '为什么？' : 'Why?'));
    const card = await one(page, 'dialog', name === 'chinese' ? '这段聊天像诈骗。' : 'This chat resembles a scam.');
    await settled(page);
    const place = await box(page, card);
    const view = page.viewportSize();
    assert.ok(view && place.x >= 0 && place.y >= 0 && place.x + place.width <= view.width && place.y + place.height <= view.height, JSON.stringify(place));
    assert.equal(await ask(page, (lab) => {
      const made = lab.overlay.host.root.querySelector('.card');
      return made.scrollWidth <= made.clientWidth;
    }), true, 'nothing sticks out of it');
    await picture(page, `card-${name.replaceAll(' ', '-')}`);
    await accessible(page);
  });
}
