// What has changed in a page, collected until there is a moment to look: one observer for the document and every open
// shadow root.

import { isBlock } from './roles.js';

/** Additions are collected for so long, in milliseconds. */
const COLLECT = 60;
/** Text that is being written is looked at when it has rested for so long, or after the longer time. */
const REST = 300;
const LONGEST = 2000;
/** Timers may come a bit early. */
const SLACK = 10;

/** Elements that hold nothing to read; changes of them and in them are none. */
const MUTE = new Set(['script', 'style', 'link', 'meta', 'noscript', 'template', 'title', 'svg', 'canvas', 'iframe', 'img', 'video']);

export interface Changed {
  /** Nodes that are new. */
  added: Node[];
  /** Texts and parts of lines that are new or others now, and elements out of whose lines something was removed. */
  touched: Node[];
  removed: boolean;
}

interface Heard {
  changed(): void;
  /** The address has changed without a load. */
  moved(): void;
}

interface Navigation extends EventTarget { readonly currentEntry: unknown }

export class Changes {
  private readonly observer: MutationObserver;
  private added = new Set<Node>();
  private touched = new Set<Node>();
  private removed = false;
  private timer: number | null = null;
  private due = Infinity;
  /** When text that has not been looked at yet began to change, and when it last did. */
  private first = 0;
  private last = 0;
  private address: string;
  private stopped = false;
  private readonly navigated = () => this.compare();

  constructor(private readonly document: Document, private readonly heard: Heard) {
    this.address = document.location.href;
    this.observer = new MutationObserver((records) => this.note(records));
    this.navigation()?.addEventListener('currententrychange', this.navigated);
  }

  observe(root: Document | ShadowRoot): void {
    this.observer.observe(root, { childList: true, characterData: true, subtree: true });
  }

  stop(): void {
    this.stopped = true;
    this.observer.disconnect();
    if (this.timer !== null) clearTimeout(this.timer);
    this.navigation()?.removeEventListener('currententrychange', this.navigated);
  }

  /** To be looked at with what has changed. */
  add(nodes: Iterable<Node>): void {
    for (const node of nodes) this.added.add(node);
    this.again(0);
  }

  /** Calls for a look in so many milliseconds. */
  again(milliseconds: number): void {
    if (this.stopped) return;
    const due = performance.now() + milliseconds;
    if (this.timer !== null && this.due <= due) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.due = due;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.due = Infinity;
      this.heard.changed();
    }, milliseconds);
  }

  take(): Changed {
    const now = performance.now();
    const rests = this.touched.size > 0 && (now - this.last >= REST - SLACK || now - this.first >= LONGEST);
    const taken: Changed = { added: [...this.added], touched: rests ? [...this.touched] : [], removed: this.removed };
    this.added = new Set();
    this.removed = false;
    if (rests) this.touched = new Set();
    else if (this.touched.size > 0) this.again(REST);
    return taken;
  }

  private note(records: MutationRecord[]): void {
    for (const record of records) {
      const { target } = record;
      if (record.type === 'characterData') {
        if (target instanceof Text) this.touch(target);
        continue;
      }
      if (target instanceof Element && (MUTE.has(target.localName) || target.localName === 'head')) continue;
      // What stands beside the body is no part of the page: scripts, and what extensions draw.
      const isTop = target === this.document.documentElement;
      const matters = (node: Node): node is Element =>
        node instanceof Element && !MUTE.has(node.localName) && (!isTop || node.localName === 'body');
      for (const node of record.addedNodes) {
        if (node instanceof Text ? /\S/.test(node.data) : matters(node) && !isBlock(node.localName)) this.touch(node);
        else if (matters(node)) this.added.add(node);
      }
      for (const node of record.removedNodes) {
        const inLine = node instanceof Text ? /\S/.test(node.data) : matters(node) && !isBlock(node.localName);
        if (inLine && target.isConnected) this.touch(target);
        if (matters(node)) this.removed = true;
      }
    }
    if (this.document.location.href !== this.address) this.compare();
    if (this.added.size > 0 || this.removed) this.again(COLLECT);
    if (this.touched.size > 0) this.again(REST);
  }

  private touch(node: Node): void {
    this.last = performance.now();
    if (this.touched.size === 0) this.first = this.last;
    this.touched.add(node);
  }

  private compare(): void {
    if (this.stopped || this.document.location.href === this.address) return;
    this.address = this.document.location.href;
    this.heard.moved();
  }

  private navigation(): Navigation | undefined {
    return (this.document.defaultView as { navigation?: Navigation } | null)?.navigation;
  }
}
