// @ts-check
// The built extension beside the real daemon, on a post that is signed and that the page shows in other ways: as soon as a
// reader may see other words than the signed ones, it is not told as verified. BONAFIDE_LINK is a one-time link,
// BONAFIDE_SIGNED a folder with signed texts.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launchExtension, pair } from './extension.mjs';
import { serve } from './server.mjs';
import { all, one, tree, until } from './tree.mjs';

/** @typedef {import('playwright-core').Page} Page */

const link = process.env['BONAFIDE_LINK'] ?? '';
const folder = process.env['BONAFIDE_SIGNED'] ?? '';
const OTHER = 'I have never read this, and neither should you.';
/** @type {Awaited<ReturnType<typeof launchExtension>>} */
let extension;
/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
/** @type {Page} */
let page;
let post = '';

before(async () => {
  post = (await readFile(join(folder, 'post.txt'), 'utf8')).trim();
  site = await serve({
    '/posts.html': `<!doctype html><html lang="en"><meta charset="utf-8"><title>Posts</title><style></style>
      <main><div role="feed"><article id="post"><p>${post}</p></article><article><p>Another one.</p></article></div></main></html>`,
  });
  extension = await launchExtension({
    daemonPort: Number(new URL(link).port), args: [`--ip-address-space-overrides=127.0.0.1:${site.port}=public`],
  });
  await pair(extension, link);
  page = await extension.context.newPage();
});
after(async () => {
  await extension?.close();
  await site?.close();
});

/** What the signature check says of the page; nothing as long as it has not said it. */
async function result() {
  const { ok } = await extension.send('glance', { tab: await extension.tabOf(page) });
  return ok?.statements[0]?.result;
}

/** @param {string} expected */
const told = (expected) => until(result, (found) => found === expected, `a text that is ${expected}`);

const isSigned = async () => (await all(page, 'button', /^Signed by a human being/)).length > 0;
const signed = () => until(isSigned, (found) => found, 'a signed text');
const unsigned = () => until(isSigned, (found) => !found, 'no text that is told as signed');

/** @param {string} html @param {string} css */
async function shows(html, css) {
  const body = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Post</title><style>${css}</style>
    <main><div role="feed"><article>${html}</article><article><p>Another one.</p></article></div></main></html>`;
  await page.unroute('**/shown.html');
  await page.route('**/shown.html', (route) => route.fulfill({ contentType: 'text/html', body }));
  await page.goto(site.url('news.test', '/shown.html'));
}

/** The post with a part of it marked. @param {string} [mark] */
const marked = (mark = '<span class="x">') => `<p>${post.replace('with my coat on', `${mark}with my coat on</${/\w+/.exec(mark)?.[0]}>`)}</p>`;

const HIDDEN = [
  'color: rgb(0 0 0 / 1%)', 'color: white', 'background: black', 'filter: opacity(0)', 'mask-image: linear-gradient(transparent, transparent)',
  'scale: 0; display: inline-block', 'transform: rotateY(90deg); display: inline-block', 'zoom: 0.01', 'letter-spacing: -1em',
  'translate: -9999px; display: inline-block', 'transform: translateX(-9999px); display: inline-block', 'position: relative; left: -9999px',
  'margin-left: -9999px; margin-right: 9999px; display: inline-block', 'height: 2px; overflow: hidden; display: inline-block',
  'content: url("data:,")', 'float: left', 'float: right', 'position: absolute; top: 0',
];
const ELSEWHERE = [
  ['p::before { content: "Never: " }', '<p>POST</p>'],
  ['li::marker { content: "Never: " }', '<ul><li>POST</li></ul>'],
  ['@counter-style x { system: cyclic; symbols: "Never: " } li { list-style-type: x }', '<ul><li>POST</li></ul>'],
  ['.t { display: table } p { display: table-footer-group }', '<div class="t"><p>POST</p></div>'],
];

test('a signed post is told as that, however it looks', async () => {
  for (const [css, html] of [
    ['', marked()], ['.x { color: #a00; background: #ffd }', marked()], ['.x { background: #222; color: white }', marked()],
    ['article { content-visibility: auto; margin-top: 3000px }', `<p>${post}</p>`], ['body { background: black; color: white }', marked()],
    ['p span { float: left; font-size: 3em }', `<p>${post.replace(/^I/, '<span>I</span>')}</p>`], ['', `<ol><li>${post}</li></ol>`],
    ['.x { position: relative; top: -0.3em; font-size: 0.8em }', marked()], ['.x { position: absolute }', `<p><span class="x">${post}</span></p>`],
  ]) {
    await shows(html ?? '', css ?? '');
    await told('trusted');
  }
});

test('words that are not seen, or not where they stand, are not verified', async () => {
  for (const css of HIDDEN) {
    await shows(marked(), `.x { ${css} }`);
    await told('altered').catch((error) => assert.fail(`${css}: ${error}`));
  }
  await shows(marked('<i><b><u>').replace('</i>', '</u></b></i>'), 'i, b, u { opacity: 0.4 }');
  await told('altered');
  await shows(marked('<q>'), 'q { quotes: "not at all " "" }');
  await told('altered');
});

test('nor is a text to which a style sheet adds words', async () => {
  for (const [css = '', html = ''] of ELSEWHERE) {
    await shows(html.replace('POST', post), css);
    await told('altered').catch((error) => assert.fail(`${css}: ${error}`));
  }
});

test('a closed shadow tree in the place of a signed text', async () => {
  for (const inner of [OTHER, `<slot></slot> ${OTHER}`]) {
    await page.goto(site.url('news.test', '/posts.html'));
    await signed();
    await page.evaluate((inner) => {
      const root = document.querySelector('#post p')?.attachShadow({ mode: 'closed' });
      if (root) root.innerHTML = inner;
    }, inner);
    await unsigned();
  }
});

test('what changes later without a change of words takes the verification away', async () => {
  /** @type {(() => void)[]} */
  const changes = [
    () => document.querySelector('#post p')?.setAttribute('style', 'unicode-bidi: bidi-override; direction: rtl'),
    () => document.querySelector('#post p')?.insertAdjacentHTML('afterbegin', '<svg width="90" height="20"><text y="15">Never</text></svg>'),
    () => document.head.appendChild(document.createElement('style')).append('p::before { content: "Never: " }'),
    () => document.styleSheets[0]?.insertRule('p::before { content: "Never: " }'),
    () => {
      const node = document.querySelector('#post p')?.firstChild;
      if (node instanceof Text) node.data = node.data.replace('coat', 'belt');
    },
  ];
  for (const change of changes) {
    await page.goto(site.url('news.test', '/posts.html'));
    await signed();
    await page.evaluate(change);
    await unsigned();
  }
});

test('a selection is not told as verified if a reader sees other words in it', async () => {
  const worker = await extension.worker();
  const { ok: settings } = await extension.send('load');
  const { ok: daemon } = await extension.send('daemon');
  for (const [css, expected] of [['', /Signed with your own key/], ['.x { display: inline-block; scale: 0 }', /may see other words|altered|not the text/i]]) {
    await shows(marked(), String(css));
    const tab = await extension.tabOf(page);
    await page.evaluate(() => getSelection()?.selectAllChildren(document.querySelector('p') ?? document.body));
    await worker.evaluate(([tab, ask]) => chrome.tabs.sendMessage(/** @type {number} */ (tab), { name: 'selection', ask }), [tab, { what: 'verify', settings, daemon }]);
    await one(page, 'dialog', /./);
    const words = (await tree(page)).map(({ name }) => name).join('\n');
    assert.match(words, /** @type {RegExp} */ (expected));
    assert.equal(/Signed with your own key/.test(words), css === '');
  }
});
