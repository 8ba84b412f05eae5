// @ts-check
// Pages for the overlay's tests: an article, comments, a conversation, none of which asks the network for anything.

import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import { launch } from './browser.mjs';
import { bundle } from './bundle.mjs';

const SENTENCES = [
  'The bus was late again, so she walked down the hill and along the river to the old mill.',
  'Nobody was there yet, and the door stood open as it always had in summer.',
  'She sat down on the wall, took out the letter and read it once more from the beginning.',
  'When the bells had rung twice the others came over the bridge, one by one and out of breath.',
];
export const PARAGRAPH = SENTENCES.join(' ');

const STYLE = `
  body { margin: 0; font: 17px/1.6 Georgia, serif; color: #222; background: #fff; }
  body.dark { background: #14161a; color: #ddd; }
  header.bar { position: fixed; top: 0; left: 0; right: 0; height: 48px; background: #234; color: #fff; font: 16px/48px sans-serif; padding: 0 16px; z-index: 10; }
  main { max-width: 640px; margin: 72px auto 40px; padding: 0 16px; }
  article p { margin: 0 0 1.1em; }
  .box { height: 130px; overflow: auto; border: 1px solid #ccc; padding: 8px; }
  .turn { display: flex; margin: 8px 0; } .turn.me { justify-content: flex-end; }
  .bubble { max-width: 60%; padding: 8px 12px; border-radius: 14px; color: #222; background: #eee; } .me .bubble { background: #d5e8ff; }
  div { letter-spacing: 1px; } button { background: red !important; width: 300px; }
  html > div { display: none !important; opacity: 0.1 !important; transform: scale(3) !important; position: static !important; }
`;

/**
 * @param {{dir?: string, dark?: boolean, scheme?: string, paragraphs?: number, extra?: string, lang?: string, text?: string}} [options]
 */
export function html({ dir = 'ltr', dark = false, paragraphs = 6, extra = '', lang = 'en', text = PARAGRAPH } = {}) {
  const list = Array.from({ length: paragraphs }, (_, place) => `<p id="p${place}">${text}</p>`).join('\n');
  return `<!doctype html><html lang="${lang}" dir="${dir}"><head><meta charset="utf-8"><title>A page</title>
    <meta name="viewport" content="width=device-width"><style nonce="n">${STYLE}</style></head>
    <body class="${dark ? 'dark' : ''}"><header class="bar" role="banner">The paper</header><main><h1>At the mill</h1><article>${list}</article>
    <div class="box" tabindex="0"><div id="in0">${text}</div><div id="in1">${text}</div><div id="in2">${text}</div></div>
    <div role="log"><div class="turn"><div class="bubble"><span id="m0">${SENTENCES[1]}</span></div></div>
    <div class="turn me"><div class="bubble"><span id="m1">${SENTENCES[2]}</span></div></div></div>${extra}</main></body></html>`;
}

/** A strict page: no script and no style but its own. */
const POLICY = "default-src 'none'; style-src 'nonce-n'; script-src 'nonce-n'; require-trusted-types-for 'script'";
export const ADDRESS = 'https://news.example.org/story';

/**
 * A page with the overlay in it.
 * @param {import('playwright-core').Browser} browser
 * @param {string} script What `bundle` made of the entry.
 * @param {{page?: Parameters<typeof html>[0], begin?: Record<string, unknown>, policy?: string, clock?: boolean,
 *   context?: import('playwright-core').BrowserContextOptions, before?: () => void}} [options]
 */
export async function visit(browser, script, options = {}) {
  const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1000, height: 760 }, ...options.context });
  // With it a test can let time pass that nothing happens in.
  if (options.clock) await context.clock.install();
  const page = await context.newPage();
  /** @type {string[]} */
  const complaints = [];
  page.on('console', (message) => { if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text()); });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await context.route('**/*', (route) => route.fulfill({ contentType: 'text/html', headers: { 'content-security-policy': `${POLICY}; ${options.policy ?? ''}` }, body: html(options.page) }));
  await page.goto(ADDRESS);
  if (options.before) await page.evaluate(options.before);
  await page.evaluate(`${script}\n;globalThis.begin(${JSON.stringify(options.begin ?? {})}); undefined`);
  return { page, context, complaints };
}

/**
 * @param {import('playwright-core').Page} page
 * @param {import('./overlayentry.js').Wish} wish
 */
export async function show(page, wish) {
  await page.evaluate((one) => { /** @type {any} */ (globalThis).lab.show(one); }, wish);
  await settled(page);
}

/** Waits until what was asked for is drawn. @param {import('playwright-core').Page} page */
export async function settled(page) {
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(resolve)))));
}

/** Before the tests of a file a browser is started, and after each test its pages are closed and have complained of nothing. */
export function laboratory() {
  /** @type {import('playwright-core').Browser} */
  let browser;
  /** @type {string} */
  let script;
  /** @type {Awaited<ReturnType<typeof visit>>[]} */
  let opened = [];
  before(async () => { [browser, script] = [await launch(), await bundle('overlayentry.ts')]; });
  after(async () => { await browser.close(); });
  afterEach(async () => {
    const done = opened.splice(0);
    await Promise.all(done.map(({ context }) => context.close()));
    assert.deepEqual(done.flatMap(({ complaints }) => complaints), [], 'the strict page complains of nothing');
  });
  /** @param {Parameters<typeof visit>[2]} [options] */
  return async function visited(options) {
    const made = await visit(browser, script, options);
    opened.push(made);
    return made.page;
  };
}

/**
 * Runs a function of the page with its laboratory.
 * @template T, A
 * @param {import('playwright-core').Page} page
 * @param {(lab: any, argument: A) => T} run
 * @param {A} [argument]
 * @returns {Promise<T>}
 */
export async function ask(page, run, argument) {
  return /** @type {Promise<T>} */ (page.evaluate(`(${run})(globalThis.lab, ${JSON.stringify(argument ?? null)})`));
}
