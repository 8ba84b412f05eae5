// The statements of authors in a page. A page without any costs one question; a page with some is walked over again when it
// has changed, but never so often that it would be felt.

import type { Checked } from '../../protocol.js';
import type { Entry } from '../find/claims.js';
import type { Read } from '../find/places.js';
import { mayBeCarrier } from '../find/scan.js';
import type { Ask } from '../reading.js';
import type { Slices } from '../slices.js';
import { Coverage } from './cover.js';
import { Walk } from './walk.js';

/** Carriers that are no words. */
const CARRIERS = 'script[type*="human-statement" i], [data-human-statement], link[rel~="human-statement" i]';
/** Changes are collected for so long, in milliseconds, and for so many times as long as the last walk took. */
const COLLECT = 500;
const REST = 30;
/** Style sheets, times and pointers change what is shown without a word: while there are statements, it is looked after so often. */
const LOOK_AFTER = 2000;
/** A check that fails so often in a row leaves nothing verified. */
const MOST_FAILURES = 3;

export interface Around {
  ask: Ask;
  entries(): Iterable<Entry>;
  roots(): Iterable<ShadowRoot>;
  /** What a statement says of a block has changed. */
  changed(entry: Read): void;
  /** A check has ended. */
  checked(): void;
}

export class Statements {
  /** All statements that are known. */
  statements: Checked[] = [];
  private coverages: Coverage[] = [];
  private inText = false;
  private checking = false;
  private wasChecked = false;
  private again = false;
  private timer: number | null = null;
  private spent = 0;
  private failures = 0;
  private stopped = false;
  /** What was told of each root last, and what was answered. */
  private told = new WeakMap<Document | ShadowRoot, { steps: string; statements: Checked[] }>();
  private readonly observer: MutationObserver;
  private readonly seen = () => {
    if (this.statements.length > 0) this.soon(0);
  };

  constructor(private readonly document: Document, private readonly slices: Slices, private readonly around: Around) {
    // Classes, styles and pictures of words: of those nobody else wants to hear.
    this.observer = new MutationObserver(() => this.soon(COLLECT));
    document.addEventListener('visibilitychange', this.seen);
  }

  /** A walk has met what may be a statement in a text. */
  carrier(): void {
    if (this.inText) return;
    this.inText = true;
    this.soon(0);
  }

  /** The page was loaded or has changed; `anew`: what was answered before may be no longer true. */
  altered(first = false, anew = first): void {
    if (anew) this.told = new WeakMap();
    if (this.inText || this.isMarked(this.document)) this.soon(first ? 0 : COLLECT);
  }

  /** Whether the first check is going on or about to begin. */
  isChecking(): boolean {
    return !this.wasChecked && (this.checking || this.timer !== null);
  }

  /** Tells a block that has just been read what is known. */
  tell(entry: Read): void {
    const signed = this.signedOf(entry);
    if (signed) entry.item.signed = signed;
  }

  stop(): void {
    this.stopped = true;
    this.observer.disconnect();
    this.document.removeEventListener('visibilitychange', this.seen);
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private isMarked(root: Document | ShadowRoot): boolean {
    return root.querySelector(CARRIERS) !== null;
  }

  private soon(least: number): void {
    if (this.stopped) return;
    this.again = true;
    if (this.checking || this.timer !== null) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.again = false;
      this.checking = true;
      this.check().then(() => {
        this.failures = 0;
      }, (error: unknown) => this.failed(error)).finally(() => {
        this.checking = false;
        this.wasChecked = true;
        if (this.again) this.soon(COLLECT);
        else if (this.statements.length > 0 && this.document.visibilityState === 'visible') this.soon(LOOK_AFTER);
        this.around.checked();
      });
    }, Math.max(least, REST * this.spent));
  }

  private async check(): Promise<void> {
    const statements: Checked[] = [];
    const coverages: Coverage[] = [];
    const before = this.slices.cost.total;
    // What stands in a shadow root is a text by itself: it takes the place of what is in its host.
    for (const root of [this.document, ...this.around.roots()]) {
      if (root instanceof ShadowRoot && !(root.host.isConnected && (this.isMarked(root) || mayBeCarrier(root.textContent ?? '')))) continue;
      const walk = await this.slices.run(new Walk().over(root));
      const found = await this.ask(root, walk);
      statements.push(...found);
      if (found.length > 0) coverages.push(new Coverage(walk, found));
    }
    this.spent = this.slices.cost.total - before;
    this.know(statements, coverages);
  }

  /** What the check says of a walk; what it said before, if that was the same. */
  private async ask(root: Document | ShadowRoot, { steps }: Walk): Promise<Checked[]> {
    const now = JSON.stringify(steps);
    const known = this.told.get(root);
    if (known?.steps === now) return known.statements;
    const { statements } = await this.around.ask('signatures', { walk: steps });
    if (statements.length > 0) this.told.set(root, { steps: now, statements });
    else this.told.delete(root);
    return statements;
  }

  /** What can't be checked any more may have changed: then nothing of it stays verified. */
  private failed(error: unknown): void {
    console.debug('bonafide:', error);
    this.failures += 1;
    if (this.failures >= MOST_FAILURES) this.know([], []);
    else this.again = true;
  }

  private know(statements: Checked[], coverages: Coverage[]): void {
    if (this.stopped) return;
    this.statements = statements;
    this.coverages = coverages;
    this.observer.disconnect();
    if (statements.length > 0) {
      for (const root of [this.document, ...this.around.roots()]) {
        this.observer.observe(root, { attributes: true, childList: true, characterData: true, subtree: true });
      }
    }
    for (const entry of this.around.entries()) {
      if (!isRead(entry)) continue;
      const signed = this.signedOf(entry);
      if (JSON.stringify(signed) === JSON.stringify(entry.item.signed)) continue;
      if (signed) entry.item.signed = signed;
      else delete entry.item.signed;
      this.around.changed(entry);
    }
  }

  private signedOf({ map }: Read): ReturnType<Coverage['signed']> {
    if (!map) return undefined;
    for (const coverage of this.coverages) {
      const signed = coverage.signed(map);
      if (signed) return signed;
    }
    return undefined;
  }
}

function isRead(entry: Entry): entry is Read {
  return entry.item !== null;
}
