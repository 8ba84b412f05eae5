// @ts-check
// What the editor counts while a text is written: how much was typed, deleted, pasted and changed. It knows nothing of
// the page, keeps no times, and its figures say neither what was written nor when.

/**
 * @typedef {{keystrokes: number, deletions: number, pasted_percent: number, active_minutes: number, revisions: number}} Figures
 * @typedef {{length: number, pasted: boolean}} Run A stretch of the text, and whether it came from elsewhere.
 */

/** What the browser calls keys that put in text, with and without an input method. */
const KEYS = ['insertText', 'insertCompositionText', 'insertFromComposition', 'insertLineBreak', 'insertParagraph'];
/** Text that comes back. */
const BACK = ['historyUndo', 'historyRedo'];
/** Text that is brought; it may have been taken from here before. */
const BROUGHT = ['insertFromPaste', 'insertFromPasteAsQuotation', 'insertFromDrop', 'insertFromYank'];
/** What is longer than any word came whole, whatever the browser calls it (UTF-16 units); so did several words. */
const WORD = 32;
const WORDS = /\S\s+\S/;
/** How much that was taken out is remembered, so that what comes back is known (UTF-16 units). */
const MEMORY = 2_000_000;
const PIECES = 100;

export class Counter {
  constructor() {
    this.text = '';
    /** @type {Run[]} */
    this.runs = [];
    /** What was taken out, the latest last.
     * @type {{text: string, runs: Run[], start: number}[]} */
    this.taken = [];
    this.keystrokes = 0;
    this.deletions = 0;
    this.minutes = 0;
    this.revisions = 0;
    this.minute = -1;
    /** Where the last change ended, and whether it was a revision. */
    this.place = 0;
    this.revising = false;
    this.deleting = false;
    this.brought = false;
  }

  /**
   * The text has changed.
   * @param {string} text As it is now.
   * @param {string} type What the browser calls the change; empty if it was no user's.
   * @param {number} caret Where the caret stands now, in UTF-16 units.
   * @param {number} now In milliseconds; it is only used to tell one minute from the next.
   */
  change(text, type, caret, now) {
    const { start, removed, added } = difference(this.text, text, caret);
    if (removed === '' && added === '') return;
    const whole = this.text.length;
    const composing = type === 'insertCompositionText';
    const key = isKey(type, added);
    const deletes = type.startsWith('delete');
    if (key && (added !== '' || composing)) this.keystrokes += 1;
    if (deletes || (removed !== '' && added !== '' && !composing && !BACK.includes(type))) this.deletions += 1;
    const minute = Math.floor(now / 60_000);
    if ((key || deletes) && minute !== this.minute) {
      this.minute = minute;
      this.minutes += 1;
    }
    const inside = start + removed.length < whole;
    const goesOn = start === this.place || start + removed.length === this.place;
    if (inside && !(goesOn && this.revising)) this.revisions += 1;
    this.revising = inside;
    this.place = start + added.length;

    const runs = this.#origin(added, type);
    const taken = splice(this.runs, start, removed.length, runs);
    this.text = text;
    if (!composing) this.#remember(removed, taken, start, deletes);
    this.deleting = deletes;
  }

  /**
   * The figures, for a text that nobody may have changed behind the counter's back.
   * @param {string} text
   * @returns {Figures}
   */
  figures(text) {
    if (text !== this.text) this.change(text, '', text.length, 0);
    let pasted = 0;
    for (const run of this.runs) if (run.pasted) pasted += run.length;
    const share = (100 * pasted) / Math.max(1, text.length);
    // Neither nothing nor everything, unless it is.
    const percent = pasted === 0 || pasted === text.length ? share : Math.min(99, Math.max(1, share));
    return {
      keystrokes: this.keystrokes, deletions: this.deletions, pasted_percent: Math.round(percent),
      active_minutes: this.minutes, revisions: this.revisions,
    };
  }

  /**
   * Where new text came from.
   * @param {string} added
   * @param {string} type
   * @returns {Run[]}
   */
  #origin(added, type) {
    if (added === '') return [];
    const corrected = type === 'insertReplacementText' && added.length <= WORD;
    if (corrected || isKey(type, added)) return [{ length: added.length, pasted: false }];
    const back = BACK.includes(type);
    const known = back || BROUGHT.includes(type) ? this.#recall(added) : null;
    if (known) return known;
    const pasted = !back || this.brought;
    this.brought ||= pasted;
    return [{ length: added.length, pasted }];
  }

  /**
   * What was taken out of this text before keeps its origin when it comes back.
   * @param {string} added
   * @returns {Run[]|null}
   */
  #recall(added) {
    for (const piece of this.taken.toReversed()) {
      const at = piece.text.indexOf(added);
      if (at < 0) continue;
      const copy = piece.runs.map((run) => ({ ...run }));
      return splice(copy, at, added.length, []);
    }
    return null;
  }

  /**
   * @param {string} text
   * @param {Run[]} runs
   * @param {number} start
   * @param {boolean} deletes
   */
  #remember(text, runs, start, deletes) {
    if (text === '') return;
    const last = this.taken.at(-1);
    if (last && deletes && this.deleting && start + text.length === last.start) {
      Object.assign(last, { text: text + last.text, runs: [...runs, ...last.runs], start });
    } else if (last && deletes && this.deleting && start === last.start) {
      Object.assign(last, { text: last.text + text, runs: [...last.runs, ...runs] });
    } else {
      this.taken.push({ text, runs, start });
    }
    let size = this.taken.reduce((sum, piece) => sum + piece.text.length, 0);
    while (this.taken.length > 1 && (this.taken.length > PIECES || size > MEMORY)) size -= this.taken.shift()?.text.length ?? 0;
  }
}

/**
 * Whether a key, or the choice of a word, put this in.
 * @param {string} type
 * @param {string} added
 */
function isKey(type, added) {
  return KEYS.includes(type) && added.length <= WORD && !(type === 'insertText' && WORDS.test(added));
}

/**
 * The one place where two texts differ; the caret says which of several.
 * @param {string} before
 * @param {string} after
 * @param {number} caret
 */
function difference(before, after, caret) {
  let tail = 0;
  const most = Math.min(before.length, after.length - Math.min(caret, after.length));
  while (tail < most && before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)) tail += 1;
  let start = 0;
  const least = Math.min(before.length, after.length) - tail;
  while (start < least && before.charCodeAt(start) === after.charCodeAt(start)) start += 1;
  return { start, removed: before.slice(start, before.length - tail), added: after.slice(start, after.length - tail) };
}

/**
 * Takes a stretch out of runs and puts others in its place; gives what was taken out.
 * @param {Run[]} runs
 * @param {number} start
 * @param {number} length
 * @param {Run[]} others
 * @returns {Run[]}
 */
function splice(runs, start, length, others) {
  const first = cutAt(runs, start);
  const end = cutAt(runs, start + length);
  const taken = runs.splice(first, end - first, ...others);
  // Neighbours of one origin are one run again, or every key would make one.
  for (let index = Math.min(first + others.length, runs.length - 1); index >= Math.max(first, 1); index -= 1) {
    const [left, right] = [runs[index - 1], runs[index]];
    if (!left || !right || left.pasted !== right.pasted) continue;
    left.length += right.length;
    runs.splice(index, 1);
  }
  return taken;
}

/**
 * Cuts the run that a place is in; gives the index of the run that begins there.
 * @param {Run[]} runs
 * @param {number} place
 */
function cutAt(runs, place) {
  let at = 0;
  for (const [index, run] of runs.entries()) {
    if (at === place) return index;
    if (place < at + run.length) {
      runs.splice(index, 1, { ...run, length: place - at }, { ...run, length: at + run.length - place });
      return index + 1;
    }
    at += run.length;
  }
  return runs.length;
}
