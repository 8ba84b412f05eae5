// @ts-check
// Signed texts in live pages: the walk, the check by the real core, and the way back from its code points to the page.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { blocks, finder } from './findpage.mjs';

const GENERATED = new URL('../../extension/generated/', import.meta.url);
const VECTORS = JSON.parse(readFileSync(new URL('../../core/src/signature/vectors.json', import.meta.url), 'utf8'));
/** @param {string} name */
const token = (name) => VECTORS.tokens.find((/** @type {any} */ one) => one.name === name);
const PLAIN = token('plain key');
const CHINESE = token('hardware key');
/** Three paragraphs. */
const LONG = VECTORS.statements.find((/** @type {any} */ one) => one.good && one.envelope.statement?.author.name === 'Ada');
const PARAGRAPHS = String(LONG.text).split(/\n\s*\n/);
const ENVELOPE = JSON.stringify(LONG.envelope);
/** @param {string} text */
const attribute = (text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
const paragraphs = PARAGRAPHS.map((one) => `<p>${one.replaceAll('\n', '<br>')}</p>`).join('\n');
const FILLER = 'These are other words, by somebody else, and nobody has signed them at all.';

const skip = existsSync(new URL('bonafide_wasm.js', GENERATED)) ? false : 'the WASM module is not built: run `cargo xtask extension`';

describe('signed texts', { skip }, () => {
  /** @type {Awaited<ReturnType<typeof finder>>} */
  let lab;
  /** @type {any} */
  let wasm;
  before(async () => {
    lab = await finder();
    wasm = await import(new URL('bonafide_wasm.js', GENERATED).href);
    await wasm.default({ module_or_path: readFileSync(new URL('bonafide_wasm_bg.wasm', GENERATED)) });
  });
  after(async () => { await lab?.close(); });

  /** @param {unknown} steps */
  const check = (steps) => {
    const page = new wasm.SignedPage(JSON.stringify(steps));
    return JSON.parse(page.report('[]', Date.parse('2026-11-25T12:00:00Z') / 1000)).statements;
  };

  /** @param {string} html */
  async function open(html) {
    const opened = await lab.open(`<!doctype html><html><head><title>A page</title></head><body>${html}</body></html>`, { wait: true });
    await opened.page.exposeFunction('checkSteps', check);
    await opened.page.evaluate('begin({ check: (steps) => checkSteps(steps) })');
    return opened;
  }

  /** A page's statements, with the text that their spans lead to in the page. @param {string} html */
  async function verified(html) {
    const opened = await lab.open(`<!doctype html><html><head><title>A page</title></head><body>${html}</body></html>`, { wait: true });
    const steps = await opened.page.evaluate('walk().steps');
    const statements = check(steps);
    const found = await opened.page.evaluate((statements) => {
      // @ts-expect-error The test's own global.
      const walk = globalThis.walk();
      return statements.map((/** @type {any} */ { spans }) => spans.map((/** @type {any} */ span) => walk.range(span)?.toString() ?? null));
    }, statements);
    await opened.context.close();
    return statements.map((/** @type {any} */ { result }, /** @type {number} */ at) => [result, found[at]]);
  }

  test('code points lead back to the page, whatever stands before', async () => {
    const before = '<p>Before: 😀 and <img alt="🎉"> a picture</p>\n\n  <div>a<div>b</div><span>c<br>d</span></div><ul><li>one<li>two</ul>';
    const message = `<div>${PLAIN.text.replace('eight', '<b>eight</b>')} ${PLAIN.token}</div>`;
    assert.deepEqual(await verified(`${before}${message}`), [['unknown_key', [PLAIN.text]]]);
    assert.deepEqual(await verified(`${before}<section><p>${CHINESE.text}</p><p>${CHINESE.token}</p></section><p>after</p>`), [['unknown_key', [CHINESE.text]]]);
    const whole = await verified(`${before}<article data-human-statement="${attribute(ENVELOPE)}">${paragraphs}</article>`);
    assert.equal(whole[0][0], 'unknown_key');
    const bare = (/** @type {string[]} */ texts) => texts.join('').replace(/\s+/g, '');
    assert.deepEqual(bare(whole[0][1]), bare(PARAGRAPHS));
  });

  test('what a style hides, moves or adds spoils what it touches', async () => {
    const message = (/** @type {string} */ style, /** @type {string} */ css = '') =>
      verified(`<style>${css}</style><div>See you at <span id="s" style="${style}">eight</span> – at the old bridge. ${PLAIN.token}</div>`);
    assert.equal((await message(''))[0][0], 'unknown_key');
    assert.equal((await message('color: teal; font-weight: bold'))[0][0], 'unknown_key');
    for (const style of ['opacity: 0', 'font-size: 1px', 'visibility: hidden', 'color: transparent', 'clip-path: inset(50%)', 'order: 2',
      'position: absolute; left: -9999px', 'position: absolute; clip: rect(0 0 0 0)', 'display: inline-block; overflow: hidden; width: 1px; height: 1px',
      'unicode-bidi: bidi-override; direction: rtl', '-webkit-text-security: disc', 'display: inline-block; transform: scale(0)', 'float: left']) {
      assert.equal((await message(style))[0][0], 'altered', style);
    }
    assert.equal((await message('', '#s::before { content: "not " }'))[0][0], 'altered');
    assert.equal((await message('', '#s::before { content: "→ " }'))[0][0], 'unknown_key');
    // What is not shown at all is no part of the text.
    assert.equal((await verified(`<div>See you at eight – <i class="h">not</i> at the old bridge. ${PLAIN.token}</div><style>.h { display: none }</style>`))[0][0], 'unknown_key');
    assert.equal((await verified(`<div>See you at eight – <i style="display: none">not</i> at the old bridge. ${PLAIN.token}</div>`))[0][0], 'unknown_key');
    assert.equal((await verified(`<div>See you at eight – <input value="x"> at the old bridge. ${PLAIN.token}</div>`))[0][0], 'altered');
  });

  test('a block that is signed as a whole, one in part, and one beside', async () => {
    const { page, context, errors } = await open(`<main><article>
      <div class="comment"><p>${PLAIN.text} <span>${PLAIN.token}</span></p></div>
      <div class="comment"><p>${FILLER}</p></div>
      <div class="comment"><p>${FILLER}</p><blockquote>${CHINESE.text} ${CHINESE.token}</blockquote><p>${FILLER} Or so.</p></div></article></main>`);
    await page.waitForFunction("lab.blocks().filter(({ signed }) => signed).length === 2");
    const found = await blocks(page, 3);
    assert.deepEqual(found.map(({ signed }) => signed), [{ result: 'unknown_key', whole: true }, null, { result: 'unknown_key', whole: false }]);
    // The block is looked at once more with what is known now.
    await page.waitForFunction('lab.requests().looks.some(({ blocks }) => blocks.some(({ signed }) => signed && signed.whole))');
    await page.waitForFunction('lab.requests().tallies.at(-1)?.statements.length === 2');
    assert.deepEqual(errors, []);
    await context.close();
  });

  test('an altered text is told where it stands', async () => {
    const { page, context } = await open(`<main>
      <div class="comment"><p>${FILLER}</p></div>
      <div class="comment"><p>See you at nine – at the old bridge.</p><p>${PLAIN.token}</p></div>
      <div class="comment" data-human-statement="{&quot;a&quot;: 1}"><p>${FILLER} Malformed.</p></div></main>`);
    await page.waitForFunction("lab.blocks().filter(({ signed }) => signed).length === 2");
    assert.deepEqual((await blocks(page, 3)).map(({ signed }) => signed), [null, { result: 'altered', whole: false }, { result: 'malformed', whole: false }]);
    await context.close();
  });

  test('an article with its statement in an attribute; one word more and it is altered', async () => {
    const { page, context } = await open(`<main><article data-human-statement="${attribute(ENVELOPE)}">${paragraphs}</article></main>`);
    await page.waitForFunction("lab.blocks().length > 0 && lab.blocks().every(({ signed }) => signed?.whole && signed.result === 'unknown_key')");
    await page.evaluate("document.querySelector('article p').append(' Not.')");
    await page.waitForFunction("lab.blocks().length > 0 && lab.blocks().every(({ signed }) => signed?.result === 'altered')");
    await context.close();
  });

  test('a statement that comes with a later post', async () => {
    const { page, context } = await open(`<main><div role="feed"><article><p>${FILLER}</p></article></div></main>`);
    await blocks(page, 1);
    assert.equal(await page.evaluate("lab.asked.filter(({ name }) => name === 'signatures').length"), 0, 'a page without statements is not walked over');
    await page.evaluate((html) => document.querySelector('[role=feed]')?.insertAdjacentHTML('beforeend', html), `<article><p>${PLAIN.text}</p><p>${PLAIN.token}</p></article>`);
    await page.waitForFunction('lab.blocks().some(({ signed }) => signed?.whole)');
    await context.close();
  });

  test('a text in an open shadow root is a text by itself', async () => {
    const { page, context } = await open('<main><x-post></x-post></main>');
    await page.evaluate(({ text, token }) => {
      const host = document.querySelector('x-post');
      if (host) host.attachShadow({ mode: 'open' }).innerHTML = `<p>${text}</p><p>${token}</p>`;
      document.querySelector('main')?.append(Object.assign(document.createElement('h2'), { textContent: 'And more.' }));
    }, PLAIN);
    await page.waitForFunction('lab.blocks().some(({ signed }) => signed?.whole)');
    await context.close();
  });
});
