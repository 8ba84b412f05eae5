// Finds blocks in a live page and keeps up with it. Only what is added is walked over, and only what is near the viewport
// is read: a page has one observer for changes and one for places.

import { adapterFor, type Adapter, type Turn } from '../sites/index.js';
import { Changes } from './find/changes.js';
import { Claims, ownersOf, type Entry } from './find/claims.js';
import { Places, type Read } from './find/places.js';
import { Posts } from './find/posts.js';
import { isBlock, parentOf, SECRET_FIELDS } from './find/roles.js';
import { Scan, type Draft, type Listener } from './find/scan.js';
import { isSensitive, scopeOf, type Scope } from './find/scope.js';
import type { Slices } from './slices.js';
import type { Item } from './types.js';

/** So much is found before what is on screen has been shown; the rest can wait for that. */
const FIRST_BLOCKS = 24;
/** The longest that the rest waits, in milliseconds. */
const FIRST_PATIENCE = 400;
/** A walk that the page pulls the rug from under begins again so many times. */
const TRIES = 3;
/** An adapter looks at the page again after so many times the time that it took, and not sooner than this. */
const ADAPTER_REST = 20;
const ADAPTER_LEAST = 150;

const HOSTS_PATIENCE = 1500;
/** A line that is added to an element with fewer children is read with them. */
const FEW_CHILDREN = 30;

/** What becomes of blocks that are found. */
export interface Sink {
  /** Near the viewport: it is to be judged. Called again when it comes near once more, until it is settled. */
  near(entries: Read[]): void;
  gone(item: Item): void;
  /** There may be statements of authors in the page. */
  carrier(): void;
  /** The page has changed in a way that may matter to statements. */
  altered(): void;
  /** How it stands with the adapter, or how many blocks there are. */
  counted(): void;
  /**
   * The messages of the open conversation, after whatever happened in the page; none without an adapter. Gives the milliseconds
   * after which it wants to hear of them again, should nothing happen.
   */
  turns(adapter: Adapter | null, turns: Turn[]): number | null;
}

export class Watch implements Listener {
  private readonly claims = new Claims();
  private readonly posts = new Posts();
  private readonly changes: Changes;
  private readonly places: Places;
  private readonly turns = new WeakMap<Element, Entry>();
  private readonly shadows = new Set<ShadowRoot>();
  private readonly hosts = new Set<Element>();
  private scope: Scope | null = null;
  private adapter: Adapter | null = null;
  private sensitive = false;
  private stopped = false;
  private count = 0;
  private turnsFound = 0;
  private adapterNext = 0;
  private work: Promise<void> = Promise.resolve();
  private shown: () => void = () => undefined;
  private turn: Turn | null = null;

  constructor(private readonly document: Document, private readonly slices: Slices, private readonly sink: Sink) {
    this.changes = new Changes(document, {
      changed: () => this.queue(() => this.follow()),
      moved: () => this.queue(() => this.begin(false)),
    });
    this.places = new Places(slices, (entries) => sink.near(entries));
  }

  start(): void {
    this.changes.observe(this.document);
    this.queue(() => this.begin(true));
  }

  stop(): void {
    this.stopped = true;
    this.changes.stop();
    this.places.stop();
    this.claims.all.clear();
  }

  /** Forgets everything and begins anew. */
  rescan(): void {
    this.queue(async () => {
      this.forget();
      await this.begin(true);
    });
  }

  /** What is on screen has been shown: the rest of the page may be looked at. */
  firstShown(): void {
    this.shown();
  }

  /** Nothing more is to be learned of a block. */
  settle(entry: Entry): void {
    this.places.remove(entry);
  }

  *items(): Generator<Item> {
    for (const { item } of this.claims.all) if (item) yield item;
  }

  entries(): Iterable<Entry> {
    return this.claims.all;
  }

  /** Open shadow roots that were met. */
  roots(): Iterable<ShadowRoot> {
    return this.shadows;
  }

  adapterState(): { name: string; found: boolean; messages: number } | null {
    if (!this.adapter) return null;
    const found = this.turnsFound > 0 || !this.adapter.expected(this.document);
    return { name: this.adapter.name, found, messages: this.turnsFound };
  }

  /** One thing after the other; what goes wrong in one does not stop the next. */
  private queue(work: () => Promise<void>): void {
    this.work = this.work.then(async () => {
      if (this.stopped) return;
      await work();
    }).catch((error: unknown) => console.debug('bonafide:', error));
  }

  private async begin(first: boolean): Promise<void> {
    const body = this.document.body as HTMLElement | null;
    if (!body) return;
    this.sensitive = isSensitive(this.document, this.document.location.href);
    if (this.sensitive) {
      this.forget();
      this.adapter = null;
      this.sink.turns(null, []);
      this.sink.counted();
      return;
    }
    this.adapter = adapterFor(this.document.location, this.document);
    this.scope = scopeOf(body);
    this.posts.renew();
    this.sweep();
    await this.adapt();
    if (this.mode() === 'all') await (first ? this.walkFirst(body) : this.walk([body]));
    // Custom elements get their shadow roots when their scripts have come, of which the page tells nothing.
    if (this.hosts.size > 0) this.changes.again(HOSTS_PATIENCE);
    this.sink.counted();
  }

  private forget(): void {
    for (const entry of [...this.claims.all]) this.drop(entry);
  }

  /** A chat's own page is left to its adapter: around the messages stand lists of chats and the like. */
  private mode(): 'all' | 'turns' {
    if (!this.adapter || this.adapter.hosts.length === 0) return 'all';
    return this.turnsFound > 0 || this.adapter.expected(this.document) ? 'turns' : 'all';
  }

  /** The first walk stops when there is enough for the screen, and goes on when that has been shown. */
  private async walkFirst(body: Element): Promise<void> {
    const walk = new Scan(this.scope, this.posts, this).walk([body]);
    const shown = new Promise<void>((resolve) => {
      this.shown = resolve;
    });
    const limit = this.count + FIRST_BLOCKS;
    let done: boolean | null = null;
    const isLimited = () => this.count >= limit;
    await this.slices.run((function* () {
      for (;;) {
        const step = walk.next();
        if (step.done) {
          done = step.value;
          return;
        }
        if (isLimited()) return;
        yield;
      }
    })());
    if (done === null) {
      await Promise.race([shown.then(drawn), new Promise((resolve) => setTimeout(resolve, FIRST_PATIENCE))]);
      done = await this.slices.run(walk, 'background');
    }
    if (!done) await this.walk([body]);
  }

  private async walk(roots: readonly Node[], kind?: 'message', except?: Set<Element>): Promise<void> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const live = roots.filter((root) => root.isConnected);
      if (live.length === 0 || await this.slices.run(new Scan(kind ? null : this.scope, this.posts, this, except).walk(live, kind))) return;
    }
  }

  /** Looks at what has changed in the page. */
  private async follow(): Promise<void> {
    const { added, touched, removed } = this.changes.take();
    if (added.some((node) => node instanceof Element && (node.matches(SECRET_FIELDS) || node.querySelector(SECRET_FIELDS)))) {
      this.sensitive = isSensitive(this.document, this.document.location.href);
      if (this.sensitive) this.forget();
      if (this.sensitive) this.sink.turns(null, []);
    }
    if (this.sensitive) return;
    if (removed) this.sweep();
    const stale = new Set<Entry>();
    const roots = new Set<Node>();
    for (const node of touched) this.touch(node, stale, roots);
    for (const node of added) if (node.isConnected) roots.add(node);
    for (const host of this.hosts) {
      if (!host.isConnected) this.hosts.delete(host);
      else if (host.shadowRoot) {
        this.hosts.delete(host);
        roots.add(host);
      }
    }
    for (const entry of stale) {
      for (const { element } of ownersOf(entry)) if (element.isConnected) roots.add(element);
      this.drop(entry);
    }
    if (this.scope && [...this.scope.roots].some((root) => !root.isConnected)) this.scope = scopeOf(this.document.body);
    this.posts.renew();
    await this.adapt();
    if (this.mode() === 'all') for (const row of rows(roots)) await this.walk(row);
    this.places.readSoon();
    this.sink.counted();
    if (roots.size > 0 || removed) this.sink.altered();
  }

  /** The words right in an element are no longer the same. */
  private touch(node: Node, stale: Set<Entry>, roots: Set<Node>): void {
    if (!node.isConnected) return;
    const claimed = node instanceof Text ? this.claims.ofText(node) : undefined;
    // It was only moved.
    if (claimed?.map?.isFresh()) return;
    if (claimed) {
      stale.add(claimed);
      return;
    }
    // A block is told only when something has left its lines.
    const isOut = node instanceof Element && isBlock(node.localName);
    let block = isOut ? node : parentOf(node);
    while (block && !isBlock(block.localName)) block = parentOf(block);
    if (!block) return;
    const entries = this.claims.ofOwner(block);
    for (const entry of entries) stale.add(entry);
    if (entries.length === 0 && !isOut) roots.add(block.childElementCount < FEW_CHILDREN ? block : node);
  }

  /** Lets go of what the page has removed. */
  private sweep(): void {
    for (const entry of [...this.claims.all]) {
      const owners = ownersOf(entry);
      const left = owners.filter(({ element }) => element.isConnected);
      if (left.length === owners.length) continue;
      this.drop(entry);
      if (left.length > 0) this.changes.add(left.map(({ element }) => element));
    }
  }

  private drop(entry: Entry): void {
    this.places.remove(entry);
    this.claims.remove(entry);
    if (entry.item) this.sink.gone(entry.item);
  }

  /** Asks the adapter for the messages of the page. */
  private async adapt(): Promise<void> {
    const adapter = this.adapter;
    if (!adapter) {
      this.sink.turns(null, []);
      return;
    }
    const start = performance.now();
    if (start < this.adapterNext) {
      this.changes.again(this.adapterNext - start);
      return;
    }
    const turns = adapter.turns(this.document);
    const rest = this.sink.turns(adapter, turns);
    if (rest !== null) this.changes.again(rest);
    const spent = performance.now() - start;
    this.slices.cost.total += spent;
    this.adapterNext = start + Math.max(ADAPTER_LEAST, ADAPTER_REST * spent);
    this.turnsFound = turns.length;
    for (const turn of turns) {
      const known = this.turns.get(turn.text);
      if (known?.alive) {
        known.turn = turn;
        if (known.item) known.item.turn = { side: turn.side, name: turn.name };
        continue;
      }
      this.turn = turn;
      await this.walk([turn.text], 'message', new Set(turn.except));
      this.turn = null;
    }
  }

  // What a walk tells.

  isClaimed(node: Text): boolean {
    return this.claims.ofText(node) !== undefined;
  }

  found(draft: Draft): void {
    const entry: Entry = { draft, item: null, map: null, seen: new Set(), near: false, distance: 0, alive: true };
    if (this.turn) {
      entry.turn = this.turn;
      this.turns.set(this.turn.text, entry);
    }
    this.count += 1;
    this.claims.add(entry);
    this.places.add(entry);
  }

  shadow(root: ShadowRoot): void {
    if (this.shadows.has(root)) return;
    this.shadows.add(root);
    this.changes.observe(root);
  }

  pending(element: Element): void {
    if (this.hosts.size < 1000) this.hosts.add(element);
  }

  carrier(): void {
    this.sink.carrier();
  }

  changed(frame: Element): void {
    for (const entry of this.claims.ofFrame(frame)) this.drop(entry);
    this.changes.add([frame]);
  }
}

/** What was shown has been drawn too. */
function drawn(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
}

/** Roots of walks: none within another, neighbours together and in order. */
function rows(roots: Set<Node>): Node[][] {
  const byParent = new Map<Node | null, Node[]>();
  for (const root of roots) {
    if (!root.isConnected) continue;
    let around: Node | null = parentOf(root);
    while (around && !roots.has(around)) around = parentOf(around);
    if (around) continue;
    const parent = root.parentNode;
    const row = byParent.get(parent);
    if (row) row.push(root);
    else byParent.set(parent, [root]);
  }
  const inOrder = (one: Node, other: Node) => (one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1);
  return [...byParent.values()].map((row) => row.sort(inOrder));
}
