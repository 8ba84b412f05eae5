// @ts-check
// The extension's background: messages, storage, the daemon, signatures. Pages in these tests hold no text, so that the
// content script itself has nothing to say.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launchExtension } from './extension.mjs';
import { fail, json } from './mock.mjs';
import { service } from './mockservice.mjs';

/** @type {Awaited<ReturnType<typeof launchExtension>>} */
let extension;
/** @type {Awaited<ReturnType<typeof service>>} */
let daemon;
/** @type {import('node:http').Server} */
let site;
/** @type {import('playwright-core').Page} */
let page;

before(async () => {
  site = createServer((_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Empty</title>'));
  await new Promise((resolve) => site.listen(0, '127.0.0.1', () => resolve(undefined)));
  extension = await launchExtension();
});
after(async () => {
  await extension.close();
  site.close();
});
beforeEach(async () => {
  daemon = await service();
  daemon.paired = true;
  await extension.reset({ port: daemon.port });
  await (await extension.worker()).evaluate((token) => chrome.storage.local.set({ token }), daemon.token);
  page = await extension.context.newPage();
  await page.goto(address());
});
afterEach(async () => {
  await page.close();
  await daemon.close();
});

const address = (host = 'news.test') => `http://${host}:${/** @type {import('node:net').AddressInfo} */ (site.address()).port}/`;
const WORDS = 'Clear words help people to understand what is meant, and they build trust between those who work together. '.repeat(4);
const block = (/** @type {string} */ id, text = WORDS, other = {}) => ({ id, kind: 'article', text, part: true, ...other });
const scores = () => daemon.requests.filter(({ path }) => path === '/v1/score');

test('what runs in the browser needs no daemon', async () => {
  await daemon.close();
  const { ok } = await extension.sendFrom(page, 'look', {
    document: { metadata: { meta: [['generator', 'x']], json_ld: [] }, begins: 'A title', ends: 'The end' },
    blocks: [block('1'), block('2', `AI-generated content\n\n${WORDS}`, { part: false }), block('3', `zero\u200bwidth ${WORDS}`)],
  });
  assert.deepEqual(ok.blocks.map((/** @type {any} */ { id, verdict }) => [id, verdict]), [['1', 'unclear'], ['2', 'declared_ai'], ['3', 'unclear']]);
  assert.equal(ok.blocks[2].evidence.some((/** @type {any} */ { kind }) => kind === 'hidden_characters'), true);
});

test('scores come from the daemon, with what the document says added to them', async () => {
  const document = { metadata: { meta: [['ai-disclosure', 'ai-generated']], json_ld: [] }, begins: 'A title', ends: 'The end' };
  const { ok } = await extension.sendFrom(page, 'score', { blocks: [block('a', `[likely_ai] ${WORDS}`), block('b', `[likely_human] ${WORDS}`)] });
  assert.deepEqual(ok.blocks.map((/** @type {any} */ { id, verdict }) => [id, verdict]), [['a', 'likely_ai'], ['b', 'likely_human']]);
  assert.equal(ok.model.name, 'smollm2-135m');
  assert.equal(ok.calibration.version, '1');
  const sent = scores()[0];
  assert.deepEqual(sent?.body.blocks.map((/** @type {any} */ { id, part }) => [id, part]), [['0', true], ['1', true]]);
  assert.equal(sent?.method, 'POST');
  assert.equal(sent?.origin, `chrome-extension://${extension.id}`);
  assert.equal(sent?.authorization, `Bearer ${daemon.token}`);
  const declared = await extension.sendFrom(page, 'score', { document, blocks: [block('a', `[likely_human] ${WORDS}`)] });
  assert.equal(declared.ok.blocks[0].verdict, 'declared_ai', 'the page says so of all that is in it');
});

test('blocks of frames that ask together go out together, and names may repeat', async () => {
  /** @type {import('node:http').ServerResponse[]} */
  const held = [];
  // Two requests are under way; what comes meanwhile waits for them.
  daemon.answers.push(...[1, 2].map(() => (/** @type {string} */ path, /** @type {import('node:http').ServerResponse} */ response) => path === '/v1/score' && held.push(response) > 0));
  const first = [extension.sendFrom(page, 'score', { blocks: [block('1')] }), extension.sendFrom(page, 'score', { blocks: [block('1', 'x'.repeat(30_000))] })];
  await until(() => held.length === 2 || scores().length === 2);
  const later = ['[likely_ai]', '[likely_human]', '[mixed]'].map((word) => extension.sendFrom(page, 'score', { blocks: [block('1', `${word} ${WORDS}`)] }));
  await extension.sendFrom(page, 'look', { blocks: [block('1')] });
  held.forEach((response) => json(response, 500, fail('scoring_failed', 'the model failed on this text')));
  for (const answer of await Promise.all(first)) assert.match(answer.error, /refused: the model failed on this text/);
  assert.deepEqual((await Promise.all(later)).map(({ ok }) => ok.blocks[0].verdict), ['likely_ai', 'likely_human', 'mixed']);
  assert.equal(scores().length < 5, true, 'three questions, fewer requests');
});

test('a busy daemon is waited for, and one text too many does not take the others along', async () => {
  daemon.answers.push((path, response) => {
    if (path !== '/v1/score') return false;
    json(response, 429, fail('overloaded', 'come again'), { 'retry-after': '0' });
    return true;
  });
  assert.equal((await extension.sendFrom(page, 'score', { blocks: [block('1', `[mixed] ${WORDS}`)] })).ok.blocks[0].verdict, 'mixed');
  const tooLong = (/** @type {string} */ path, /** @type {import('node:http').ServerResponse} */ response) => {
    if (path !== '/v1/score') return false;
    json(response, 413, fail('too_many_tokens', 'too many'));
    return true;
  };
  daemon.answers.push(tooLong);
  const halved = await extension.sendFrom(page, 'score', { blocks: [block('1', `[mixed] ${WORDS}`), block('2', `[likely_ai] ${WORDS}`)] });
  assert.deepEqual(halved.ok.blocks.map((/** @type {any} */ { verdict }) => verdict), ['mixed', 'likely_ai']);
  daemon.answers.push(tooLong);
  assert.match((await extension.sendFrom(page, 'score', { blocks: [block('1')] })).error, /too long/);
});

test('how the daemon is goes with the answer, and is no error', async () => {
  const score = () => extension.sendFrom(page, 'score', { blocks: [block('1')] });
  const once = (/** @type {number} */ status, /** @type {string} */ code) => daemon.answers.push((path, response) => {
    if (path !== '/v1/score') return false;
    json(response, status, fail(code, 'said so'));
    return true;
  });
  for (const [status, code, state] of /** @type {const} */ ([
    [401, 'wrong_token', 'unpaired'], [403, 'unpaired_extension', 'unpaired'], [403, 'foreign_token', 'refused'], [503, 'loading', 'loading'],
    [403, 'wrong_origin', 'wrong_version'], [404, 'not_found', 'wrong_version'],
  ])) {
    once(status, code);
    assert.equal((await score()).ok.daemon.state, state, code);
  }
  daemon.answers.push((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Another program</h1>');
    return true;
  });
  assert.equal((await score()).ok.daemon.state, 'wrong_version');
  daemon.answers.push((_, response) => {
    json(response, 200, { blocks: [{ id: '0', verdict: 'certainly_ai' }], model: {} });
    return true;
  });
  assert.equal((await score()).ok.daemon.state, 'wrong_version', 'what has another shape is not used');
  await daemon.close();
  assert.equal((await score()).ok.daemon.state, 'away');
  await extension.send('save', { language: 'zh_CN' });
  assert.match((await extension.send('pair')).ok.daemon.state, /away/);
});

test('messages of another shape, and from where they must not come, do nothing', async () => {
  for (const [name, ask] of /** @type {[string, unknown][]} */ ([
    ['look', null], ['look', { blocks: 'all' }], ['look', { blocks: [{ id: '1', kind: 'poem', text: 'x', part: true }] }],
    ['score', { blocks: [block('1', 'x'.repeat(1_000_001))] }], ['tally', {}], ['tally', { verdicts: { likely_ai: -1 } }],
    ['note', { verdict: 'certain' }], ['signatures', {}], ['nothing', {}], ['__proto__', {}], ['constructor', {}],
  ])) {
    const answer = await extension.sendFrom(page, name, ask);
    assert.match(answer.error, /not understood/, `${name} ${JSON.stringify(ask)?.slice(0, 80)}`);
  }
  for (const name of ['load', 'save', 'daemon', 'pair', 'paired', 'unpair', 'erase', 'notes', 'sign', 'glance', 'once', 'site', 'fingerprint']) {
    assert.match((await extension.sendFrom(page, name, { tab: 1, key: 'x', text: 'x', host: 'x', origin: 'x' })).error, /not understood/, name);
  }
  for (const name of ['settings', 'look', 'score', 'tally', 'note']) {
    assert.match((await extension.send(name, { blocks: [] })).error, /not understood/, name);
  }
  assert.equal((await extension.stored('local'))['token'], daemon.token, 'nothing was unpaired or erased');
  assert.deepEqual(daemon.requests.filter(({ path }) => path !== '/v1/status').map(({ path }) => path), []);
  assert.match((await extension.send('save', { port: 'x' })).error, /not understood/);
  assert.match((await extension.send('save', { surprise: 1 })).error, /not understood/);
});

test('a content script can’t read what is stored, nor reach the daemon', async () => {
  const read = await extension.inScript(page, async () => {
    const attempts = await Promise.allSettled([chrome.storage.local.get(null), chrome.storage.session.get(null)]);
    return attempts.map((attempt) => (attempt.status === 'fulfilled' ? attempt.value : 'denied'));
  });
  assert.deepEqual(read, ['denied', 'denied']);
  const { ok } = await extension.sendFrom(page, 'settings', { host: 'another.test' });
  assert.equal(JSON.stringify(ok).includes(daemon.token), false);
  const reached = await page.evaluate((url) => fetch(`${url}/v1/status`, { method: 'POST', body: '{}' }).then(() => 'read', () => 'blocked'), daemon.url);
  assert.equal(reached, 'blocked');
});

test('nothing is lost when the worker is stopped between two messages', async () => {
  const summary = tally({ likely_ai: 2 });
  await extension.sendFrom(page, 'tally', summary);
  await extension.sendFrom(page, 'note', note('first'));
  await extension.stopWorker();
  assert.equal((await extension.sendFrom(page, 'score', { blocks: [block('1', `[likely_ai] ${WORDS}`)] })).ok.blocks[0].verdict, 'likely_ai');
  await extension.stopWorker();
  assert.equal((await extension.sendFrom(page, 'look', { blocks: [block('1')] })).ok.blocks.length, 1);
  const tab = await extension.tabOf(page);
  assert.equal((await extension.send('glance', { tab })).ok.verdicts.likely_ai, 2);
  await extension.stopWorker();
  await extension.sendFrom(page, 'note', note('second'));
  const { ok: notes } = await extension.send('notes');
  assert.deepEqual(notes.map((/** @type {any} */ { comment }) => comment), ['first', 'second']);
  await extension.stopWorker();
  // Many at once, at a worker that is not there yet.
  const answers = await Promise.all(Array.from({ length: 12 }, (_, index) =>
    extension.sendFrom(page, 'score', { blocks: [block(String(index), `[mixed] ${index} ${WORDS}`)] })));
  assert.deepEqual(answers.map(({ ok }) => ok.blocks[0].id), Array.from({ length: 12 }, (_, index) => String(index)));
});

test('the worker starts quickly, and makes the checks ready when they are first needed', async () => {
  await extension.stopWorker();
  const started = await extension.inScript(page, async () => {
    const times = [];
    for (let turn = 0; turn < 2; turn += 1) {
      const begin = performance.now();
      await chrome.runtime.sendMessage({ name: 'look', ask: { blocks: [{ id: '1', kind: 'post', text: 'Hello', part: true }] } });
      times.push(performance.now() - begin);
    }
    return times;
  });
  assert.equal((started[0] ?? Infinity) < 2_000, true, `${started[0]} ms from nothing to the first reply`);
  assert.equal((started[1] ?? Infinity) < 200, true, `${started[1]} ms afterwards`);
});

test('the sign in the toolbar counts what is labelled, and goes with the page', async () => {
  const tab = await extension.tabOf(page);
  const sign = async () => (await extension.worker()).evaluate(async (tabId) => ({
    text: await chrome.action.getBadgeText({ tabId }), title: await chrome.action.getTitle({ tabId }),
    colour: (await chrome.action.getBadgeBackgroundColor({ tabId })).slice(0, 3),
  }), tab);
  await extension.sendFrom(page, 'tally', tally({ likely_ai: 1, likely_human: 2, unclear: 7 }));
  assert.deepEqual(await sign(), { text: '3', title: 'bonafide: 1 text looks like a model’s, 2 texts look like a human’s', colour: [0xa8, 0x48, 0x0a] });
  await extension.sendFrom(page, 'tally', tally({ unclear: 7 }));
  assert.deepEqual(await sign().then(({ text, title }) => ({ text, title })), { text: '', title: 'bonafide' });
  await extension.sendFrom(page, 'tally', tally({ declared_ai: 1_200 }));
  assert.equal((await sign()).text, '999+');
  await page.evaluate(() => history.pushState({}, '', '/another'));
  assert.equal((await extension.send('glance', { tab })).ok.verdicts.declared_ai, 1_200, 'the same document still');
  await page.goto('about:blank');
  await until(async () => (await extension.send('glance', { tab })).ok === null);
  assert.equal((await sign()).text, '');
  assert.deepEqual(Object.keys(await extension.stored('session')).filter((key) => key.startsWith('tab:')), []);
});

test('a site that is switched off gets no settings, and neither does one within it', async () => {
  assert.equal((await extension.sendFrom(page, 'settings', { host: 'news.test' })).ok.settings.port, daemon.port);
  assert.deepEqual((await extension.send('site', { host: 'news.test', origin: address() })).ok, 'on');
  await extension.send('save', { off: ['news.test'] });
  assert.equal((await extension.sendFrom(page, 'settings', { host: 'other.test' })).ok, null, 'what the message says of its host plays no part');
  assert.deepEqual((await extension.send('site', { host: 'news.test', origin: address() })).ok, 'off');
  const registered = await (await extension.worker()).evaluate(() => chrome.scripting.getRegisteredContentScripts());
  assert.equal(registered[0]?.excludeMatches?.includes('*://news.test/*'), true);
  await extension.send('save', { off: [] });
  assert.notEqual((await extension.sendFrom(page, 'settings', { host: 'news.test' })).ok, null);
  for (const [host, origin, state] of [['example.org', 'https://example.org', 'no_permission'], ['127.0.0.1', daemon.url, 'impossible'],
    ['x', 'chrome://settings', 'impossible'], ['x', 'nonsense', 'impossible']]) {
    assert.equal((await extension.send('site', { host, origin })).ok, state, origin);
  }
});

test('damaged settings become defaults field by field, and the damaged ones are kept', async () => {
  const rule = { id: 'a', on: true, verdicts: ['likely_ai'], action: 'hide' };
  const damaged = { language: 'en', port: daemon.port, strictness: 'much', rules: [rule, { id: 'b', action: 'explode' }, null], off: 'everything', pins: [] };
  await (await extension.worker()).evaluate((settings) => chrome.storage.local.set({ settings }), damaged);
  const { ok } = await extension.send('load');
  assert.deepEqual({ ...ok }, { ...ok, language: 'en', port: daemon.port, strictness: 0, rules: [rule], off: [], pins: {} });
  const stored = await extension.stored('local');
  const [kept] = Object.keys(stored).filter((key) => key.startsWith('damaged:'));
  assert.deepEqual(stored[kept ?? ''], damaged);
  for (const settings of [null, 'x', 7, []]) {
    await (await extension.worker()).evaluate((settings) => chrome.storage.local.set({ settings }), settings);
    assert.equal((await extension.send('load')).ok.port, 8017);
    assert.notEqual((await extension.sendFrom(page, 'settings', { host: 'news.test' })).ok, null);
  }
});

test('notes hold a keyed hash in the place of the text, and only so many', async () => {
  await extension.sendFrom(page, 'note', note('one', WORDS));
  await extension.sendFrom(page, 'note', note('two', WORDS));
  await extension.sendFrom(page, 'note', note('three', 'another text'));
  const { notes, installation } = await extension.stored('local');
  assert.deepEqual(notes.map((/** @type {any} */ { host, comment, said }) => [host, comment, said]), [['news.test', 'one', 'human'], ['news.test', 'two', 'human'], ['news.test', 'three', 'human']]);
  assert.match(installation, /^[0-9a-f]{64}$/);
  assert.match(notes[0].text, /^[0-9a-f]{64}$/);
  assert.equal(notes[0].text, notes[1].text);
  assert.notEqual(notes[0].text, notes[2].text);
  assert.equal(JSON.stringify(await extension.stored('local')).includes('Clear words'), false);
  await (await extension.worker()).evaluate((one) => chrome.storage.local.set({ notes: Array.from({ length: 500 }, () => one) }), { ...notes[0], comment: 'old' });
  await extension.sendFrom(page, 'note', note('new'));
  const { ok } = await extension.send('notes');
  assert.deepEqual([ok.length, ok.at(-1).comment], [500, 'new']);
});

test('rules are synced only while the user wants it', async () => {
  const rule = (/** @type {string} */ id) => ({ id, on: true, action: 'dim' });
  await extension.send('save', { rules: [rule('a')] });
  assert.deepEqual(await extension.stored('sync'), {});
  await (await extension.worker()).evaluate((rule) => chrome.storage.sync.set({ 'rule:0': rule }), rule('elsewhere'));
  assert.deepEqual((await extension.send('load')).ok.rules, [rule('a')]);
  await extension.send('save', { sync: true });
  assert.deepEqual((await extension.send('load')).ok.rules, [rule('elsewhere'), rule('a')], 'nothing of either is lost');
  assert.deepEqual(await extension.stored('sync'), { 'rule:0': rule('elsewhere'), 'rule:1': rule('a') });
  await extension.send('save', { rules: [rule('b')], strictness: 0.9 });
  assert.deepEqual(await extension.stored('sync'), { 'rule:0': rule('b') }, 'rules and nothing else');
  await (await extension.worker()).evaluate((rule) => chrome.storage.sync.set({ 'rule:1': rule }), rule('c'));
  await until(async () => (await extension.send('load')).ok.rules.length === 2);
});

test('contacts go first, then the daemon’s word, and a key that is new for an identity is told of', async () => {
  const { tokens } = JSON.parse(await readFile(new URL('../../core/src/signature/vectors.json', import.meta.url), 'utf8'));
  const [{ text, token }] = tokens;
  const signed = async () => (await extension.sendFrom(page, 'signatures', { text: `${text} ${token}` })).ok.statements;
  const [unknown] = await signed();
  const key = unknown.key.public_key;
  const identity = unknown.statement.author.identity;
  assert.equal(unknown.result, 'unknown_key');
  assert.deepEqual(daemon.requests.find(({ path }) => path === '/v1/facts')?.body, { keys: [{ public_key: key, identity }] });
  assert.deepEqual((await extension.send('load')).ok.pins, {}, 'what nobody vouches for is not pinned');

  await extension.send('save', { contacts: [{ name: 'Ada of the library', key: `${key}`, added: '2026-01-01T00:00:00Z' }] });
  assert.deepEqual((await signed()).map((/** @type {any} */ { result, contact }) => [result, contact]), [['trusted', 'Ada of the library']]);
  await extension.send('save', { contacts: [] });

  const listed = { contact: null, own: false, publication: { listed: { key } }, changed: false, revoked: null };
  daemon.facts.set(`${key} ${identity}`, listed);
  assert.equal((await signed())[0].result, 'published');
  assert.deepEqual((await extension.send('load')).ok.pins, { [identity]: [key] });

  const other = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f';
  await extension.send('save', { pins: { [identity]: [other] } });
  assert.equal((await signed())[0].result, 'key_changed', 'the daemon has just met it, but this browser knew it by another key');
  assert.deepEqual((await extension.send('load')).ok.pins, { [identity]: [other] });
  daemon.facts.set(`${other} ${identity}`, { ...listed, publication: { listed: { key: other } } });
  assert.equal((await signed())[0].result, 'published', 'who still publishes the old key has added one');
  assert.deepEqual((await extension.send('load')).ok.pins, { [identity]: [other, key] });

  await daemon.close();
  await extension.send('daemon');
  assert.equal((await signed())[0].result, 'unknown_key', 'without the daemon nobody can say who publishes it');
  await extension.send('save', { pins: { [identity]: [other] } });
  assert.equal((await signed())[0].result, 'key_changed');
  const altered = await extension.sendFrom(page, 'signatures', { text: `${text.replace('eight', 'nine')} ${token}` });
  assert.equal(altered.ok.statements[0].result, 'altered');
});

test('to sign is asked of the daemon, whose page opens only at its own address', async () => {
  assert.deepEqual((await extension.send('sign', { text: 'My words.' })).ok, { url: `${daemon.url}/sign` });
  assert.deepEqual(daemon.requests.at(-1)?.body, { text: 'My words.', form: 'line' });
  daemon.answers.push((_, response) => {
    json(response, 202, { id: '1', confirm_url: 'https://elsewhere.example/sign', expires_in: 600 });
    return true;
  });
  assert.deepEqual((await extension.send('sign', { text: 'My words.' })).ok.daemon.state, 'wrong_version');
});

test('everything is erased, and the daemon is told', async () => {
  await extension.sendFrom(page, 'note', note('one'));
  await extension.send('save', { rules: [{ id: 'a', on: true, action: 'dim' }], sync: true });
  await extension.send('erase');
  const left = await extension.stored('local');
  assert.deepEqual(Object.keys(left), []);
  assert.deepEqual(await extension.stored('sync'), {});
  assert.equal(daemon.paired, false);
});

/** @param {Record<string, number>} verdicts */
function tally(verdicts) {
  return {
    verdicts: { human_signed: 0, likely_human: 0, unclear: 0, mixed: 0, likely_ai: 0, declared_ai: 0, ...verdicts },
    pending: 0, hidden: 0, statements: [], adapter: null,
  };
}

function note(comment = '', text = 'A text.') {
  return { at: '2026-01-01T00:00:00Z', host: 'forged.test', verdict: 'likely_ai', said: 'human', comment, text };
}

/** @param {() => boolean|Promise<boolean>} holds */
async function until(holds) {
  for (const end = Date.now() + 10_000; Date.now() < end;) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it never came to that');
}
