// @ts-check
// How chats are followed: windows of a conversation put together, what is sent of it, and whose words count as whose.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { launch } from './browser.mjs';
import { bundle } from './bundle.mjs';
import { until } from './tree.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('playwright-core').Page} */
let page;

before(async () => {
  const script = await bundle('scamentry.ts');
  browser = await launch();
  page = await browser.newPage({ timezoneId: 'Europe/Berlin' });
  await page.goto('about:blank');
  await page.addScriptTag({ content: script });
});
after(() => browser?.close());
beforeEach(async () => {
  await page.setContent('<main id="list"></main>');
  await page.evaluate(() => /** @type {any} */ (globalThis).begin());
});

/**
 * @template T, A
 * @param {(all: any, argument: A) => T} run With everything that the script has left.
 * @param {A} [argument]
 * @returns {Promise<Awaited<T>>}
 */
const inPage = (run, argument) => page.evaluate(`(${run})(globalThis, ${JSON.stringify(argument ?? null)})`);
/** @param {string[][]} list @param {boolean} [apart] */
const windows = (list, apart = false) => inPage((all, [given, far]) => all.windows(given, far), /** @type {const} */ ([list, apart]));

/** Messages by letters: capitals are the reader's. @param {string} letters */
const talk = (letters) => [...letters].map((letter) => `${letter === letter.toLowerCase() ? 'them' : 'me'}: ${letter}`);
/** @param {string[]} seen @param {boolean} [apart] */
const joined = async (seen, apart) => (await windows(seen.map(talk), apart)).turns.join('');

describe('windows of a conversation are put together', () => {
  for (const [what, seen, whole] of /** @type {[string, string[], string][]} */ ([
    ['a message more', ['aBc', 'aBcd'], 'aBcd'],
    ['older ones above', ['def', 'abCdef'], 'abCdef'],
    ['a list that moves upwards and drops what is below', ['cdef', 'bcd', 'abc'], 'abcdef'],
    ['and down again, to what is new', ['cdef', 'abcd', 'efgh'], 'abcdefgh'],
    ['the same window', ['abc', 'abc'], 'abc'],
    ['a smaller one', ['abcd', 'bc'], 'abcd'],
    ['nothing at all', ['abc', ''], 'abc'],
    ['messages that repeat', ['aaba', 'abaa'], 'aabaa'],
    ['one that was deleted was said all the same', ['abcdef', 'abcef'], 'abcdef'],
    ['one that was inserted between', ['abcdef', 'abcxdef'], 'abcxdef'],
    ['a short chance agreement is no reason to double all', ['oabcdefgh', 'abcdxfgho'], 'oabcdexfgho'],
  ])) {
    test(what, async () => assert.equal(await joined(seen), whole));
  }

  test('what has nothing in common is put off, and then stands before what is known', async () => {
    const { turns, taken } = await windows([talk('xyz'), talk('abc')]);
    assert.deepEqual([turns.join(''), taken], ['xyz', [true, false]]);
    assert.equal(await joined(['xyz', 'abc'], true), 'abcxyz');
  });

  test('unless times say otherwise', async () => {
    const timed = (/** @type {string} */ letters, /** @type {number} */ from) => [...letters].map((letter, place) => `them: ${letter} @ ${from + place}`);
    assert.equal((await windows([timed('abc', 10), timed('xyz', 20)], true)).turns.join(''), 'abcxyz');
    assert.equal((await windows([timed('abc', 10), timed('xyz', 20), timed('k', 15)], true)).turns.join(''), 'abckxyz');
  });

  test('by the site’s names an edited message is the same one, and equal ones are two', async () => {
    const { turns, steady } = await windows([['them #1: send money', 'me #2: ok', 'them #3: ok'], ['them #1: hello', 'me #2: ok', 'them #3: ok', 'them #4: ok']]);
    assert.deepEqual(turns, ['hello', 'ok', 'ok', 'ok']);
    assert.equal(steady, 4);
  });

  test('a message that was folded and is unfolded is one', async () => {
    const start = 'It is a long story that began last year when my uncle';
    const { turns } = await windows([['me: hi', `them: ${start}… Read more`], ['me: hi', `them: ${start} told me of a platform.`], ['me: hi', `them: ${start}… Read more`]]);
    assert.deepEqual(turns, ['hi', `${start} told me of a platform.`]);
  });

  test('a very long conversation keeps its end', async () => {
    const [most, { turns }] = await inPage((all) => {
      const lines = Array.from({ length: all.MOST_TURNS + 7 }, (_, place) => `them: ${place}`);
      return [all.MOST_TURNS, all.windows([lines])];
    });
    assert.ok(turns.length < most && turns.length > most / 2);
    assert.equal(turns.at(-1), String(most + 6));
  });
});

describe('what is sent', () => {
  /** @param {string[]} lines @param {Record<string, unknown>} [changes] @param {boolean} [reuse] */
  const see = (lines, changes = {}, reuse = false) => inPage((all, [said, more, again]) => {
    Object.assign(all.lab, more);
    return all.lab.see(said, again);
  }, /** @type {const} */ ([lines, changes, reuse]));
  /** @returns {Promise<any[]>} */
  const asked = () => inPage((all) => all.lab.asked);
  const sent = async () => (await asked()).map(({ key, before, turns }) => [key.replace('Site ', ''), before, turns.map((/** @type {any} */ { text }) => text).join('')]);
  /** @param {unknown[][]} wanted */
  const comes = async (wanted) => assert.deepEqual(await until(sent, ({ length }) => length >= wanted.length, `${wanted.length} questions`), wanted);
  const here = () => inPage((all) => all.lab.here());

  test('only what is new, once', async () => {
    await see(talk('aB'));
    await comes([['one', 0, 'aB']]);
    await see(talk('aB'));
    await see(talk('aBc'));
    await comes([['one', 0, 'aB'], ['one', 2, 'c']]);
    assert.deepEqual((await asked())[0].turns, [{ side: 'them', text: 'a', at: null }, { side: 'me', text: 'B', at: null }]);
  });

  test('all of it if older messages came above, or if the background has forgotten it', async () => {
    await see(talk('cd'));
    await comes([['one', 0, 'cd']]);
    await see(talk('abcd'));
    await comes([['one', 0, 'cd'], ['one', 0, 'abcd']]);
    await inPage((all) => all.lab.known.clear());
    await see(talk('abcde'));
    await comes([['one', 0, 'cd'], ['one', 0, 'abcd'], ['one', 4, 'e'], ['one', 0, 'abcde']]);
  });

  test('each conversation for itself, and words of the last one that still stand there are not the next one’s', async () => {
    await see(talk('ab'));
    await comes([['one', 0, 'ab']]);
    // The address has changed, the messages have not yet.
    await see(talk('ab'), { key: 'two' }, true);
    await see(talk('xy'), {}, true);
    await comes([['one', 0, 'ab'], ['two', 0, 'xy']]);
    await see(talk('ab'), { key: 'one' });
    await see(talk('abc'));
    await comes([['one', 0, 'ab'], ['two', 0, 'xy'], ['one', 2, 'c']]);
  });

  test('something entirely else under the same name is looked at twice', async () => {
    await see(talk('ab'));
    await comes([['one', 0, 'ab']]);
    assert.equal(typeof await see(talk('xy')), 'number');
    assert.equal(await see(talk('xy')), null);
    await comes([['one', 0, 'ab'], ['one', 0, 'xyab']]);
    assert.equal(typeof await see(talk('kl')), 'number');
    assert.equal(await see(talk('kl'), { key: 'two' }), null);
    await comes([['one', 0, 'ab'], ['one', 0, 'xyab'], ['two', 0, 'kl']]);
  });

  test('a message of an unknown side counts as theirs only under a name that is surely theirs', async () => {
    await see(['them Mira: a', 'me Robin: b', 'unknown Mira: c', 'unknown Robin: d', 'unknown: e', 'unknown Eve: f']);
    await comes([['one', 0, 'abc']]);
    assert.deepEqual((await asked())[0].turns.map((/** @type {any} */ { side }) => side), ['them', 'me', 'them']);
    await see(['unknown: x', 'unknown Mira: y'], { key: 'notes' });
    await see(['them: z'], { key: 'two' });
    await comes([['one', 0, 'abc'], ['two', 0, 'z']]);
  });

  test('a stranger stays one when the bar that says so is closed', async () => {
    await see(talk('a'), { stranger: true });
    await until(asked, ({ length }) => length === 1, 'a question');
    await see(talk('ab'), { stranger: null });
    await until(asked, ({ length }) => length === 2, 'another');
    assert.deepEqual((await asked()).map(({ setting }) => setting), [{ new_contact: true }, { new_contact: true }]);
  });

  test('a warning knows its messages, and which of them are in the page', async () => {
    await see(talk('aBc'), { risk: 'caution' });
    assert.deepEqual(await until(here, Boolean, 'a warning'), ['them: a', 'me: B', 'them: c']);
    // The list uses its elements again.
    await see(talk('Bcd'), {}, true);
    assert.deepEqual(await until(here, (list) => list?.length === 4, 'four messages'), ['them: a (away)', 'me: B', 'them: c', 'them: d']);
    await see([], { key: null });
    assert.equal(await here(), null);
    await see(talk('Bcd'), { key: 'one' });
    assert.equal((await here())?.length, 4);
  });

  test('a conversation that is no scam is left in peace, unless it becomes graver', async () => {
    await see(talk('a'), { risk: 'caution' });
    await until(here, Boolean, 'a warning');
    const state = () => inPage((all) => all.lab.chats.state());
    assert.deepEqual(await state(), { risk: 'caution', hushed: false });
    await inPage((all) => all.lab.chats.hush('Site one'));
    assert.equal(await here(), null);
    assert.deepEqual(await state(), { risk: 'caution', hushed: true });
    await see(talk('ab'));
    await until(asked, ({ length }) => length === 2, 'another question');
    await see(talk('ab'));
    assert.equal(await here(), null);
    await see(talk('abc'), { risk: 'danger' });
    await until(here, Boolean, 'a graver warning');
    await inPage((all) => all.lab.chats.hush('Site one'));
    assert.equal(await here(), null);
    await see(talk('x'), { key: 'two' });
    await until(here, Boolean, 'a warning of another conversation');
  });

  test('switched off it asks nothing and warns of nothing', async () => {
    await see(talk('a'), { risk: 'danger' });
    await until(here, Boolean, 'a warning');
    await inPage((all) => {
      all.lab.settings.scam = false;
      all.lab.chats.change();
    });
    assert.equal(await here(), null);
    assert.equal(await inPage((all) => all.lab.chats.state()), null);
    await see(talk('ab'));
    assert.equal((await asked()).length, 1);
  });

  test('what can’t be read is not tried for ever', async () => {
    for (let count = 1; count <= 3; count += 1) {
      await see(talk('abcdef'.slice(0, count)), { failing: true });
      await until(asked, ({ length }) => length === count, `${count} questions`);
    }
    await until(() => inPage((all) => all.lab.chats.asking), (asking) => !asking, 'the end of the last one');
    await see(talk('abcd'), { failing: false });
    assert.deepEqual(await inPage((all) => [all.lab.chats.timer, all.lab.chats.asking, all.lab.asked.length]), [null, false, 3]);
  });

  test('sentences are asked for in the language of the interface, with the browser’s region', async () => {
    const told = await inPage((all) => [['auto', 'en-GB'], ['auto', 'fr-CA'], ['en', 'en-SG'], ['en', 'zh-CN'], ['zh_CN', 'zh-TW'], ['zh_CN', 'en-US']].map(([chosen, browser]) => all.spoken(chosen, browser)));
    assert.deepEqual(told, ['en-GB', 'fr-CA', 'en-SG', 'en', 'zh-TW', 'zh-CN']);
    await see(talk('a'));
    assert.equal((await until(asked, ({ length }) => length === 1, 'a question'))[0].language, 'en-US');
  });
});

test('words are those of the message, with emoji, lines and whatever evades a filter', async () => {
  await page.setContent('<div id="m">Add me on <b>t</b>.<b>m</b>.e/x <img alt="🥔"><br>now<div>V\u200b信</div><time>10:02</time><script>1</script><span class="quote">old</span></div>');
  assert.equal(await inPage((all) => {
    const root = all.document.querySelector('#m');
    return all.wordsOf(root, [...root.querySelectorAll('time, .quote')]);
  }), 'Add me on t.m.e/x 🥔\nnow\nV\u200b信');
});

test('a time is read only if it can be no other', async () => {
  const read = (/** @type {string} */ written, /** @type {string[]} */ others = []) => inPage((all, [one, more]) => {
    const at = all.moment(one, all.dateOrder(more));
    return at === null ? null : new Date(at).toISOString();
  }, /** @type {const} */ ([written, [written, ...others]]));
  for (const [written, others, wanted] of /** @type {[string, string[], string | null][]} */ ([
    ['10:30, 28/09/2026', [], '2026-09-28T08:30:00.000Z'],
    ['10:30 PM, 9/28/2026', [], '2026-09-28T20:30:00.000Z'],
    ['12:05 am, 9/28/2026', [], '2026-09-27T22:05:00.000Z'],
    ['上午10:30, 2026年9月28日', [], '2026-09-28T08:30:00.000Z'],
    ['下午1:30, 2026/9/8', [], '2026-09-08T11:30:00.000Z'],
    ['10.30, 28.9.2026', [], '2026-09-28T08:30:00.000Z'],
    ['10:30, 2026-09-05', [], '2026-09-05T08:30:00.000Z'],
    ['10:30, 05/09/2026', [], null],
    ['10:30, 05/05/2026', [], '2026-05-05T08:30:00.000Z'],
    ['10:30, 05/09/2026', ['10:31, 13/09/2026'], '2026-09-05T08:30:00.000Z'],
    ['10:30, 05/09/2026', ['10:31, 9/13/2026'], '2026-05-09T08:30:00.000Z'],
    ['10:30, 05/09/2026', ['10:31, 13/09/2026', '10:31, 9/13/2026'], null],
    ['10:30, 28/09/26', [], null],
    ['10:30 chiều, 28/09/2026', [], null],
    ['13:30 PM, 28/09/2026', [], null],
    ['10:30, 31/02/2026', [], null],
    ['10:30, yesterday', [], null],
    ['', [], null],
  ])) assert.equal(await read(written, others), wanted, written);
});
