// The text of some nodes as a reader sees it, with the way back from each code point to its place in the page.

import type { Span, TextMap } from './types.js';

/** A part of a text node, in UTF-16 units. */
export interface Part { node: Text; from: number; to: number }

/** A paragraph: parts of text nodes; `null` is the end of a line. */
export type Paragraph = readonly (Part | null)[];

/** A run of the text that came unit by unit from one node. */
interface Segment { at: number; node: Text; from: number; length: number }

const SPACE = /[ \t\n\r\f]/;
/** What `trim` takes away is what no reader sees at an edge. */
const EDGE = /\s/;

/** How a node's white space is shown; asked only for nodes that have some that matters. */
export type KeepsLines = (node: Text) => boolean;

/** Puts paragraphs together as a browser shows them: white space collapsed, `<br>` as a line feed, an empty line between. */
export function textOf(paragraphs: readonly Paragraph[], keepsLines: KeepsLines): NodeMap {
  const builder = new Builder(keepsLines);
  for (const paragraph of paragraphs) builder.paragraph(paragraph);
  return builder.finish();
}

class Builder {
  private text = '';
  private readonly segments: Segment[] = [];
  /** Where the paragraph that is open begins. */
  private start = 0;

  constructor(private readonly keepsLines: KeepsLines) {}

  paragraph(parts: Paragraph): void {
    const separator = this.text === '' ? '' : '\n\n';
    const before = this.text.length;
    this.text += separator;
    this.start = this.text.length;
    for (const part of parts) {
      if (part === null) this.line();
      else this.part(part);
    }
    this.trimEnd(EDGE, this.start);
    if (this.text.length === this.start) this.cut(before);
  }

  finish(): NodeMap {
    // Half a pair is nothing that can be sent; its stand-in has the same length.
    return new NodeMap(this.text.toWellFormed(), this.segments);
  }

  private part({ node, from, to }: Part): void {
    const data = node.data;
    const end = Math.min(to, data.length);
    let lines: boolean | undefined;
    let run = from;
    for (let at = from; at < end; at += 1) {
      const unit = data.charCodeAt(at);
      if (unit > 0x20 || !(unit === 0x20 || unit === 0x0a || unit === 0x09 || unit === 0x0d || unit === 0x0c)) continue;
      this.push(node, data, run, at);
      run = at + 1;
      if (unit === 0x0a && (lines ??= this.keepsLines(node))) {
        this.line();
      } else if (this.text.length > this.start && !SPACE.test(this.text.charAt(this.text.length - 1))) {
        this.segments.push({ at: this.text.length, node, from: at, length: 1 });
        this.text += ' ';
        this.join();
      }
    }
    this.push(node, data, run, end);
  }

  private push(node: Text, data: string, from: number, to: number): void {
    if (from >= to) return;
    this.segments.push({ at: this.text.length, node, from, length: to - from });
    this.text += data.slice(from, to);
    this.join();
  }

  /** Makes one of the last two segments if the second goes on where the first ends. */
  private join(): void {
    const last = this.segments.at(-1);
    const before = this.segments.at(-2);
    if (!last || !before || before.node !== last.node) return;
    if (before.from + before.length === last.from && before.at + before.length === last.at) {
      before.length += last.length;
      this.segments.pop();
    }
  }

  private line(): void {
    this.trimEnd(SPACE, this.start, '\n');
    // A second empty line shows no more than the first.
    if (this.text.length > this.start && !this.text.endsWith('\n\n')) this.text += '\n';
  }

  private trimEnd(what: RegExp, least: number, but = ''): void {
    let end = this.text.length;
    while (end > least && what.test(this.text.charAt(end - 1)) && this.text.charAt(end - 1) !== but) end -= 1;
    this.cut(end);
  }

  private cut(length: number): void {
    this.text = this.text.slice(0, length);
    for (let last = this.segments.at(-1); last && last.at + last.length > length; last = this.segments.at(-1)) {
      last.length = length - last.at;
      if (last.length > 0) break;
      this.segments.pop();
    }
  }
}

/** A text that came from nodes. */
export class NodeMap implements TextMap {
  private readonly data: Map<Text, string>;
  /** For a text with characters beyond the first plane: the units at which code points begin. */
  private units: number[] | null | undefined;

  constructor(readonly text: string, private readonly segments: readonly Segment[]) {
    this.data = new Map(segments.map(({ node }) => [node, node.data]));
  }

  /** Whether the page still shows this text where it was found. */
  isFresh(): boolean {
    for (const [node, data] of this.data) {
      if (!node.isConnected || node.data !== data) return false;
    }
    return true;
  }

  holds(node: Text): boolean {
    return this.data.has(node);
  }

  range(span: Span): Range | null {
    const start = this.unit(span.start);
    const end = this.unit(span.end);
    if (!(end > start)) return null;
    let first = this.segmentAt(start);
    // Between two nodes stands a separator of ours, which is nowhere in the page.
    let segment = this.segments[first];
    if (segment && start >= segment.at + segment.length) segment = this.segments[first += 1];
    const last = this.segments[this.segmentAt(end - 1)];
    if (!segment || !last || segment.at >= end || last.at + last.length <= start) return null;
    for (let index = first; index < this.segments.length; index += 1) {
      const one = this.segments[index];
      if (!one || one.at >= end) break;
      if (!one.node.isConnected || one.node.data !== this.data.get(one.node)) return null;
    }
    if (segment.node.getRootNode() !== last.node.getRootNode()) return null;
    const range = segment.node.ownerDocument.createRange();
    range.setStart(segment.node, segment.from + Math.max(0, start - segment.at));
    range.setEnd(last.node, last.from + Math.min(last.length, end - last.at));
    return range;
  }

  /** The parts of nodes that the text came from, in order. */
  *parts(): Generator<Part> {
    for (const { node, from, length } of this.segments) yield { node, from, to: from + length };
  }

  private segmentAt(unit: number): number {
    let low = 0;
    let high = this.segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.segments[middle]?.at ?? 0) <= unit) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private unit(codePoint: number): number {
    if (this.units === undefined) this.units = /[\ud800-\udbff]/.test(this.text) ? codePointUnits(this.text) : null;
    if (this.units === null) return Math.min(Math.max(codePoint, 0), this.text.length);
    return this.units[Math.min(Math.max(codePoint, 0), this.units.length - 1)] ?? 0;
  }
}

/** The unit at which each code point begins, and the end. */
export function codePointUnits(text: string): number[] {
  const units: number[] = [];
  for (let at = 0; at < text.length; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) units.push(at);
  units.push(text.length);
  return units;
}
