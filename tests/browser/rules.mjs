// @ts-check
// Which of the user's rules speaks of a text.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundle } from './bundle.mjs';

/** @typedef {import('../../extension/src/protocol.js').Rule} Rule */
/** @typedef {import('../../extension/src/protocol.js').Settings} Settings */
/** @typedef {import('../../extension/src/protocol.js').Verdict} Verdict */

const source = await bundle('../../extension/src/content/filter/rules.ts', 'esm');
/** @type {typeof import('../../extension/src/content/filter/rules.js')} */
const { actionFor, verdictOf } = await import(`data:text/javascript,${encodeURIComponent(source)}`);

/** @type {Settings} */
const SETTINGS = {
  language: 'auto', showUnclear: false, strictness: 0, signedOnly: false, scam: true, rules: [], off: [], sync: false, port: 0, contacts: [], pins: {},
};

/** @param {Verdict} verdict @param {{kind?: import('../../extension/src/protocol.js').Kind, probability?: number|null, state?: 'waiting'|'looked'|'scored'}} [more] */
function item(verdict, { kind = 'comment', probability = 0.9, state = 'scored' } = {}) {
  const report = { id: 'a', verdict, probability, p_value: null, evidence: [], sentences: [], words: 80, token_count: 100, language: 'en', detectors: {} };
  return { kind, state, report };
}

/** @param {Partial<Rule>[]} rules @param {Partial<Settings>} [more] */
const settings = (rules, more = {}) => ({ ...SETTINGS, rules: rules.map((rule) => /** @type {Rule} */ ({ id: 'r', on: true, action: 'hide', ...rule })), ...more });

/** @param {Parameters<typeof actionFor>[0]} of @param {Settings} by */
const on = (of, by, host = 'news.example.org') => actionFor(of, by, host);

test('without rules there are badges', () => {
  assert.equal(on(item('likely_ai'), SETTINGS), 'badge');
  assert.equal(on(item('unclear'), SETTINGS), 'badge');
});

test('the first rule that is on and fits decides', () => {
  const by = settings([{ on: false, action: 'hide' }, { verdicts: ['mixed'], action: 'dim' }, { kinds: ['post'], action: 'nothing' }, { action: 'collapse' }, { action: 'hide' }]);
  assert.equal(on(item('likely_ai'), by), 'collapse');
  assert.equal(on(item('mixed'), by), 'dim');
  assert.equal(on(item('likely_ai', { kind: 'post' }), by), 'nothing');
});

test('what stands in one element with other texts is dimmed at most', () => {
  const loose = { ...item('likely_ai'), loose: true };
  for (const action of /** @type {const} */ (['collapse', 'hide', 'dim'])) assert.equal(on(loose, settings([{ action }])), 'dim');
  assert.equal(on(loose, settings([{ action: 'nothing' }])), 'nothing');
  assert.equal(on({ ...loose, loose: false }, settings([{ action: 'hide' }])), 'hide');
});

test('a site is its subdomains too, and no other name', () => {
  const by = settings([{ sites: ['Example.org', '*.test.net', ''], action: 'hide' }]);
  for (const host of ['example.org', 'news.example.org', 'a.b.EXAMPLE.org', 'example.org.', 'test.net', 'x.test.net']) assert.equal(on(item('mixed'), by, host), 'hide', host);
  for (const host of ['badexample.org', 'example.org.evil.com', 'org', '', 'test.network']) assert.equal(on(item('mixed'), by, host), 'badge', host);
  assert.equal(on(item('mixed'), settings([{ sites: [] }])), 'badge', 'a rule for no site fits none');
});

test('what is unclear goes only by a rule that means it', () => {
  assert.equal(on(item('unclear'), settings([{ action: 'hide' }, { action: 'dim' }])), 'dim');
  assert.equal(on(item('unclear'), settings([{ action: 'collapse' }])), 'badge');
  assert.equal(on(item('unclear'), settings([{ verdicts: ['unclear'], action: 'hide' }])), 'hide');
});

test('a verdict below the user’s own threshold is none', () => {
  const by = settings([{ verdicts: ['likely_ai'], action: 'hide' }, { action: 'collapse' }], { strictness: 0.95 });
  assert.equal(verdictOf(item('likely_ai'), by), 'unclear');
  assert.equal(on(item('likely_ai'), by), 'badge');
  assert.equal(on(item('likely_ai', { probability: 0.95 }), by), 'hide');
  assert.equal(verdictOf(item('declared_ai', { probability: 0.2 }), by), 'declared_ai', 'a declaration has no threshold');
  assert.equal(verdictOf(item('likely_ai', { probability: null }), by), 'likely_ai');
});

test('nothing happens to a text of which nothing is known', () => {
  const by = settings([{ action: 'hide' }], { signedOnly: true });
  assert.equal(on({ ...item('likely_ai'), report: null }, by), 'nothing');
  assert.equal(on(item('likely_ai', { state: 'waiting' }), by), 'nothing');
});

test('signed only: the rest is dimmed, unless a rule says more', () => {
  const only = { signedOnly: true };
  assert.equal(on(item('likely_human'), settings([], only)), 'dim');
  assert.equal(on(item('unclear', { state: 'looked' }), settings([], only)), 'dim');
  assert.equal(on(item('human_signed'), settings([], only)), 'badge');
  assert.equal(on(item('mixed'), settings([{ action: 'badge' }], only)), 'dim');
  assert.equal(on(item('mixed'), settings([{ action: 'collapse' }], only)), 'collapse');
});

test('what the user has selected is always shown', () => {
  assert.equal(on(item('likely_ai', { kind: 'selection' }), settings([{ action: 'hide' }], { signedOnly: true })), 'badge');
});
