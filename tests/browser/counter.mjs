// @ts-check
// What the editor counts, and how a text is shown as it is, without a browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counter } from '../../server/src/http/web/counter.js';

/** An editor: keys, pastes and deletions at a caret, as a browser tells of them. */
class Editor {
  counter = new Counter();
  text = '';
  caret = 0;
  now = 0;

  /**
   * @param {string} type
   * @param {number} start
   * @param {number} end
   * @param {string} put
   */
  replace(type, start, end, put) {
    this.text = this.text.slice(0, start) + put + this.text.slice(end);
    this.caret = start + put.length;
    this.counter.change(this.text, type, this.caret, this.now);
    return this;
  }

  /** @param {string} keys */
  type(keys) {
    for (const key of keys) this.replace(key === '\n' ? 'insertLineBreak' : 'insertText', this.caret, this.caret, key);
    return this;
  }

  back(times = 1) {
    for (; times > 0; times -= 1) this.replace('deleteContentBackward', this.caret - 1, this.caret, '');
    return this;
  }

  /** @param {string} text */
  paste(text) {
    return this.replace('insertFromPaste', this.caret, this.caret, text);
  }

  /** @param {number} caret */
  at(caret) {
    this.caret = caret;
    return this;
  }

  figures() {
    return this.counter.figures(this.text);
  }
}

const write = () => new Editor();

test('keys and deletions are counted, minutes only while somebody writes', () => {
  const editor = write().type('Helo').back().type('lo');
  assert.deepEqual(editor.figures(), { keystrokes: 6, deletions: 1, pasted_percent: 0, active_minutes: 1, revisions: 0 });
  editor.now = 5 * 60_000;
  editor.type('!');
  editor.now = 5 * 60_000 + 59_000;
  editor.type('!');
  assert.equal(editor.figures().active_minutes, 2);
});

test('what is pasted is counted by what is left of it', () => {
  const editor = write().type('12345').paste('abcde');
  assert.equal(editor.figures().pasted_percent, 50);
  editor.back(5);
  assert.equal(editor.figures().pasted_percent, 0);
  assert.equal(write().paste('all of it').figures().pasted_percent, 100);
  assert.equal(write().type('x'.repeat(999)).paste('y').figures().pasted_percent, 1, 'never rounded to nothing');
  assert.equal(write().paste('y'.repeat(999)).type('x').figures().pasted_percent, 99, 'nor to everything');
});

test('what comes whole came from elsewhere, whatever it is called', () => {
  for (const type of ['insertFromDrop', 'insertText', 'insertReplacementText', 'formatBold', '']) {
    const long = write().replace(type, 0, 0, 'A whole sentence that nobody typed here, key by key.');
    assert.deepEqual([long.figures().pasted_percent, long.figures().keystrokes], [100, 0], type);
  }
  assert.equal(write().replace('insertText', 0, 0, 'two words').figures().pasted_percent, 100);
  assert.equal(write().replace('insertText', 0, 0, 'word ').figures().pasted_percent, 0, 'a word that was chosen on a phone');
  const editor = write().type('mine');
  editor.text = 'mine and a text that a program put there without a word';
  assert.equal(editor.figures().pasted_percent > 90, true);
});

test('what was taken out here and comes back keeps its origin', () => {
  const moved = write().type('first second').replace('deleteByCut', 5, 12, '').at(0).paste(' second');
  assert.equal(moved.figures().pasted_percent, 0, 'moved, not brought');
  const copied = write().type('first ').paste('first ');
  assert.equal(copied.figures().pasted_percent, 50, 'a copy was not typed');
  const brought = write().paste('brought').replace('deleteByCut', 0, 7, '').paste('brought');
  assert.equal(brought.figures().pasted_percent, 100, 'what was brought stays brought');
  const undone = write().type('abc').back(3).replace('historyUndo', 0, 0, 'abc');
  assert.deepEqual([undone.figures().pasted_percent, undone.figures().keystrokes], [0, 3]);
  const redone = write().paste('abc').replace('historyUndo', 0, 3, '').replace('historyRedo', 0, 0, 'abc');
  assert.equal(redone.figures().pasted_percent, 100);
});

test('changes inside the text are revisions, one for each place', () => {
  const editor = write().type('The cat sat.');
  assert.equal(editor.figures().revisions, 0);
  editor.at(7).back(3).type('dog');
  assert.equal(editor.figures().revisions, 1);
  editor.at(3).type(' old');
  assert.equal(editor.figures().revisions, 2);
  editor.at(editor.text.length).back().type('!');
  assert.equal(editor.figures().revisions, 2, 'the end is where one writes');
  editor.replace('insertText', 4, 7, 'x');
  assert.deepEqual([editor.figures().revisions, editor.figures().deletions], [3, 5]);
});

test('an input method is no deleting', () => {
  const editor = write().type('我');
  for (const part of ['n', 'ni', 'ni h', 'ni ha', 'ni hao']) editor.replace('insertCompositionText', 1, editor.text.length, part);
  editor.replace('insertCompositionText', 1, editor.text.length, '你好');
  assert.equal(editor.text, '我你好');
  assert.deepEqual(editor.figures(), { keystrokes: 7, deletions: 0, pasted_percent: 0, active_minutes: 1, revisions: 0 });
});

test('whatever is done, the runs are as long as the text', () => {
  let seed = 7;
  const random = (/** @type {number} */ below) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor(seed / 2 ** 31 * below);
  };
  const editor = write();
  const types = ['insertText', 'insertFromPaste', 'deleteContentForward', 'historyUndo', 'insertCompositionText', 'deleteByCut'];
  for (let step = 0; step < 3000; step += 1) {
    const start = random(editor.text.length + 1);
    const end = Math.min(editor.text.length, start + random(6));
    const type = types[random(types.length)] ?? '';
    editor.replace(type, start, end, type.startsWith('delete') ? '' : 'aab🔑c'.slice(random(3), random(7)));
    const length = editor.counter.runs.reduce((sum, run) => sum + run.length, 0);
    assert.equal(length, editor.text.length);
    assert.ok(editor.counter.runs.every((run) => run.length > 0));
    const { pasted_percent } = editor.figures();
    assert.ok(pasted_percent >= 0 && pasted_percent <= 100);
  }
});
