// Which blocks are near the viewport. Those are read; the others have cost nothing but the walk.

import type { Slices } from '../slices.js';
import type { Item } from '../types.js';
import { elementsOf, ownersOf, type Entry } from './claims.js';
import { readEntry } from './read.js';

/** How far around the viewport blocks are near it. */
const MARGIN = '100% 0px';

export type Read = Entry & { item: Item };

export class Places {
  private readonly observer: IntersectionObserver;
  private readonly targets = new WeakMap<Element, Set<Entry>>();
  private readonly unread = new Set<Entry>();
  private reading = false;
  private lastId = 0;

  constructor(private readonly slices: Slices, private readonly near: (entries: Read[]) => void) {
    this.observer = new IntersectionObserver((seen) => this.note(seen), { rootMargin: MARGIN });
  }

  add(entry: Entry): void {
    for (const element of targetsOf(entry)) {
      const entries = this.targets.get(element);
      if (entries) {
        entries.add(entry);
        // An element that is observed already tells again where it is.
        this.observer.unobserve(element);
      } else {
        this.targets.set(element, new Set([entry]));
      }
      this.observer.observe(element);
    }
  }

  /** Nothing more is to be learned of a block, or it is gone. */
  remove(entry: Entry): void {
    this.unread.delete(entry);
    for (const element of targetsOf(entry)) {
      const entries = this.targets.get(element);
      entries?.delete(entry);
      if (entries?.size === 0) {
        this.targets.delete(element);
        this.observer.unobserve(element);
      }
    }
  }

  stop(): void {
    this.observer.disconnect();
    this.unread.clear();
  }

  private note(seen: IntersectionObserverEntry[]): void {
    const known: Read[] = [];
    for (const { target, isIntersecting, boundingClientRect: box, rootBounds } of seen) {
      for (const entry of this.targets.get(target) ?? []) {
        if (isIntersecting) entry.seen.add(target);
        else entry.seen.delete(target);
        entry.near = entry.seen.size > 0;
        if (!isIntersecting) continue;
        // The bounds hold the margins: one height above and one below.
        const height = (rootBounds?.height ?? 0) / 3;
        const top = (rootBounds?.top ?? 0) + height;
        entry.distance = Math.max(0, top - box.bottom, box.top - (top + height));
        if (isRead(entry)) known.push(entry);
        else this.unread.add(entry);
      }
    }
    if (known.length > 0) this.near(known);
    this.readSoon();
  }

  /** Blocks that were hidden when they came near may be shown by now. */
  readSoon(): void {
    if (this.reading || this.unread.size === 0) return;
    this.reading = true;
    this.slices.run(this.read()).catch((error: unknown) => console.debug('bonafide:', error)).finally(() => {
      this.reading = false;
    });
  }

  /** Reads what is near, first what is on screen; what can't be read now is tried again another time. */
  private *read(): Generator<void, void> {
    const tried = new Set<Entry>();
    for (;;) {
      for (const entry of this.unread) if (!entry.near) this.unread.delete(entry);
      const waiting = [...this.unread].filter((entry) => !tried.has(entry)).sort((one, other) => one.distance - other.distance);
      if (waiting.length === 0) return;
      let read: Read[] = [];
      for (const entry of waiting) {
        tried.add(entry);
        if (entry.alive && entry.near && this.readOne(entry)) read.push(entry as Read);
        // What is on screen does not wait for what is below it.
        if (entry.distance > 0 && read[0]?.distance === 0) {
          this.near(read);
          read = [];
        }
        yield;
      }
      if (read.length > 0) this.near(read);
    }
  }

  private readOne(entry: Entry): boolean {
    const map = readEntry(entry);
    if (!map) return false;
    this.unread.delete(entry);
    const { elements, loose } = elementsOf(entry, map);
    const { kind, part } = entry.draft;
    this.lastId += 1;
    entry.map = map;
    entry.item = {
      id: String(this.lastId), kind, part, map, elements, state: 'waiting', report: null,
      ...(loose ? { loose } : {}),
      ...(entry.turn ? { turn: { side: entry.turn.side, name: entry.turn.name } } : {}),
    };
    return true;
  }
}

function isRead(entry: Entry): entry is Read {
  return entry.item !== null;
}

/** Where a block is is told by its first and its last element, and by one between, for some may be hidden. */
function targetsOf(entry: Entry): Set<Element> {
  const owners = ownersOf(entry);
  return new Set([owners[0], owners[owners.length >> 1], owners.at(-1)].flatMap((owner) => (owner ? [owner.element] : [])));
}
