// @ts-check
// When the background loads the data of the scam engine: with the first chat, once, and again only after a failure. The WASM
// module is the real one; a browser is not needed.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, beforeEach, test } from 'node:test';
import { bundle } from './bundle.mjs';

const GENERATED = new URL('../../extension/generated/', import.meta.url);
const DATA = 'bonafide_scam.bin';

let script = '';
let count = 0;
/** What was fetched, by name. @type {string[]} */
let fetched = [];
/** What comes instead of the next data. @type {Error | string | null} */
let instead = null;
/** @type {{withWasm: (work: (module: any) => unknown) => Promise<any>, withScam: (work: (module: any) => unknown) => Promise<any>, instanceNow: () => number}} */
let judge;

before(async () => {
  script = await bundle('../../extension/src/background/judge.ts', 'esm');
  Object.assign(globalThis, {
    chrome: { runtime: { getURL: (/** @type {string} */ name) => name } },
    fetch: async (/** @type {string} */ name) => {
      fetched.push(name);
      if (name !== DATA) return new Response(readFileSync(new URL(name, GENERATED)), { headers: { 'content-type': 'application/wasm' } });
      const answer = instead;
      instead = null;
      if (answer instanceof Error) throw answer;
      return new Response(answer ?? readFileSync(new URL(name, GENERATED)));
    },
  });
});
beforeEach(async () => {
  fetched = [];
  instead = null;
  count += 1;
  // A new address for each test, so that each begins with a worker that has just woken.
  judge = await import(`data:text/javascript;base64,${Buffer.from(script).toString('base64')}#${count}`);
});

const loads = () => fetched.filter((name) => name === DATA).length;
/** The turns of a report on a chat of one turn. @param {any} module */
const chat = (module) => {
  const made = new module.Chat('{}');
  made.add('[{"side":"them","text":"Hello","at":null}]');
  const { turns } = JSON.parse(made.report('en'));
  made.free();
  return turns;
};

test('who opens no chat loads nothing, and a chat without the data says what is missing', async () => {
  await assert.rejects(judge.withWasm(chat), /the scam data are missing: call loadScam/);
  assert.equal(loads(), 0);
});

test('the first chat loads them, and all others share them', async () => {
  assert.deepEqual(await Promise.all([judge.withScam(chat), judge.withScam(chat)]), [1, 1]);
  assert.equal(await judge.withScam(chat), 1);
  assert.equal(loads(), 1);
});

test('an instance that takes a trapped one’s place has them too', async () => {
  assert.equal(await judge.withScam(chat), 1);
  let traps = 1;
  assert.equal(await judge.withScam((module) => {
    if (traps > 0) {
      traps -= 1;
      throw new WebAssembly.RuntimeError('unreachable');
    }
    return chat(module);
  }), 1);
  assert.equal(judge.instanceNow(), 1);
  await assert.rejects(judge.withWasm(() => { throw new WebAssembly.RuntimeError('unreachable'); }), WebAssembly.RuntimeError);
  assert.equal(await judge.withScam(chat), 1);
  assert.equal(loads(), 1);
});

test('a failure is not kept', async () => {
  instead = new Error('no such file');
  await assert.rejects(judge.withScam(chat), /no such file/);
  instead = '<!doctype html>';
  await assert.rejects(judge.withScam(chat), /no scam data/);
  assert.equal(await judge.withScam(chat), 1);
  assert.equal(loads(), 3);
});
