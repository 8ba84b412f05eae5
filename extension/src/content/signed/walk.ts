// A walk over the live page for the signature check, and the way back from what the check says to the page.
//
// The check counts code points of the text as it collects it: the texts of the walk, a line feed for each `<br>`, and one
// for each beginning or end of a block, if the last one stands not right before. That text is built here in the same way.

import type { Hazard, Step } from '../../protocol.js';
import { firstOf, nameOf, nextOf } from '../nodes.js';
import { codePointUnits } from '../textmap.js';
import type { Span } from '../types.js';
import { BLOCKS, isAnnotation, isEmojiText, LEFT_OUT, ofElement, ofLeftOut, ofMath } from './hazards.js';
import { hazardOfStyle, isDrawn, isShownAsBlock, type Setting } from './shown.js';

/** Stands where something else is seen, so that it is no part of the block that follows. Canonical text has none. */
const MARK = '\u200b';
/** A page with more elements is not walked over to its end. */
const MOST_ELEMENTS = 200_000;
const STEP = 16;
/** A text of a step is not longer than this, and nor is a statement. */
const LONGEST = 500_000;
const MATHML = 'http://www.w3.org/1998/Math/MathML';

/** A carrier that is no part of the text, and what it speaks of: a stretch of the text, or the page. */
export interface Placed { carrier: 'attribute' | 'script'; value: string; from: number; to: number; page: boolean }

/** Where a part of the collected text came from. */
interface Piece { at: number; node: Text | Element; from: number; length: number }

interface Frame {
  element: Element;
  style: CSSStyleDeclaration | null;
  /** How much of it shines through, with all that it stands in. */
  opacity: number;
  next: Node | null;
  /** Told to the check. */
  entered: boolean;
  isBlock: boolean;
  isRoot: boolean;
  start: number;
  attribute: string | null;
  /** What in it may show other words, if a statement speaks of it. */
  spoiled: Hazard | null;
  scripts: string[];
}

/** What a walk has collected. */
export class Walk {
  readonly steps: Step[] = [];
  readonly placed: Placed[] = [];
  readonly pieces: Piece[] = [];
  raw = '';
  /** What texts said when they were told. */
  private readonly data = new Map<Text, string>();
  private lastBreak = -1;
  private readonly frames: Frame[] = [];
  private units: number[] | null | undefined;

  /** Walks over a document or an open shadow root; or over what a range touches of an element. */
  *over(root: Document | ShadowRoot | Element, within: Range | null = null): Generator<void, this> {
    let next: Node | null = root.firstChild;
    for (let elements = 0, steps = 0; elements < MOST_ELEMENTS; steps += 1) {
      if (steps % STEP === STEP - 1) yield;
      const frame = this.frames[this.frames.length - 1];
      const node: Node | null = frame ? frame.next : next;
      if (node === null) {
        if (!frame) break;
        this.leave();
        continue;
      }
      if (frame) frame.next = nextOf(node);
      else next = nextOf(node);
      if (within && !within.intersectsNode(node)) continue;
      if (node instanceof Text) {
        this.text(node, node.data);
      } else if (node instanceof Element) {
        elements += 1;
        this.element(node, frame ?? null);
      }
    }
    // What stands behind the last element may be seen all the same.
    if (this.frames.length > 0) this.spoilPlace('hidden');
    while (this.frames.length > 0) this.leave();
    return this;
  }

  /** The place of some code points of the collected text in it, in UTF-16 units. */
  unitsOf(span: Span): { from: number; to: number } {
    if (this.units === undefined) this.units = /[\ud800-\udbff]/.test(this.raw) ? codePointUnits(this.raw) : null;
    const unit = (codePoint: number) => (this.units ? this.units[codePoint] ?? this.raw.length : Math.min(codePoint, this.raw.length));
    return { from: unit(span.start), to: unit(span.end) };
  }

  /** Whether a text still says what was told of it. */
  isFresh(node: Text): boolean {
    return this.data.get(node) === node.data;
  }

  /** The nodes that a stretch of the collected text came from; for a picture all of it. */
  *nodesOf(from: number, to: number): Generator<{ node: Text | Element; from: number; to: number }> {
    let low = 0;
    let high = this.pieces.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const piece = this.pieces[middle];
      if (piece && piece.at + piece.length <= from) low = middle + 1;
      else high = middle;
    }
    for (let index = low; index < this.pieces.length; index += 1) {
      const piece = this.pieces[index];
      if (!piece || piece.at >= to) return;
      const start = Math.max(from, piece.at) - piece.at;
      const end = Math.min(to, piece.at + piece.length) - piece.at;
      yield { node: piece.node, from: piece.from + start, to: piece.from + end };
    }
  }

  /** The verified words of a span as a place in the page. */
  range(span: Span): Range | null {
    const { from, to } = this.unitsOf(span);
    let range: Range | null = null;
    for (const { node, from: start, to: end } of this.nodesOf(from, to)) {
      if (!node.isConnected) return null;
      range ??= startAt(node, start);
      if (node instanceof Text) range.setEnd(node, Math.min(end, node.data.length));
      else range.setEndAfter(node);
    }
    return range;
  }

  private text(node: Text, data: string): void {
    if (data === '') return;
    const isBlank = /^[\t-\r ]*$/.test(data);
    if (!isBlank) this.data.set(node, data);
    if (!isBlank && !isDrawn(node)) this.spoilPlace('hidden');
    this.collect(node, isBlank ? ' ' : data.toWellFormed());
  }

  private collect(node: Text | Element, text: string): void {
    this.pieces.push({ at: this.raw.length, node, from: 0, length: text.length });
    this.tell(text);
  }

  private tell(text: string): void {
    this.raw += text;
    for (let at = 0; at < text.length;) {
      const last = this.steps[this.steps.length - 1];
      let end = Math.min(text.length, at + LONGEST);
      if ((text.charCodeAt(end) & 0xfc00) === 0xdc00) end -= 1;
      const part = text.slice(at, end);
      if (last?.[0] === 'text' && last[1].length + part.length <= LONGEST) last[1] += part;
      else this.steps.push(['text', part]);
      at = end;
    }
  }

  private element(element: Element, around: Frame | null): void {
    const name = nameOf(element);
    const view = element.ownerDocument.defaultView;
    if (!view) return;
    if (element.namespaceURI === MATHML) {
      if (isAnnotation(element)) return;
      const style = view.getComputedStyle(element);
      if (style.display === 'none') return;
      this.enter(element, style, 'inline', ofMath(element, name) ?? hazardOfStyle(element, style, this.setting(around), true));
      return;
    }
    switch (name) {
      case 'br':
        this.raw += '\n';
        this.steps.push(['br']);
        return;
      case 'script':
        if ((element.getAttribute('type') ?? '').trim().toLowerCase() === 'application/human-statement+json') this.script(element);
        return;
      case 'link': {
        const ours = (element.getAttribute('rel') ?? '').toLowerCase().split(/\s+/).includes('human-statement');
        const address = element.getAttribute('href');
        if (ours && address !== null) this.steps.push(['link', address]);
        return;
      }
      case 'img': {
        const alt = element.getAttribute('alt');
        if (alt !== null && isEmojiText(alt) && view.getComputedStyle(element).display !== 'none') this.collect(element, alt);
        return;
      }
      default:
    }
    if (LEFT_OUT.has(name)) {
      const why = ofLeftOut(element, name);
      if (why && view.getComputedStyle(element).display !== 'none') this.spoilPlace(why);
      return;
    }
    const isRoot = name === 'html' || name === 'head' || name === 'body';
    const style = view.getComputedStyle(element);
    if (name === 'head') {
      // Nothing of it is shown, but it may hold a statement.
      this.enter(element, style, 'root', null);
      return;
    }
    if (style.display === 'none') return;
    if (name === 'slot' && element.getRootNode() instanceof ShadowRoot && (element as HTMLSlotElement).assignedNodes().length > 0) {
      this.spoilPlace('shadow');
      return;
    }
    const byName = BLOCKS.has(name) || isRoot;
    const why = (hasShadow(element) ? 'shadow' : null) ?? ofElement(element, name) ?? hazardOfStyle(element, style, this.setting(around), !byName && !name.includes('-'));
    const isBlock = isShownAsBlock(style, BLOCKS.has(name));
    this.enter(element, style, isRoot ? 'root' : isBlock ? 'block' : 'inline', why);
  }

  private enter(element: Element, style: CSSStyleDeclaration, kind: 'inline' | 'block' | 'root', why: Hazard | null): void {
    const value = element.getAttribute('data-human-statement');
    const attribute = value !== null && value.length <= LONGEST ? value : null;
    const isBlock = kind !== 'inline' || attribute !== null;
    // What changes nothing need not be told.
    const entered = isBlock || why !== null;
    if (entered) this.steps.push(['enter', kind, attribute]);
    if (isBlock) this.breakBlock();
    this.frames.push({
      element, style, opacity: Number(style.opacity) * (this.frames.at(-1)?.opacity ?? 1), next: firstOf(element), entered, isBlock, isRoot: kind === 'root', start: this.raw.length, attribute,
      spoiled: null, scripts: [],
    });
    if (why === null) return;
    this.steps.push(['hazardous', why]);
    this.mark(why);
  }

  private leave(): void {
    const frame = this.frames.pop();
    if (!frame?.entered) return;
    if (frame.spoiled) this.steps.push(['hazardous', frame.spoiled]);
    this.steps.push(['leave']);
    if (frame.attribute !== null && frame.spoiled) this.note(frame.spoiled);
    const place = { from: frame.start, to: this.raw.length };
    if (frame.attribute !== null) this.placed.push({ carrier: 'attribute', value: frame.attribute, ...place, page: false });
    for (const value of frame.scripts) this.placed.push({ carrier: 'script', value, ...place, page: frame.isRoot });
    if (frame.isBlock) this.breakBlock();
  }

  private script(element: Element): void {
    const json = element.textContent ?? '';
    if (json.length > LONGEST) return;
    this.steps.push(['script', json]);
    const frame = this.frames.findLast(({ isBlock }) => isBlock);
    if (frame) frame.scripts.push(json);
    else this.placed.push({ carrier: 'script', value: json, from: 0, to: 0, page: true });
  }

  private setting(around: Frame | null): Setting {
    const begins = !/\S/.test(this.raw.slice(Math.max(0, this.lastBreak)));
    return { style: around?.style ?? null, opacity: around?.opacity ?? 1, begins };
  }

  private breakBlock(): void {
    if (this.raw === '' || this.lastBreak === this.raw.length) return;
    this.raw += '\n';
    this.lastBreak = this.raw.length;
  }

  private spoilPlace(why: Hazard): void {
    this.steps.push(['hazard', why]);
    this.mark(why);
  }

  private mark(why: Hazard): void {
    this.tell(MARK);
    this.note(why);
  }

  /** An element with a statement is spoiled by what stands anywhere in it. */
  private note(why: Hazard): void {
    const signed = this.frames.findLast(({ attribute }) => attribute !== null);
    if (signed) signed.spoiled = why;
  }
}

interface Dom { dom?: { openOrClosedShadowRoot(element: Element): ShadowRoot | null } }

/** Whether an element shows a tree of its own. Closed ones are told to extensions alone; what stands beside the body is no page. */
function hasShadow(element: Element): boolean {
  if (element.shadowRoot) return true;
  const { dom } = (globalThis as { chrome?: Dom }).chrome ?? {};
  if (!dom || !(element instanceof HTMLElement) || element.parentElement === element.ownerDocument.documentElement) return false;
  return dom.openOrClosedShadowRoot(element) !== null;
}

function startAt(node: Text | Element, offset: number): Range {
  const range = node.ownerDocument.createRange();
  if (node instanceof Text) range.setStart(node, Math.min(offset, node.data.length));
  else range.setStartBefore(node);
  return range;
}
