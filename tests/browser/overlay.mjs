// @ts-check
// What the extension draws in a page, as a person sees it and as the page sees it.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { accessible } from './browser.mjs';
import { PARAGRAPH, ask, laboratory, settled, show } from './overlaypage.mjs';
import { all, box, click, focus, focused, middle, none, one, tree, until } from './tree.mjs';

const BADGE = 'Looks like a model’s text. Show why';
const WORDS = 'took out the letter and read it once more';

const visited = laboratory();

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('./overlayentry.js').Wish} Wish */

/** @param {string} text */
function sentences(text) {
  let at = 0;
  return (text.match(/[^.。]+[.。]\s*/g) ?? []).map((part, place) => {
    const span = { start: at, end: at + part.trimEnd().length };
    at += part.length;
    return { span, tokens: 20, mean_logprob: -2, probability: [0.95, 0.7, 0.5, 0.1][place] ?? null };
  });
}

/** @type {import('../../server/src/http/web/api.js').Evidence[]} */
const EVIDENCE = [
  { kind: 'statistics', code: 'predictability_ai', strength: 0.5, points_to: 'ai', values: { perplexity: '8.2', percent: '3' },
    message: 'The choice of words is easy for the model to predict (perplexity 8.2); at most 3 % of human texts go this far.' },
  { kind: 'leftover', code: 'leftover_phrase', strength: 0.9, points_to: 'ai', values: { example: 'took out the letter' },
    message: 'The text contains what chatbots say of themselves: “took out the letter”.',
    span: { start: PARAGRAPH.indexOf(WORDS), end: PARAGRAPH.indexOf(WORDS) + WORDS.length } },
  { kind: 'statistics', code: 'caveat', strength: 0, points_to: 'neither', values: { per_thousand: '9' },
    message: 'This compares statistics and proves nothing: in tests, at most 9 in 1000 human texts were mistaken for a model’s.' },
];
const FULL = { evidence: EVIDENCE, sentences: sentences(PARAGRAPH) };

/** @param {import('../../extension/src/protocol.js').Outcome} result */
const signed = (result) => ({
  whole: true,
  statement: {
    result, message: 'Line 2 is no base64.', carrier: 'html', quotes: 0, spans: [], contact: 'Ada', revoked: { at: '2026-10-01T10:00:00Z', reason: '' },
    key: { fingerprint: 'SHA256:uJ0k3vQm5y8Zr1aXwL2', public_key: 'ssh-ed25519 AAAA', touched: true },
    ...(result === 'malformed' ? {} : { statement: {
      type: 'x', canonicalization: 'x', text: { length: 9, sha256: '0', words: 68, paragraphs: [] }, language: 'en',
      author: { name: 'Ada Byron\u202e', identity: 'https://ada.example' }, date: '2026-11-01T08:30:00Z', assistance: 'spelling',
    } }),
    paragraphs: { found: [1], total: 3 },
  },
});

/** @param {Page} page @param {Partial<Wish>} [more] */
const first = (page, more = {}) => show(page, { selector: '#p0', report: FULL, ...more });

const KINDS = /** @type {const} */ (['human_signed', 'likely_human', 'mixed', 'likely_ai', 'declared_ai']);

/** Boxes that are drawn over the text. @param {Page} page @param {string} [look] */
const drawn = (page, look = '') => ask(page, (lab, wanted) => [...lab.overlay.host.root.querySelectorAll(`[aria-hidden] > .mark${wanted}`)].map((/** @type {Element} */ mark) => {
  const { x, y, width, height } = mark.getBoundingClientRect();
  return { x, y, width, height };
}), look);

/** @param {Page} page @param {string} name */
async function picture(page, name) {
  const folder = process.env['BONAFIDE_SCREENSHOTS'];
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  // Playwright ends no animation in a closed root.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.screenshot({ path: join(folder, `overlay-${name}.png`), animations: 'disabled' });
}

test('a badge says in words what it shows, in the order of the page', async () => {
  const page = await visited();
  for (const [place, verdict] of [...KINDS.entries()].reverse()) await show(page, { selector: `#p${place}`, report: { verdict } });
  await show(page, { selector: '#p5', report: { verdict: 'unclear' } });
  assert.deepEqual((await all(page, 'button')).map(({ name }) => name), ['Signed by a human being. Show why', 'Looks like a human’s text. Show why',
    'Looks partly like a model’s text. Show why', BADGE, 'Declared as a model’s text. Show why']);
  await ask(page, (lab) => lab.refresh({ showUnclear: true }));
  await one(page, 'button', 'Unclear who wrote this. Show why');
  await picture(page, 'badges');
  await ask(page, (lab) => lab.overlay.drop(lab.get('#p3')));
  await none(page, 'button', BADGE);
});

test('nothing is shown of a text before anything is known of it, and a weak verdict is none', async () => {
  const page = await visited({ begin: { settings: { strictness: 0.9 } } });
  await show(page, { selector: '#p0', state: 'waiting', report: null });
  await show(page, { selector: '#p1', report: { probability: 0.85 } });
  assert.deepEqual(await all(page, 'button'), []);
  await show(page, { selector: '#p1', report: { probability: 0.95 } });
  await one(page, 'button', BADGE);
});

test('a badge stands in the margin, and in the corner where there is none', async () => {
  const wide = await visited();
  await first(wide);
  const text = await wide.locator('#p0').boundingBox();
  const badge = await box(wide, await one(wide, 'button', BADGE));
  assert.ok(text && badge.x >= text.x + text.width && badge.y >= text.y && badge.y + badge.height <= text.y + 28, JSON.stringify([text, badge]));
  assert.ok(badge.width <= 20 && badge.height <= 20);

  const narrow = await visited({ context: { viewport: { width: 320, height: 600 } } });
  await first(narrow);
  const tight = await box(narrow, await one(narrow, 'button', BADGE));
  assert.ok(tight.x + tight.width <= 320, 'it is in the window');
  assert.deepEqual(await narrow.evaluate(() => [document.documentElement.scrollWidth, innerWidth]), [320, 320], 'nothing sticks out sideways');

  const mirrored = await visited({ page: { dir: 'rtl', lang: 'he' } });
  await first(mirrored);
  const left = await box(mirrored, await one(mirrored, 'button', BADGE));
  const right = await mirrored.locator('#p0').boundingBox();
  assert.ok(right && left.x + left.width <= right.x, 'right-to-left text ends on the left');
  await picture(mirrored, 'rtl');
});

test('messages have it beside their bubbles', async () => {
  const page = await visited();
  for (const [id, side] of [['#m0', 'them'], ['#m1', 'me']]) await show(page, { selector: String(id), kind: 'message', turn: { side: /** @type {'me'|'them'} */ (side), name: null } });
  await page.locator('#m1').scrollIntoViewIfNeeded();
  await settled(page);
  const [theirs, mine] = await Promise.all((await all(page, 'button', BADGE)).map((badge) => box(page, badge)));
  const bubbles = await page.locator('.bubble').evaluateAll((list) => list.map((bubble) => bubble.getBoundingClientRect().toJSON()));
  assert.ok(theirs && mine && theirs.x >= bubbles[0].right && mine.x + mine.width <= bubbles[1].left, JSON.stringify([theirs, mine, bubbles]));
  await picture(page, 'messages');
});

test('a badge goes with its text: in scrollers, under bars, after shifts', async () => {
  const page = await visited();
  await show(page, { selector: '#in1' });
  await first(page);
  const beside = async (/** @type {string} */ selector, /** @type {number} */ place) => {
    const text = await page.evaluate((one) => document.querySelector(one)?.getBoundingClientRect().y ?? 0, selector);
    return ask(page, (lab, [index, y]) => Math.abs([...lab.overlay.host.root.querySelectorAll('.badge')][index].getBoundingClientRect().y - y), /** @type {[number, number]} */ ([place, text]));
  };
  await page.evaluate(() => { document.querySelector('.box')?.scrollIntoView(); });
  const state = () => ask(page, (lab) => [...lab.overlay.host.root.querySelectorAll('.badge')].map((/** @type {Element} */ one) => one.classList.contains('out')));
  await until(state, ([, inner]) => inner === true, 'the badge of a text that is scrolled out of its box');
  await page.evaluate(() => { document.querySelector('#in1')?.scrollIntoView(); });
  await page.evaluate(() => window.scrollBy(0, -100));
  await until(state, ([, inner]) => inner === false, 'the badge in the box');
  await until(() => beside('#in1', 1), (distance) => distance < 12, 'the badge beside its text');

  await page.evaluate(() => window.scrollTo(0, 130));
  await until(state, ([outer]) => outer === true, 'the badge under the bar');
  await page.evaluate(() => window.scrollTo(0, 0));
  await until(state, ([outer]) => outer === false, 'the badge out from under it');

  // The page puts something above, without telling anybody.
  await page.evaluate(() => { document.querySelector('h1')?.append(document.createElement('br'), 'more'); });
  await until(() => beside('#p0', 0), (distance) => distance < 12, 'the badge at the new place');
});

test('no layout shifts, however many badges come and go', async () => {
  const page = await visited({ page: { paragraphs: 30 }, before: () => {
    Object.assign(globalThis, { shifts: [] });
    new PerformanceObserver((list) => { /** @type {any} */ (globalThis).shifts.push(...list.getEntries().map((entry) => /** @type {any} */ (entry).value)); }).observe({ type: 'layout-shift', buffered: true });
  } });
  await ask(page, (lab) => { for (let place = 0; place < 30; place += 1) lab.show({ selector: `#p${place}`, report: { verdict: place % 2 ? 'likely_human' : 'likely_ai' } }); });
  await settled(page);
  await page.mouse.wheel(0, 900);
  await settled(page);
  await ask(page, (lab) => { for (let place = 0; place < 30; place += 1) lab.show({ selector: `#p${place}`, report: { verdict: 'unclear' } }); });
  await settled(page);
  await ask(page, (lab) => lab.refresh({ showUnclear: true }));
  await settled(page);
  await page.mouse.move(500, 300);
  await settled(page);
  assert.equal((await all(page, 'button')).length, 30);
  // In a scroller a badge is moved after its text, which the browser would count if it were moved by layout.
  await page.evaluate(() => document.querySelector('.box')?.scrollIntoView({ block: 'center' }));
  const scroll = (/** @type {number} */ top) => page.evaluate((y) => { /** @type {Element} */ (document.querySelector('.box')).scrollTop = y; }, top);
  await scroll(90);
  await show(page, { selector: '#in1' });
  const place = () => ask(page, (lab) => [...lab.overlay.host.root.querySelectorAll('.badge')].at(-1).getBoundingClientRect().y);
  const before = await place();
  await scroll(102);
  await until(place, (y) => Math.abs(y - before + 12) < 1, 'the badge twelve pixels higher');
  await settled(page);
  assert.deepEqual(await page.evaluate('shifts'), []);
});

test('a page learns nothing of results', async () => {
  const page = await visited({ clock: true, before: () => {
    Object.assign(globalThis, { seen: [], heard: [] });
    new MutationObserver((list) => { for (const one of list) /** @type {any} */ (globalThis).seen.push(one.type, ...[...one.addedNodes].map((node) => node.nodeName)); })
      .observe(document, { childList: true, attributes: true, characterData: true, subtree: true });
    const { heard } = /** @type {any} */ (globalThis);
    for (const type of ['keydown', 'input', 'focusin', 'pointerdown', 'click']) document.addEventListener(type, (event) => heard.push(`${type} ${/** @type {Element} */ (event.target).localName}`), true);
  } });
  const markup = await page.evaluate(() => document.documentElement.outerHTML);
  for (const [place, verdict] of KINDS.entries()) await show(page, { selector: `#p${place}`, report: { verdict, ...FULL } });
  assert.deepEqual(await page.evaluate('seen'), ['childList', 'DIV'], 'one element, whatever is found');
  assert.equal(await page.evaluate(() => document.documentElement.outerHTML), markup, 'nothing of it changes');
  const badge = await one(page, 'button', BADGE);
  const at = await middle(page, badge);
  const found = () => page.evaluate(({ x, y }) => {
    const host = document.documentElement.lastElementChild;
    return { there: document.elementsFromPoint(x, y).includes(/** @type {Element} */ (host)), root: host?.shadowRoot ?? null, attributes: host?.attributes.length,
      sheets: document.adoptedStyleSheets.length, highlights: CSS.highlights.size, box: host?.getBoundingClientRect().toJSON() };
  }, at);
  const quiet = { there: false, root: null, attributes: 0, sheets: 0, highlights: 0, box: { x: 0, y: 0, width: 0, height: 0, top: 0, right: 0, bottom: 0, left: 0 } };
  assert.deepEqual(await found(), quiet);

  // Scripts feel for badges with made-up events, and find none.
  await page.evaluate(({ x, y }) => {
    for (const type of ['pointermove', 'pointerdown', 'click']) {
      for (const target of [document.body, document.documentElement.lastElementChild]) target?.dispatchEvent(new PointerEvent(type, { clientX: x, clientY: y, bubbles: true, composed: true, detail: 1 }));
    }
  }, at);
  await settled(page);
  await page.clock.runFor(2000);
  assert.deepEqual(await all(page, 'dialog'), []);

  // A person opens a card, looks at a reason and writes: the page hears of none of it.
  await page.evaluate('heard.length = 0');
  await page.mouse.click(at.x, at.y);
  await one(page, 'dialog', 'This text looks like a model’s.');
  await click(page, await one(page, 'button', 'Show in the text'));
  await settled(page);
  assert.ok((await drawn(page)).length > 0);
  assert.deepEqual({ ...(await found()), there: false }, quiet, 'marks are no highlights of the page');
  assert.equal(await page.evaluate(() => /** @type {any} */ (window).find('looks like a model’s')), false, 'nor does its search find the card');
  await click(page, await one(page, 'button', 'Wrong?'));
  await focus(page, await one(page, 'textbox'));
  await page.keyboard.type('secret');
  assert.deepEqual(await page.evaluate('heard'), []);
  assert.equal(await page.evaluate(() => document.documentElement.outerHTML), markup);
});

test('the element comes back when the page takes it away, but does not fight', async () => {
  const page = await visited();
  await first(page);
  const there = () => page.evaluate(() => document.documentElement.lastElementChild?.localName);
  for (let time = 0; time < 3; time += 1) {
    await page.evaluate(() => document.documentElement.lastElementChild?.remove());
    assert.equal(await there(), 'div');
  }
  await one(page, 'button', BADGE);
  await page.evaluate(() => document.documentElement.lastElementChild?.remove());
  await settled(page);
  assert.equal(await there(), 'body');
});

test('a card opens under a pointer that stays, and closes when it leaves', async () => {
  const page = await visited({ clock: true });
  await first(page);
  const badge = await one(page, 'button', BADGE);
  assert.equal(badge.properties['hasPopup'], 'dialog');
  const at = await middle(page, badge);
  await page.mouse.move(at.x, at.y);
  const card = await one(page, 'dialog', 'This text looks like a model’s.');
  assert.equal((await one(page, 'button', BADGE)).properties['expanded'], true);
  const place = await box(page, card);
  await page.mouse.move(place.x + 20, place.y + 20, { steps: 4 });
  await settled(page);
  await page.clock.runFor(2000);
  await one(page, 'dialog');
  await page.mouse.move(30, 400, { steps: 3 });
  await none(page, 'dialog');
});

test('a click opens it for good, reaches nothing beneath, and Escape closes it', async () => {
  const page = await visited({ clock: true });
  await page.evaluate(() => {
    Object.assign(globalThis, { clicks: 0 });
    document.addEventListener('click', () => { /** @type {any} */ (globalThis).clicks += 1; });
  });
  await first(page);
  const at = await middle(page, await one(page, 'button', BADGE));
  await page.mouse.click(at.x + 11, at.y);
  await one(page, 'dialog');
  await page.mouse.move(20, 500);
  await settled(page);
  await page.clock.runFor(2000);
  await one(page, 'dialog');
  await page.keyboard.press('Escape');
  await none(page, 'dialog');
  assert.equal(await page.evaluate('clicks'), 0);
  await page.mouse.click(at.x, at.y);
  await one(page, 'dialog');
  await page.mouse.click(30, 500);
  await none(page, 'dialog');
  assert.equal(await page.evaluate('clicks'), 1, 'a click elsewhere is the page’s');
});

test('by keys alone', async () => {
  const page = await visited();
  await first(page);
  await show(page, { selector: '#p5', report: { ...FULL, verdict: 'mixed' } });
  for (let tabs = 0; tabs < 9 && (await focused(page))?.name !== BADGE; tabs += 1) await page.keyboard.press('Tab');
  assert.equal((await focused(page))?.name, BADGE);
  await page.keyboard.press('Enter');
  await one(page, 'dialog', 'This text looks like a model’s.');
  await until(() => focused(page), (node) => node?.role === 'dialog', 'the focus in the card');
  await page.keyboard.press('Tab');
  assert.equal((await focused(page))?.name, 'Close');
  await page.keyboard.press('Tab');
  assert.equal((await focused(page))?.name, 'Show in the text');
  await settled(page);
  assert.ok((await drawn(page, '.pointed')).length > 0, 'the focus marks the place');
  await page.keyboard.press('Escape');
  await none(page, 'dialog');
  assert.equal((await focused(page))?.name, BADGE, 'the focus is back');
  assert.deepEqual(await drawn(page), []);
  await page.keyboard.press('Tab');
  assert.match((await focused(page))?.name ?? '', /partly/);
  await until(() => page.evaluate(() => document.querySelector('#p5')?.getBoundingClientRect().y ?? 0), (y) => y < 760, 'its text in the window');
});

test('by touch', async () => {
  const page = await visited({ context: { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true } });
  await first(page);
  const at = await middle(page, await one(page, 'button', BADGE));
  await page.touchscreen.tap(at.x - 10, at.y + 12);
  const card = await box(page, await one(page, 'dialog'));
  assert.ok(card.x >= 0 && card.x + card.width <= 390, JSON.stringify(card));
  await picture(page, 'touch');
  await page.touchscreen.tap(60, 760);
  await none(page, 'dialog');
});

test('the card gives reasons, the strongest first, and shows them in the page', async () => {
  const page = await visited();
  await first(page);
  await ask(page, (lab) => lab.overlay.open(lab.get('#p0')));
  const said = (await tree(page)).map(({ name }) => name).join('\n');
  for (const part of ['This compares statistics and proves nothing. Never decide about a person on this alone.', 'Left by a chatbot', 'towards a model',
    'weight 90%', 'perplexity 8.2', 'SmolLM2-135M-Instruct', '0.83%', 'Probability that a model wrote it']) assert.ok(said.includes(part), part);
  assert.ok(said.indexOf('what chatbots say') < said.indexOf('perplexity'), 'the strongest first');
  await click(page, await one(page, 'button', 'Show in the text'));
  await page.mouse.move(5, 5);
  await settled(page);
  const wanted = await page.evaluate((words) => {
    const node = /** @type {Text} */ (document.querySelector('#p0')?.firstChild);
    const range = document.createRange();
    range.setStart(node, node.data.indexOf(words));
    range.setEnd(node, node.data.indexOf(words) + words.length);
    return [...range.getClientRects()].map(({ x, y, width }) => [x, y, width].map(Math.round));
  }, WORDS);
  assert.deepEqual((await drawn(page, '.pointed')).map(({ x, y, width }) => [x, y, width].map(Math.round)), wanted);
  const card = await box(page, await one(page, 'dialog'));
  for (const [x = 0, y = 0, width = 0] of wanted) assert.ok(x + width <= card.x || x >= card.x + card.width || y + 20 <= card.y || y >= card.y + card.height, 'the card covers it not');
  await picture(page, 'reason');

  await click(page, await one(page, 'button', 'Show sentence by sentence'));
  await settled(page);
  assert.ok((await drawn(page, '.ai2')).length > 0 && (await drawn(page, '.ai1')).length > 0 && (await drawn(page, '.human2')).length > 0);
  await picture(page, 'heat');
  await ask(page, (lab) => lab.show({ selector: '#p0', report: { verdict: 'unclear', probability: 0.6, sentences: lab.get('#p0').report.sentences } }));
  await settled(page);
  assert.deepEqual(await drawn(page, '.ai2'), [], 'where nothing is settled no sentence stands out');
  assert.ok((await tree(page)).some(({ name }) => name === 'The numbers don’t settle who wrote this.'));

  // The page has changed meanwhile.
  await first(page);
  await page.evaluate(() => document.querySelector('#p0')?.replaceChildren('Something else.'));
  // The card goes to where the text is now.
  await settled(page);
  await click(page, await one(page, 'button', 'Show in the text'));
  await until(() => tree(page), (list) => list.some(({ name }) => name.startsWith('The page has changed here')), 'the word that the place is gone');
});

test('the card says who signed, and how that is known', async () => {
  const page = await visited();
  await first(page, { report: { verdict: 'human_signed', probability: 0.2, evidence: [] }, signed: signed('published') });
  await ask(page, (lab) => lab.overlay.open(lab.get('#p0')));
  const said = async () => (await tree(page)).map(({ name }) => name).join('\n');
  const card = await said();
  for (const part of ['This text is signed by a human being, and the signature is good.', 'Signed by Ada ByronU+202E, whose key https://ada.example publishes',
    'with the spelling', 'November 1, 2026']) assert.ok(card.includes(part), part);
  assert.ok(!card.includes('SHA256:'), 'the key is a detail');
  const [details] = await all(page, 'DisclosureTriangle', 'Details');
  if (details) await click(page, details);
  await until(said, (text) => text.includes('SHA256:uJ0k3vQm5y8Zr1aXwL2'), 'the key');
  await picture(page, 'signed');
  for (const [result, part] of /** @type {const} */ ([['excerpt', '1 of 3 paragraphs'], ['unknown_key', 'goes by the name'], ['key_changed', 'another key'],
    ['revoked', 'October 1, 2026'], ['altered', 'honest slip'], ['malformed', 'Line 2 is no base64.'], ['trusted', 'your contact Ada']])) {
    await first(page, { report: { verdict: 'unclear' }, signed: signed(result) });
    await until(said, (text) => text.includes(part), part);
  }
});

test('a note that it was wrong is handed on', async () => {
  const page = await visited();
  await first(page);
  await ask(page, (lab) => lab.overlay.open(lab.get('#p0')));
  await click(page, await one(page, 'button', 'Wrong?'));
  assert.equal((await one(page, 'button', 'Keep the note')).properties['disabled'], true);
  await click(page, await one(page, 'button', 'A human’s'));
  await click(page, await one(page, 'textbox', 'A comment, if you like'));
  await page.keyboard.type('Mine, from 1999');
  await picture(page, 'wrong');
  await first(page, { report: { ...FULL, probability: 0.97 } });
  await ask(page, (lab) => { lab.failing = true; });
  await click(page, await one(page, 'button', 'Keep the note'));
  await one(page, 'status');
  await until(() => tree(page), (list) => list.some(({ name }) => name.startsWith('The note could not be kept')), 'the failure');
  await ask(page, (lab) => { lab.failing = false; });
  await click(page, await one(page, 'button', 'Keep the note'));
  await until(() => tree(page), (list) => list.some(({ name }) => name.startsWith('Thank you.')), 'thanks');
  assert.deepEqual(await ask(page, (lab) => lab.notes), [{ id: '#p0', said: 'human', comment: 'Mine, from 1999' }]);
});

test('a text that the model has not read yet says so, and what is missing', async () => {
  const page = await visited();
  await ask(page, (lab) => { lab.daemon = { state: 'away' }; });
  await show(page, { selector: '#p0', kind: 'selection', state: 'waiting', report: null });
  await ask(page, (lab) => lab.overlay.open(lab.get('#p0')));
  await one(page, 'dialog', 'This text is being read.');
  await show(page, { selector: '#p0', kind: 'selection', state: 'looked', report: { verdict: 'unclear', probability: null } });
  await one(page, 'dialog', 'Nothing is known yet of who wrote this.');
  assert.ok((await tree(page)).some(({ name }) => name.includes('the daemon does not answer')));
  await page.keyboard.press('Escape');
  await none(page, 'dialog');
});

test('rules dim, collapse and hide, and everything comes back as it was', async () => {
  const page = await visited({ policy: "style-src-attr 'unsafe-inline'" });
  const styles = ['color: red;  margin:0 0 1.1em', '', null, 'overflow: visible !important'];
  await page.evaluate((list) => list.forEach((style, place) => style !== null && document.querySelector(`#p${place}`)?.setAttribute('style', style)), styles);
  const now = () => page.evaluate(() => [0, 1, 2, 3].map((place) => document.querySelector(`#p${place}`)?.getAttribute('style')));
  for (let place = 0; place < 4; place += 1) await show(page, { selector: `#p${place}`, report: { verdict: KINDS[place + 1] ?? 'mixed', ...FULL } });
  assert.deepEqual(await now(), styles);
  const rules = [{ id: '1', on: true, verdicts: ['likely_human'], action: 'collapse' }, { id: '2', on: true, verdicts: ['mixed'], action: 'hide' },
    { id: '3', on: true, verdicts: ['likely_ai'], action: 'dim' }, { id: '4', on: true, verdicts: ['declared_ai'], action: 'collapse' }];
  await ask(page, (lab, all) => lab.refresh({ rules: all }), rules);
  const line = await one(page, 'button', 'Hidden by your rule: looks like a human’s show');
  assert.equal(await ask(page, (lab) => lab.overlay.hidden()), 3);
  assert.ok(await ask(page, (lab) => lab.changes) > 0);
  const text = await page.evaluate(() => [0, 1, 2].map((place) => document.querySelector(`#p${place}`)?.getBoundingClientRect().height));
  assert.deepEqual(text.slice(0, 2), [32, 0]);
  assert.ok(Number(text[2]) > 60, 'dimming takes no room away');
  const read = async () => (await tree(page)).filter(({ role, name }) => role === 'StaticText' && name.startsWith('The bus was late')).length;
  assert.equal(await read(), 6, 'what is out of sight is not read aloud either: three of nine');
  await picture(page, 'rules');

  await click(page, line);
  await none(page, 'button', /looks like a human’s show/);
  assert.equal((await now())[0], styles[0]);
  await click(page, await one(page, 'button', '1 text hidden by your rules show'));
  await none(page, 'button', /hidden by your rules/);
  assert.equal((await now())[1], styles[1]);
  assert.equal(await ask(page, (lab) => lab.overlay.hidden()), 1);

  // Meanwhile the page writes to the attribute: what it wrote stays, and what is ours goes.
  await page.evaluate(() => /** @type {HTMLElement} */ (document.querySelector('#p3')).style.setProperty('color', 'blue'));
  await ask(page, (lab) => lab.overlay.reveal());
  await until(now, (list) => list[3] === 'overflow: visible !important; color: blue;', 'the attribute as the page has it');
  assert.equal(await ask(page, (lab) => lab.overlay.hidden()), 0);
  await ask(page, (lab, all) => lab.refresh({ rules: all }), rules);
  await settled(page);
  assert.equal(await ask(page, (lab) => lab.overlay.hidden()), 0, 'what was revealed stays so');
});

test('what a page brings back again and again stays', async () => {
  const page = await visited({ begin: { mode: 'open', settings: { rules: [{ id: '1', on: true, verdicts: ['likely_ai'], action: 'collapse' }, { id: '2', on: true, verdicts: ['mixed'], action: 'hide' }] } } });
  await first(page);
  await show(page, { selector: '#p1', report: { verdict: 'mixed' } });
  await one(page, 'button', /^Hidden by your rule/);
  await accessible(page);
  await page.evaluate(() => document.querySelector('#p0')?.removeAttribute('style'));
  await until(() => page.evaluate(() => document.querySelector('#p0')?.getBoundingClientRect().height), (height) => height === 32, 'the text hidden again');
  const keep = () => page.evaluate(() => {
    const text = document.querySelector('#p0');
    new MutationObserver(() => { if (text?.hasAttribute('style')) text.removeAttribute('style'); }).observe(/** @type {Element} */ (text), { attributes: true });
    text?.removeAttribute('style');
  });
  await keep();
  await one(page, 'button', BADGE);
  assert.equal(await page.evaluate(() => document.querySelector('#p0')?.getAttribute('style')), null);
});

test('a dimmed text is clear while it is looked into', async () => {
  const page = await visited({ begin: { settings: { signedOnly: true } } });
  await first(page);
  await show(page, { selector: '#p1', report: { verdict: 'human_signed' } });
  const lifted = () => ask(page, (lab) => [...lab.overlay.host.root.querySelectorAll('.veil')].map((/** @type {Element} */ veil) => veil.classList.contains('lifted')));
  assert.deepEqual(await lifted(), [false]);
  await page.mouse.move(400, 200);
  await until(lifted, ([veil]) => veil === true, 'the veil lifted');
  await page.mouse.move(400, 40);
  await until(lifted, ([veil]) => veil === false, 'the veil back');
});

test('hiding from the card leaves a line, and removal leaves nothing', async () => {
  const page = await visited();
  await first(page);
  const markup = await page.evaluate(() => document.body.outerHTML);
  await ask(page, (lab) => lab.overlay.open(lab.get('#p0')));
  await click(page, await one(page, 'button', 'Hide this text'));
  await none(page, 'dialog');
  const line = await one(page, 'button', 'Hidden by you: looks like a model’s show');
  await until(() => focused(page), (node) => node?.name === line.name, 'the focus on the line');
  await page.keyboard.press('Enter');
  await one(page, 'button', BADGE);
  assert.equal((await focused(page))?.name, BADGE);
  await ask(page, (lab) => lab.refresh({ rules: [{ id: '1', on: true, action: 'hide' }] }));
  await ask(page, (lab) => lab.overlay.remove());
  assert.equal(await page.evaluate(() => document.body.outerHTML), markup);
  assert.equal(await page.evaluate(() => document.documentElement.lastElementChild?.localName), 'body');
});

for (const [name, options, words] of /** @type {const} */ ([
  ['light', {}, 'This text looks like a model’s.'],
  ['dark', { context: { colorScheme: 'dark' }, page: { dark: true } }, 'This text looks like a model’s.'],
  ['dark page alone', { page: { dark: true } }, 'This text looks like a model’s.'],
  ['chinese', { begin: { language: 'zh_CN' } }, '这段文本像模型写的。'],
  ['chinese dark', { begin: { language: 'zh_CN' }, context: { colorScheme: 'dark' }, page: { dark: true } }, '这段文本像模型写的。'],
  ['narrow', { context: { viewport: { width: 320, height: 640 } } }, 'This text looks like a model’s.'],
  ['right to left', { page: { dir: 'rtl', lang: 'he' } }, 'This text looks like a model’s.'],
  ['high contrast', { context: { forcedColors: 'active' } }, 'This text looks like a model’s.'],
])) {
  test(`a card that everybody can read: ${name}`, async () => {
    const page = await visited({ ...options, begin: { ...('begin' in options ? options.begin : {}), mode: 'open' } });
    await first(page, { signed: signed('excerpt') });
    await ask(page, (lab) => lab.overlay.open(lab.get('#p0')));
    const card = await one(page, 'dialog', words);
    await settled(page);
    const place = await box(page, card);
    const view = page.viewportSize();
    assert.ok(view && place.x >= 0 && place.y >= 0 && place.x + place.width <= view.width && place.y + place.height <= view.height, JSON.stringify(place));
    assert.equal(await ask(page, (lab) => lab.overlay.cardMade.element.scrollWidth <= lab.overlay.cardMade.element.clientWidth), true, 'nothing sticks out of it');
    await picture(page, `card-${name.replaceAll(' ', '-')}`);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await accessible(page);
    await click(page, await one(page, 'button', name.startsWith('chinese') ? '逐句显示' : 'Show sentence by sentence'));
    await click(page, await one(page, 'button', name.startsWith('chinese') ? '不对？' : 'Wrong?'));
    await accessible(page);
  });
}
