// @ts-check
// What one more turn costs in WebAssembly: `cargo xtask bench scam`. A chat of 1 000 turns is read in Chromium, then turn after
// turn is added and reported on, as the background does it. `--json` prints one line for programs; a number is how many
// turns are measured.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { launch } from './browser.mjs';
import { FRIENDS, INVESTMENT } from './scamchats.mjs';

const GENERATED = new URL('../../extension/generated/', import.meta.url);
const FILES = /** @type {Record<string, string>} */ ({ 'bonafide_wasm.js': 'text/javascript', 'bonafide_wasm_bg.wasm': 'application/wasm', 'bonafide_scam.bin': 'application/octet-stream' });
const arguments_ = process.argv.slice(2);
const json = arguments_.includes('--json');
const measured = Number(arguments_.find((one) => /^\d+$/.test(one)) ?? 1_000);
const BEFORE = 1_000;

// Only a page that is isolated from others may measure in steps of microseconds.
const headers = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
const server = createServer(async (request, response) => {
  const name = (request.url ?? '/').slice(1);
  const type = FILES[name];
  if (type) response.writeHead(200, { ...headers, 'content-type': type }).end(await readFile(new URL(name, GENERATED)));
  else response.writeHead(200, { ...headers, 'content-type': 'text/html' }).end('<!doctype html><title>Bench</title>');
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
const address = /** @type {import('node:net').AddressInfo} */ (server.address());
const browser = await launch();
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${address.port}/`);
  /** @type {{load: number, whole: number, times: number[], report: number, isolated: boolean, risk: string}} */
  const found = await page.evaluate(async ([said, count, before]) => {
    // The page's own address, so that no bundler looks for it.
    const module = await import(`${location.origin}/bonafide_wasm.js`);
    await module.default({ module_or_path: fetch('bonafide_wasm_bg.wasm') });
    const data = new Uint8Array(await (await fetch('bonafide_scam.bin')).arrayBuffer());
    const begun = performance.now();
    module.loadScam(data);
    const load = performance.now() - begun;
    let place = 0;
    // Friends talk for long, and the scam's turns come again and again; no two messages are the same.
    const turn = () => {
      const [side, text] = /** @type {[string, string]} */ (said[place % said.length]);
      place += 1;
      return { side, text: `${text} ${place}`, at: 1_764_324_010_000 + place * 90_000 };
    };
    const warm = new module.Chat('{}');
    for (let index = 0; index < 300; index += 1) {
      warm.add(JSON.stringify([turn()]));
      warm.report('en-GB');
    }
    warm.free();
    const chat = new module.Chat('{}');
    const first = Array.from({ length: before }, turn);
    const start = performance.now();
    chat.add(JSON.stringify(first));
    JSON.parse(chat.report('en-GB'));
    const whole = performance.now() - start;
    const times = [];
    let report = 0;
    let risk = '';
    for (let index = 0; index < count; index += 1) {
      const one = turn();
      const begin = performance.now();
      chat.add(JSON.stringify([one]));
      const text = chat.report('en-GB');
      times.push(performance.now() - begin);
      report = Math.max(report, text.length);
      risk = JSON.parse(text).risk;
    }
    chat.free();
    return { load, whole, times, report, isolated: crossOriginIsolated, risk };
  }, /** @type {const} */ ([[...FRIENDS, ...FRIENDS, ...FRIENDS, ...INVESTMENT], measured, BEFORE]));
  const sorted = found.times.sort((one, other) => one - other);
  const at = (/** @type {number} */ share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  const result = {
    turns_before: BEFORE, turns: measured, median_ms: at(0.5), p99_ms: at(0.99), worst_ms: at(1), load_ms: found.load, whole_ms: found.whole,
    longest_report: found.report, risk: found.risk, precise: found.isolated,
  };
  if (json) {
    console.log(JSON.stringify(result));
  } else {
    const row = (/** @type {string} */ what, /** @type {number} */ value, target = '') => `${what.padEnd(52)}${value.toFixed(3).padStart(9)} ms   ${target}`;
    console.log([
      `One more turn, added and reported on, after ${BEFORE} turns; ${measured} times, in Chromium`,
      row('median', result.median_ms, 'target: under 0.2'), row('p99', result.p99_ms), row('the worst', result.worst_ms),
      row('reading the data of the engine, once', result.load_ms),
      row(`the first ${BEFORE} turns at once`, result.whole_ms),
      ...result.precise ? [] : ['The clock is coarse: this browser did not isolate the page.'],
    ].join('\n'));
  }
} finally {
  await browser.close();
  server.close();
}
