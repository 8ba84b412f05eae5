// @ts-check
// The page's arithmetic on text, without a browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countWords, cut, places, plainMarkdown } from '../../server/src/http/web/blocks.js';

const paragraph = (/** @type {number} */ count) => Array(count).fill('word').join(' ');
const sizes = (/** @type {number[]} */ ...counts) => cut(counts.map(paragraph).join('\n\n')).map(countWords);
const bare = (/** @type {string} */ text) => text.replace(/\s+/g, '');

test('short paragraphs are put together evenly, as on the command line', () => {
  assert.deepEqual(sizes(30, 30, 30), [90]);
  assert.deepEqual(sizes(...Array(8).fill(50)), [200, 200]);
  assert.deepEqual(sizes(100, 100, 100), [200, 100]);
  assert.deepEqual(sizes(580), [580]);
  assert.deepEqual(sizes(10, 580), [590]);
  assert.deepEqual(sizes(240, 20), [260]);
  assert.deepEqual(sizes(590, 20), [590, 20]);
});

test('whatever is cut, nothing but white space is lost', () => {
  const sentence = 'We went to the park today. ';
  for (const text of ['', ' \n\n ', sentence.repeat(900), '我们今天去公园玩。'.repeat(900), 'x'.repeat(50_000), '🔑'.repeat(9000),
    'no end '.repeat(5000), 'a\r\n\r\nb\rc', `${sentence}\n`.repeat(700), '\u0000\uD800 lone']) {
    const blocks = cut(text);
    assert.equal(bare(blocks.join('')), bare(text));
    assert.ok(blocks.every((block) => countWords(block) <= 700 && block.length <= 12_000 && block.trim() === block));
    assert.ok(blocks.every((block) => block.isWellFormed() || !text.isWellFormed()), 'no pair is cut in two');
  }
  assert.ok(cut('x'.repeat(1_000_000)).length > 50);
});

test('characters without width are kept, wherever they stand', () => {
  for (const text of ['\ufeffa\ufeff\u200b\ufeff', 'a\u2060\n\n\ufeffb']) assert.equal(cut(text).join('\n\n'), text);
});

test('words are counted in scripts with and without spaces', () => {
  assert.equal(countWords("It's 3 o'clock — really!"), 4);
  assert.equal(countWords('我们今天去 park'), 6);
  assert.equal(countWords('🙂 … —'), 0);
});

test('code points find their places', () => {
  assert.deepEqual([...places('a🔑b')], [0, 1, 3, 4]);
  assert.deepEqual([...places('')], [0]);
});

test('Markdown becomes what its reader reads', () => {
  assert.equal(plainMarkdown('---\ntitle: x\n---\n# Head\ntext *soft* and __hard__ and `code`\n\n- [x] item\n2. two\n\n> quoted\n\n'
    + '| a | b |\n|---|---|\n\n```js\nlet x;\n```\n![alt](i.png)end [link][1] snake_case_name 2*3*4'),
  'Head\n\ntext soft and hard and code\n\nitem\ntwo\n\nquoted\n\nend link snake_case_name 2*3*4');
});
