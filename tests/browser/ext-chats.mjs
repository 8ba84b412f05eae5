// @ts-check
// How the background follows chats: turn by turn, in memory, and without a word from a chat that it has forgotten. What the
// engine finds does not matter here.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { launchExtension } from './extension.mjs';
import { serve } from './server.mjs';
import { comes as until } from './tree.mjs';

/** @type {Awaited<ReturnType<typeof launchExtension>>} */
let extension;
/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
/** @type {import('playwright-core').Page} */
let page;

before(async () => {
  site = await serve({ '/empty.html': '<!doctype html><title>Empty</title>' });
  extension = await launchExtension();
});
after(async () => {
  await extension.close();
  await site.close();
});
beforeEach(async () => {
  await extension.reset();
  await page?.close();
  page = await visit();
});

async function visit() {
  const made = await extension.context.newPage();
  await made.goto(site.url('chat.test', '/empty.html'));
  // Its content script has had its say.
  const tab = await extension.tabOf(made);
  await until(async () => (await extension.stored('session'))[`tab:${tab}`]?.frames[0]?.summary);
  return made;
}

/** @typedef {{side: string, text: string, at: number | null}} Turn */

/** @returns {Turn[]} */
const turns = (/** @type {string[]} */ ...texts) => texts.map((text, place) => ({ side: place % 2 === 0 ? 'them' : 'me', text, at: null }));
/** @param {number} before @param {Turn[]} said @param {Record<string, unknown>} [more] @param {import('playwright-core').Page} [from] */
const send = (before, said, more = {}, from = page) => extension.sendFrom(from, 'scam', { key: 'one', before, turns: said, setting: {}, language: 'en-GB', ...more });
/** How many turns a report was on, or that all are wanted again. @param {any} answer */
const read = ({ ok, error }) => (error !== undefined ? error : 'again' in ok ? 'again' : ok.report.turns);

test('turn by turn, each chat for itself, and a report in the right shape', async () => {
  const { ok: { report } } = await send(0, turns('Hello', 'Hi'));
  assert.deepEqual(Object.keys(report).sort(), ['advice', 'evidence', 'model', 'pattern', 'probability', 'risk', 'stage', 'turns']);
  assert.ok(['none', 'caution', 'danger'].includes(report.risk));
  assert.equal(report.turns, 2);
  assert.equal(read(await send(2, turns('How are you?'))), 3);
  assert.equal(read(await send(0, turns('Hello'), { key: 'two' })), 1);
  assert.equal(read(await send(3, [], { setting: { new_contact: true }, language: 'zh-CN' })), 3, 'nothing new, but another setting and language');
  assert.equal(read(await send(3, [{ side: 'me', text: 'Well', at: 1_764_324_010_000 }])), 4);
});

test('from 0 it begins anew, and a count that does not fit wants all of it again', async () => {
  assert.equal(read(await send(0, turns('a', 'b', 'c'))), 3);
  assert.equal(read(await send(2, turns('d'))), 'again');
  assert.equal(read(await send(4, turns('d'))), 'again');
  assert.equal(read(await send(3, turns('d'))), 4, 'and nothing was lost by that');
  assert.equal(read(await send(0, turns('a'))), 1);
  assert.equal(read(await send(1, turns('b'), { key: 'unheard of' })), 'again');
});

test('a worker that was stopped knows nothing, and asks for all', async () => {
  assert.equal(read(await send(0, turns('a', 'b'))), 2);
  await extension.stopWorker();
  assert.equal(read(await send(2, turns('c'))), 'again');
  assert.equal(read(await send(0, turns('a', 'b', 'c'))), 3);
});

test('tabs are kept apart, and one that is closed or reloaded is forgotten', async () => {
  const other = await visit();
  assert.equal(read(await send(0, turns('a', 'b'))), 2);
  assert.equal(read(await send(2, turns('c'), {}, other)), 'again');
  assert.equal(read(await send(0, turns('x'), {}, other)), 1);
  await other.close();
  assert.equal(read(await send(2, turns('c'))), 3);
  await page.reload();
  const tab = await extension.tabOf(page);
  await until(async () => (await extension.stored('session'))[`tab:${tab}`]?.frames[0]?.summary);
  assert.equal(read(await send(3, turns('d'))), 'again');
});

test('of very many chats those that were spoken in last are kept', async () => {
  for (let count = 0; count < 60; count += 1) {
    assert.equal(read(await send(0, turns('a'), { key: `chat ${count}` })), 1);
    if (count === 30) assert.equal(read(await send(1, turns('b'), { key: 'chat 0' })), 2);
  }
  assert.equal(read(await send(1, turns('b'), { key: 'chat 59' })), 2);
  assert.equal(read(await send(2, turns('c'), { key: 'chat 0' })), 3);
  assert.equal(read(await send(1, turns('b'), { key: 'chat 1' })), 'again');
});

test('nothing of it is stored, whatever is said', async () => {
  assert.equal(read(await send(0, turns('The secret word is marmalade.'))), 1);
  for (const area of /** @type {const} */ (['local', 'session', 'sync'])) {
    assert.equal(JSON.stringify(await extension.stored(area)).includes('marmalade'), false, area);
  }
});

test('messages of another shape are not understood', async () => {
  const long = [{ side: 'them', text: 'x'.repeat(20_001), at: null }];
  for (const more of [
    { key: 1 }, { before: -1 }, { before: 0.5 }, { turns: 'all' }, { turns: [{ side: 'unknown', text: 'x', at: null }] },
    { turns: [{ side: 'me', text: 'x' }] }, { turns: [{ side: 'me', text: 'x', at: 1.5 }] }, { turns: [{ side: 'me', text: 'x', at: 9e15 }] },
    { turns: long }, { setting: null }, { setting: { new_contact: 'yes' } }, { setting: { second_opinion: 3 } }, { language: 'x'.repeat(36) },
  ]) {
    assert.match(read(await send(0, turns('a'), more)), /not understood/, JSON.stringify(more).slice(0, 80));
  }
  assert.equal(read(await send(0, [{ side: 'them', text: '界'.repeat(20_000), at: null }])), 1, 'the longest message that is allowed can be read');
});

test('switched off in the options, nothing is read, and what was known is gone', async () => {
  assert.equal(read(await send(0, turns('a'))), 1);
  const options = await extension.openOptions();
  const box = options.getByRole('checkbox', { name: /Warn of scams in chats/ });
  assert.equal(await box.isChecked(), true, 'it is on by default');
  await box.click();
  await until(async () => (await extension.send('load')).ok.scam === false);
  assert.match(read(await send(1, turns('b'))), /switched off/);
  await box.click();
  await until(async () => (await extension.send('load')).ok.scam === true);
  assert.equal(read(await send(1, turns('b'))), 'again');
  await options.close();
});

test('the popup tells the risk of the open chat', async () => {
  const verdicts = { human_signed: 0, likely_human: 0, unclear: 0, mixed: 0, likely_ai: 0, declared_ai: 0 };
  const tally = (/** @type {unknown} */ scam) => extension.sendFrom(page, 'tally', { verdicts, pending: 0, hidden: 0, statements: [], adapter: null, scam });
  const popup = await extension.openPopup(page);
  for (const [scam, said] of /** @type {const} */ ([
    [{ risk: 'none', hushed: false }, /Open chat: nothing that scams do/], [{ risk: 'caution', hushed: false }, /Open chat: caution/],
    [{ risk: 'danger', hushed: false }, /Open chat: danger/], [{ risk: 'danger', hushed: true }, /Its warning is hidden/],
  ])) {
    assert.equal((await tally(scam)).error, undefined);
    await popup.getByText(said).waitFor();
  }
  await tally(null);
  await popup.getByText(/Open chat/).waitFor({ state: 'detached' });
  assert.match((await tally({ risk: 'certain', hushed: false })).error, /not understood/);
  await popup.close();
});
