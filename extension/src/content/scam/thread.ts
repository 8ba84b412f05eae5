// What has been seen of one conversation. A page shows a window of it, which moves: older messages are loaded above, new ones
// come below, and lists that are drawn anew drop what is out of sight. Here the windows are put together again.

import type { ScamTurn } from '../../protocol.js';

/** A message that was in the page. */
export interface Seen extends ScamTurn {
  /** The site's own name of it, if it has one. */
  id: string | null;
  /** Where it stands in the page now, or stood last. */
  element: Element;
  text: string;
  /** What its words stand in. */
  words: Element;
}

/** So much of a conversation is kept; when it is more, so much of the oldest is let go at once. */
export const MOST_TURNS = 2_000;
const LET_GO = 500;
/** Windows that have nothing in common are compared no longer than this, in messages. */
const MOST_COMPARED = 400;
/** No page folds a shorter message. */
const CUT = 40;
/** So many units of text go into one message to the background. */
const MOST_UNITS = 4_000_000;
/** So many messages in common are no chance. */
const SURE = 8;

export class Thread {
  turns: Seen[] = [];
  /** How many of the turns have stood where they stand, since this was last set: what was sent, and is still true. */
  steady = 0;

  /**
   * Takes in what the page shows now. Nothing that was seen is forgotten: what somebody has deleted was said all the same.
   * Gives false, and changes nothing, if what is shown has nothing in common with what is known, unless `apart` allows that.
   */
  see(shown: Seen[], apart: boolean): boolean {
    if (shown.length === 0) return true;
    if (this.turns.length === 0) {
      this.turns = [...shown];
    } else {
      const pairs = common(this.turns, shown);
      if (pairs.length === 0) {
        if (!apart) return false;
        this.insert(shown);
      } else {
        this.merge(shown, pairs);
      }
    }
    let units = this.turns.reduce((sum, { text }) => sum + text.length, 0);
    if (this.turns.length > MOST_TURNS || units > MOST_UNITS) {
      let kept = Math.max(0, this.turns.length - (MOST_TURNS - LET_GO));
      for (const { text } of this.turns.slice(0, kept)) units -= text.length;
      for (; units > MOST_UNITS / 2; kept += 1) units -= this.turns[kept]?.text.length ?? units;
      this.turns = this.turns.slice(kept);
      this.steady = 0;
    }
    return true;
  }

  /** Takes note of what the background has read by now; much may have been seen since it was asked. */
  sent(turns: readonly Seen[]): void {
    this.steady = turns.every((one, place) => isSame(one, this.turns[place])) ? turns.length : 0;
  }

  /** What was not in common goes between its neighbours. */
  private merge(shown: Seen[], pairs: [known: number, shown: number][]): void {
    const { turns } = this;
    const made: Seen[] = [];
    let [at, seen] = [0, 0];
    for (const [known, found] of [...pairs, [turns.length, shown.length] as const]) {
      const [before, fresh] = [turns.slice(at, known), shown.slice(seen, found)];
      // A message that was folded and is unfolded now, or the other way about, is one message, and the longer one counts.
      made.push(...before.filter((old) => !fresh.some((one) => isGrown(old, one))));
      made.push(...fresh.filter((one) => !before.some((old) => isGrown(one, old))));
      const [old, now] = [turns[known], shown[found]];
      // The same message, as the page has it now: one that was edited keeps its name and changes its words.
      if (old && now) made.push({ ...now, at: now.at ?? old.at });
      [at, seen] = [known + 1, found + 1];
    }
    for (let place = 0; place < this.steady; place += 1) {
      if (isSame(turns[place], made[place])) continue;
      this.steady = 0;
      break;
    }
    this.turns = made;
  }

  /**
   * A window that has nothing in common with what is known. By its times if all have one; else before it: a conversation opens at
   * its end, so what is somewhere else was scrolled to.
   */
  private insert(shown: Seen[]): void {
    const last = shown.at(-1)?.at ?? null;
    let place = 0;
    if (last !== null && this.turns.every(({ at }) => at !== null)) {
      place = this.turns.findIndex(({ at }) => (at ?? 0) > last);
      if (place < 0) place = this.turns.length;
    }
    if (place < this.steady) this.steady = 0;
    this.turns = [...this.turns.slice(0, place), ...shown, ...this.turns.slice(place)];
  }
}

/** Whether two are told to the engine as one and the same. */
export function isSame(one: Seen | undefined, other: Seen | undefined): boolean {
  return one !== undefined && other !== undefined && one.side === other.side && one.text === other.text && one.at === other.at;
}

/** Whether a message is one that was cut off before, and is unfolded now. */
function isGrown(before: Seen, now: Seen): boolean {
  const cut = before.text.replace(/(?:…|\.\.\.)[^…]{0,20}$/u, '');
  return before.side === now.side && cut.length >= CUT && now.text.length > before.text.length && now.text.startsWith(cut);
}

function nameOf({ id, side, text }: Seen): string {
  return id === null ? `${side}\n${text}` : `#${id}`;
}

/** Which of the known messages are shown, in the order of both. */
function common(known: Seen[], shown: Seen[]): [known: number, shown: number][] {
  const [names, wanted] = [known.map(nameOf), shown.map(nameOf)];
  const overlap = bestOverlap(names, wanted);
  if (overlap.length >= Math.min(SURE, known.length, shown.length)) return overlap;
  // One short message that both have may be chance, where in truth something in the window was edited.
  const pairs = longestCommon(names, wanted);
  return pairs.length > overlap.length ? pairs : overlap;
}

/** The usual cases: the window stands in what is known, or goes beyond an end of it, and agrees with it word for word. */
function bestOverlap(known: string[], shown: string[]): [number, number][] {
  let best: [from: number, length: number] | null = null;
  // From the end, where most windows are: among equals the latest counts.
  for (let from = known.length - 1; from > -shown.length; from -= 1) {
    const first = Math.max(from, 0);
    const end = Math.min(from + shown.length, known.length);
    if (best && end - first <= best[1]) {
      if (from < 0) break;
      continue;
    }
    let at = first;
    while (at < end && known[at] === shown[at - from]) at += 1;
    if (at === end) best = [from, end - first];
  }
  if (!best) return [];
  const [from, length] = best;
  const first = Math.max(from, 0);
  return Array.from({ length }, (_, place) => [first + place, first + place - from]);
}

/** What both have in common, where some of it has changed: the longest common subsequence. */
function longestCommon(known: string[], shown: string[]): [number, number][] {
  const from = Math.max(0, known.length - MOST_COMPARED);
  const rows = known.slice(from);
  const columns = shown.slice(-MOST_COMPARED);
  const shift = shown.length - columns.length;
  const width = columns.length + 1;
  const table = new Uint16Array((rows.length + 1) * width);
  const value = (row: number, column: number): number => table[row * width + column] ?? 0;
  for (let row = rows.length - 1; row >= 0; row -= 1) {
    for (let column = columns.length - 1; column >= 0; column -= 1) {
      table[row * width + column] = rows[row] === columns[column] ? value(row + 1, column + 1) + 1
        : Math.max(value(row + 1, column), value(row, column + 1));
    }
  }
  const pairs: [number, number][] = [];
  let [row, column] = [0, 0];
  while (row < rows.length && column < columns.length) {
    if (rows[row] === columns[column]) {
      pairs.push([from + row, shift + column]);
      row += 1;
      column += 1;
    } else if (value(row + 1, column) >= value(row, column + 1)) {
      row += 1;
    } else {
      column += 1;
    }
  }
  return pairs;
}
