// @ts-check
// What the extension costs a page: `cargo xtask bench page`. A page of 2 000 blocks is loaded where it may run and where it may not, in turns,
// beside the daemon whose one-time link is in BONAFIDE_LINK. `--json` prints one line for programs; a number is how many
// times each is loaded.

import { readFile } from 'node:fs/promises';
import { launchExtension, pair } from './extension.mjs';
import { serve } from './server.mjs';

const arguments_ = process.argv.slice(2);
const link = process.env['BONAFIDE_LINK'] ?? '';
const rounds = Number(arguments_.find((one) => /^\d+$/.test(one)) ?? 9);
const json = arguments_.includes('--json');
const BLOCKS = 2000;
/** Milliseconds after the load at which the page has come to rest. */
const LATE = 2500;

/**
 * @typedef {{own: number|null, main: number, script: number, longest: number, shift: number, heap: number, first: number|null}} Load
 *   Milliseconds in the content script until the first badge, if that was profiled; of the main thread and of script until LATE;
 *   the longest task over 50 ms after the load (0 if there is none); cumulative layout shift; bytes on the heap; when the first
 *   badge stood there, in milliseconds after the load.
 */

/**
 * @typedef {{nodes: {id: number, callFrame: {functionName: string, url: string}, children?: number[]}[], samples?: number[], timeDeltas?: number[]}} Profile
 */

/** A page of comments, as long as those that people write. */
async function comments() {
  const sentences = (await Promise.all(['plain.txt', 'lively.txt'].map((name) => readFile(new URL(name, import.meta.url), 'utf8'))))
    .flatMap((text) => text.match(/[^.!?\n]+[.!?]+/g) ?? []).map((one) => one.trim());
  const comment = (/** @type {number} */ at) => Array.from({ length: 5 }, (_, index) => sentences[(at * 7 + index * 3) % sentences.length]).join(' ');
  const items = Array.from({ length: BLOCKS }, (_, at) => `<li class="comment" id="c${at}"><header><a href="#u${at}">reader ${at}</a> <time>${at % 24}:00</time></header><p>${comment(at)}</p></li>`);
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>2 000 comments</title>
    <style>body { font: 16px/1.5 sans-serif; max-width: 42rem; margin: 2rem auto } li { margin: 1rem 0 }</style>
    <main><h1>Comments</h1><ol>${items.join('\n')}</ol></main></html>`;
}

/** Runs before the page's own code. */
function observe() {
  const seen = { longest: 0, shift: 0 };
  Object.assign(globalThis, { seen });
  new PerformanceObserver((list) => {
    const loaded = /** @type {PerformanceNavigationTiming} */ (performance.getEntriesByType('navigation')[0]).loadEventStart;
    for (const entry of list.getEntries()) if (loaded > 0 && entry.startTime >= loaded) seen.longest = Math.max(seen.longest, entry.duration);
  }).observe({ type: 'longtask', buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen.shift += /** @type {any} */ (entry).value;
  }).observe({ type: 'layout-shift', buffered: true });
}

/** Runs in the world of the content script: when the first badge came, in milliseconds after the load. */
const FIRST_BADGE = `new Promise((resolve) => {
  const badge = (root) => root.querySelector('button') !== null;
  // So long that a profile can't miss it.
  const firstBadgeIsThere = (at) => { while (performance.now() < at + 2); };
  const done = () => {
    resolve(performance.now() - performance.getEntriesByType('navigation')[0].loadEventStart);
    firstBadgeIsThere(performance.now());
  };
  const into = (host) => {
    const root = chrome.dom.openOrClosedShadowRoot(host);
    if (!root) return false;
    if (badge(root)) done();
    else new MutationObserver((_, observer) => { if (badge(root)) { observer.disconnect(); done(); } }).observe(root, { childList: true, subtree: true });
    return true;
  };
  const last = () => [...document.documentElement.children].slice(2).some(into);
  if (!last()) new MutationObserver((_, observer) => { if (last()) observer.disconnect(); }).observe(document.documentElement, { childList: true });
})`;

/**
 * @param {import('playwright-core').BrowserContext} context
 * @param {string} url
 * @param {string|null} world The id of the extension, if there is one.
 * @param {boolean} [profiled] Whether to look what the time until the first badge goes into, which itself takes time.
 * @returns {Promise<Load>}
 */
async function load(context, url, world, profiled = false) {
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await page.addInitScript(observe);
  /** @type {Promise<number>|null} */
  let first = null;
  if (world) {
    cdp.on('Runtime.executionContextCreated', ({ context: made }) => {
      if (first || !made.origin.endsWith(world)) return;
      first = cdp.send('Runtime.evaluate', { expression: FIRST_BADGE, contextId: made.id, awaitPromise: true, returnByValue: true })
        .then(({ result }) => Number(result.value));
    });
  }
  await cdp.send('Runtime.enable');
  await cdp.send('Performance.enable');
  if (profiled) {
    await cdp.send('Profiler.enable');
    await cdp.send('Profiler.setSamplingInterval', { interval: 1000 });
    await cdp.send('Profiler.start');
  }
  await page.goto(url, { waitUntil: 'load' });
  await page.evaluate((until) => new Promise((resolve) => {
    const left = /** @type {PerformanceNavigationTiming} */ (performance.getEntriesByType('navigation')[0]).loadEventStart + until - performance.now();
    setTimeout(resolve, Math.max(0, left));
  }), LATE);
  const own = profiled ? ownTime((await cdp.send('Profiler.stop')).profile) : null;
  const badge = first ? await Promise.race([first, new Promise((resolve) => setTimeout(resolve, 20_000, null))]) : null;
  await cdp.send('HeapProfiler.collectGarbage');
  const { metrics } = await cdp.send('Performance.getMetrics');
  const value = (/** @type {string} */ wanted) => metrics.find(({ name }) => name === wanted)?.value ?? 0;
  const { longest, shift } = await page.evaluate(() => /** @type {any} */ (globalThis).seen);
  await page.close();
  return {
    own, main: 1000 * value('TaskDuration'), script: 1000 * value('ScriptDuration'), longest, shift, first: badge, heap: value('JSHeapUsedSize'),
  };
}

/**
 * Milliseconds in the content script, and in what it calls, until the first badge; nothing if none was drawn in time.
 * @param {Profile} profile
 */
function ownTime({ nodes, samples = [], timeDeltas = [] }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const callers = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  let spent = 0;
  for (const [index, sample] of samples.entries()) {
    let isOwn = false;
    for (let id = /** @type {number|undefined} */ (sample); id !== undefined; id = callers.get(id)) {
      const { functionName, url } = byId.get(id)?.callFrame ?? { functionName: '', url: '' };
      if (functionName === 'firstBadgeIsThere') return spent;
      isOwn ||= url.endsWith('/content.js');
    }
    if (isOwn) spent += (timeDeltas[index] ?? 0) / 1000;
  }
  return null;
}

/** @param {(number|null)[]} values */
function median(values) {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  return sorted.length ? (sorted[Math.floor((sorted.length - 1) / 2)] ?? 0) : NaN;
}

const html = await comments();
const server = await serve({ '/': html });
const url = server.url('news.test', '/');
const withIt = await launchExtension({ daemonPort: Number(new URL(link).port) });
const without = await launchExtension({ grant: [] });
try {
  await pair(withIt, link);
  // Most comments are unclear, and shall have badges all the same.
  await withIt.send('save', { showUnclear: true });
  // Once for the caches of all: the daemon's, the browsers' compiled scripts, the worker.
  await load(withIt.context, url, withIt.id);
  await load(without.context, url, null);
  /** @type {Load[]} */
  const on = [];
  /** @type {Load[]} */
  const off = [];
  /** @type {Load[]} */
  const profiled = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const which of round % 2 ? ['on', 'off'] : ['off', 'on']) {
      if (which === 'on') {
        on.push(await load(withIt.context, url, withIt.id));
      } else {
        off.push(await load(without.context, url, null));
      }
      if (!json) process.stderr.write('.');
    }
    profiled.push(await load(withIt.context, url, withIt.id, true));
  }
  const pick = (/** @type {keyof Load} */ name) => ({ on: median(on.map((one) => one[name])), off: median(off.map((one) => one[name])) });
  const added = (/** @type {keyof Load} */ name) => pick(name).on - pick(name).off;
  const result = {
    blocks: BLOCKS, rounds,
    own_ms_until_first_badge: median(profiled.map(({ own }) => own)), main_thread_ms_added: added('main'), main_thread_ms: pick('main'),
    script_ms_added: added('script'), longest_task_ms: pick('longest'),
    worst_task_ms: Math.max(...on.map(({ longest }) => longest)), layout_shift: Math.max(...on.map(({ shift }) => shift)),
    heap_mib_added: added('heap') / 1024 ** 2, first_badge_ms: pick('first').on, first_badge_worst_ms: Math.max(...on.map(({ first }) => first ?? Infinity)),
  };
  if (json) {
    console.log(JSON.stringify(result));
  } else {
    const row = (/** @type {string} */ what, /** @type {number} */ value, /** @type {string} */ unit, /** @type {string} */ target) => `${what.padEnd(58)}${value.toFixed(unit === '' ? 3 : 1).padStart(8)} ${unit.padEnd(4)} ${target}`;
    console.log([
      `\nA page of ${BLOCKS} blocks, ${rounds} loads each with and without the extension, in turns; medians`,
      row('in the content script until the first badge (profile)', result.own_ms_until_first_badge, 'ms', 'target: under 30'),
      row(`main-thread time added until ${LATE} ms after the load`, result.main_thread_ms_added, 'ms', ''),
      row('of that script', result.script_ms_added, 'ms', ''),
      row('longest task over 50 ms after the load (0: none)', result.longest_task_ms.on, 'ms', 'target: 0'),
      row('the same without the extension', result.longest_task_ms.off, 'ms', ''),
      row('layout shift, the worst', result.layout_shift, '', 'target: 0'),
      row('first badge after the load', result.first_badge_ms, 'ms', 'target: 300'),
      row('the worst of these', result.first_badge_worst_ms, 'ms', ''),
      row('heap added, after a collection', result.heap_mib_added, 'MiB', 'target: under 10'),
    ].join('\n'));
  }
} finally {
  await withIt.close();
  await without.close();
  await server.close();
}
