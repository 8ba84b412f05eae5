// Paragraphs into blocks of a size that can be judged: the daemon's rules, so that a page gives the same blocks in both.
//
// A detector needs some eighty words before its score means much, and a reader can't see where a verdict on two pages
// applies; so neighbouring paragraphs are put together until there are enough words, and split only where there are far
// too many.

import type { Paragraph, Part } from '../textmap.js';
import { words, WordCounter } from './words.js';

/** Fewer words than this are put together with their neighbours. */
const MIN_WORDS = 80;
/** A block of grouped paragraphs is kept near or below this. */
const MAX_WORDS = 250;
/** A single paragraph, or a list with the paragraph that leads to it, may be this long. */
export const MAX_WHOLE_WORDS = 600;

/** An element in which paragraphs stand; it holds nothing else than `own` if `total` is the same. */
export interface Owner { element: Element; own: number; total: number }

/** A paragraph, or a whole list with an item a line. */
export interface Piece {
  parts: Paragraph;
  words: number;
  /** It belongs to the piece before it, as a list or a quotation does. */
  glued: boolean;
  owners: Owner[];
}

/** Groups what stands between two borders into blocks of about equal size. */
export function group(section: readonly Piece[]): Piece[][] {
  const pieces = section.flatMap((piece) => (piece.words > MAX_WHOLE_WORDS ? split(piece) : [piece]));
  const total = pieces.reduce((sum, piece) => sum + piece.words, 0);
  const target = Math.max(1, Math.ceil(total / Math.max(1, Math.ceil(total / MAX_WORDS))));
  const done: { pieces: Piece[]; words: number }[] = [];
  let open: { pieces: Piece[]; words: number } = { pieces: [], words: 0 };
  for (const piece of pieces) {
    const joined = open.words + piece.words;
    const fits = joined <= MAX_WORDS || open.words < MIN_WORDS / 2 || piece.glued;
    const closer = Math.abs(joined - target) <= Math.abs(open.words - target) || open.words < MIN_WORDS || piece.glued;
    if (open.pieces.length > 0 && !(fits && closer && joined <= MAX_WHOLE_WORDS)) {
      done.push(open);
      open = { pieces: [], words: 0 };
    }
    open.pieces.push(piece);
    open.words += piece.words;
  }
  const last = done.at(-1);
  if (last && open.words < MIN_WORDS && last.words + open.words <= MAX_WHOLE_WORDS) last.pieces.push(...open.pieces);
  else if (open.pieces.length > 0) done.push(open);
  return done.map((block) => block.pieces);
}

/** Cuts a very long paragraph at line ends or sentence ends, else between words. */
function split(piece: Piece): Piece[] {
  const target = Math.ceil(piece.words / Math.ceil(piece.words / MAX_WHOLE_WORDS));
  const pieces: Piece[] = [];
  let parts: (Part | null)[] = [];
  let counted = 0;
  const close = () => {
    if (parts.some((part) => part !== null)) pieces.push({ parts, words: counted, glued: false, owners: piece.owners });
    parts = [];
    counted = 0;
  };
  for (const unit of units(piece.parts, target)) {
    if (unit === null) {
      parts.push(null);
      continue;
    }
    const count = words(unit.node.data.slice(unit.from, unit.to));
    if (counted > 0 && counted + count > target + target / 8) close();
    parts.push(unit);
    counted += count;
  }
  close();
  return pieces;
}

/** The smallest parts that a split keeps whole. */
function* units(parts: Paragraph, target: number): Generator<Part | null> {
  for (const part of parts) {
    if (part === null) {
      yield null;
      continue;
    }
    for (const sentence of cuts(part, SENTENCE)) {
      if (words(sentence.node.data.slice(sentence.from, sentence.to)) <= target) yield sentence;
      else for (const run of cuts(sentence, RUN)) yield* chunks(run, target);
    }
  }
}

/** Sentences, roughly: after a full stop of any script, and white space unless the script has none. */
const SENTENCE = /[.!?…؟۔।](?=\s|$)|[。！？](?![”」』）。！？])/g;
const RUN = /\s/g;

function* cuts(part: Part, behind: RegExp): Generator<Part> {
  const text = part.node.data.slice(part.from, part.to);
  let start = 0;
  for (const { index, 0: mark } of text.matchAll(behind)) {
    yield { node: part.node, from: part.from + start, to: part.from + index + mark.length };
    start = index + mark.length;
  }
  if (start < text.length) yield { node: part.node, from: part.from + start, to: part.to };
}

/** Cuts a run without white space, if it has too many words. */
function* chunks(run: Part, most: number): Generator<Part> {
  const counter = new WordCounter();
  counter.add(run.node.data.slice(run.from, run.to));
  if (counter.count <= most) {
    yield run;
    return;
  }
  for (let from = run.from; from < run.to;) {
    let to = Math.min(run.to, from + Math.max(1, most));
    // Not within a pair of units.
    if (to < run.to && (run.node.data.charCodeAt(to) & 0xfc00) === 0xdc00) to += 1;
    yield { node: run.node, from, to };
    from = to;
  }
}
