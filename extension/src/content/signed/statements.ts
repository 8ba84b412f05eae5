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
  private stopped = false;

  constructor(private readonly document: Document, private readonly slices: Slices, private readonly around: Around) {}

  /** A walk has met what may be a statement in a text. */
  carrier(): void {
    if (this.inText) return;
    this.inText = true;
    this.soon(0);
  }

  /** The page was loaded or has changed. */
  altered(first = false): void {
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
      this.check().catch((error: unknown) => console.debug('bonafide:', error)).finally(() => {
        this.checking = false;
        this.wasChecked = true;
        if (this.again) this.soon(COLLECT);
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
      const reply = await this.around.ask('signatures', { walk: walk.steps });
      statements.push(...reply.statements);
      if (reply.statements.length > 0) coverages.push(new Coverage(walk, reply.statements));
    }
    this.spent = this.slices.cost.total - before;
    this.statements = statements;
    this.coverages = coverages;
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
