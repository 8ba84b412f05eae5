// What is found goes to the background in batches, and what it says of it to the overlay: first what runs in the browser,
// then the daemon's model. What is on screen comes first.

import type { Asks, Block, BlockReport, Daemon, Judged, Reading as Request } from '../protocol.js';
import type { Read } from './find/places.js';
import type { Item } from './types.js';

/** Fewer words say nothing to the model. */
export const LEAST_WORDS = 40;
const MOST_LOOKED = 64;
const MOST_SCORED = 16;
const MOST_BYTES = 200_000;
const LOOKS_AT_ONCE = 1;
const SCORES_AT_ONCE = 2;
/** A block on which the background has failed so often is left alone. */
const MOST_FAILURES = 3;
/** Waits after failures, and for a daemon that is loading its model, in milliseconds. */
const FIRST_WAIT = 2000;
const LONGEST_WAIT = 60_000;

export type Ask = <Name extends keyof Asks>(name: Name, what: Asks[Name]['ask']) => Promise<Asks[Name]['reply']>;

/** What the queue needs from the rest. */
export interface Around {
  ask: Ask;
  document(): NonNullable<Request['document']>;
  daemon(): Daemon;
  /** More is known of an item. */
  known(item: Item): void;
  judged(judged: Judged): void;
  /** How it stands with the daemon, as a score has told. */
  told(daemon: Daemon): void;
  settle(entry: Read): void;
  /** Statements are still being checked: a score could not take account of them. */
  isChecking(): boolean;
  /** Whether the extension still runs. */
  isAlive(): boolean;
  dead(): void;
}

export class Reading {
  private readonly looks = new Map<string, Read>();
  private readonly scores = new Map<string, Read>();
  private readonly failures = new Map<string, number>();
  private looking = 0;
  private scoring = 0;
  private wait = FIRST_WAIT;
  private readonly timers = new Map<'look' | 'score', number>();
  private stopped = false;

  constructor(private readonly around: Around) {}

  /** Blocks have come near the viewport. */
  near(entries: Read[]): void {
    for (const entry of entries) {
      if (entry.item.state === 'waiting') this.looks.set(entry.item.id, entry);
      else if (this.wantsScore(entry)) this.scores.set(entry.item.id, entry);
    }
    this.go();
  }

  gone(item: Item): void {
    this.looks.delete(item.id);
    this.scores.delete(item.id);
    this.failures.delete(item.id);
  }

  /** What a signature says of a block has changed. */
  again(entry: Read): void {
    if (entry.item.state === 'scored') this.scores.set(entry.item.id, entry);
    else this.looks.set(entry.item.id, entry);
    this.go();
  }

  /** The daemon may be there now, or statements have been checked. */
  retry(): void {
    this.wait = FIRST_WAIT;
    this.go();
  }

  /** Blocks that are waiting for an answer. */
  pending(): number {
    const near = (queue: Map<string, Read>) => [...queue.values()].filter((entry) => entry.near).length;
    return near(this.looks) + this.looking + (this.mayScore() ? near(this.scores) + this.scoring : 0);
  }

  stop(): void {
    this.stopped = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.looks.clear();
    this.scores.clear();
  }

  private go(): void {
    if (this.stopped) return;
    while (this.looking < LOOKS_AT_ONCE && !this.timers.has('look')) {
      const batch = take(this.looks, MOST_LOOKED);
      if (batch.length === 0) break;
      this.looking += 1;
      void this.look(batch).finally(() => {
        this.looking -= 1;
        this.go();
      });
    }
    while (this.scoring < SCORES_AT_ONCE && !this.timers.has('score') && this.mayScore() && !this.around.isChecking()) {
      const batch = take(this.scores, MOST_SCORED);
      if (batch.length === 0) break;
      this.scoring += 1;
      void this.score(batch).finally(() => {
        this.scoring -= 1;
        this.go();
      });
    }
  }

  private async look(batch: Read[]): Promise<void> {
    const reply = await this.send('look', batch, this.looks);
    if (!reply) return;
    this.apply(batch, reply.blocks, 'looked');
    for (const entry of batch) {
      if (!entry.alive) continue;
      if (this.wantsScore(entry)) this.scores.set(entry.item.id, entry);
      else this.around.settle(entry);
    }
  }

  private async score(batch: Read[]): Promise<void> {
    const reply = await this.send('score', batch, this.scores);
    if (!reply) return;
    if ('daemon' in reply) {
      for (const entry of batch) if (entry.alive) this.scores.set(entry.item.id, entry);
      this.around.told(reply.daemon);
      if (reply.daemon.state === 'loading') this.pause('score');
      return;
    }
    this.wait = FIRST_WAIT;
    this.around.judged(reply);
    this.apply(batch, reply.blocks, 'scored');
    for (const entry of batch) if (entry.alive) this.around.settle(entry);
  }

  private apply(batch: Read[], reports: BlockReport[], state: 'looked' | 'scored'): void {
    const byId = new Map(reports.map((report) => [report.id, report]));
    for (const { item, alive } of batch) {
      const report = byId.get(item.id);
      if (!alive || !report) continue;
      item.report = report;
      item.state = state;
      this.around.known(item);
    }
  }

  private wantsScore({ item }: Read): boolean {
    return item.state === 'looked' && item.report !== null
      && item.report.words >= LEAST_WORDS && item.report.verdict !== 'declared_ai';
  }

  /** A daemon that is away is not asked again until something says that it is back. */
  private mayScore(): boolean {
    const { state } = this.around.daemon();
    return state === 'ready' || state === 'loading';
  }

  /** One request, once more if nobody was there to answer it; blocks of a failure go back to where they waited. */
  private async send<Name extends 'look' | 'score'>(
    name: Name, batch: Read[], queue: Map<string, Read>,
  ): Promise<Asks[Name]['reply'] | null> {
    const blocks = batch.map(({ item }) => blockOf(item));
    const request: Request = batch[0]?.item.kind === 'article' ? { document: this.around.document(), blocks } : { blocks };
    for (let last = false; ; last = true) {
      try {
        return await this.around.ask(name, request);
      } catch (error) {
        if (!this.around.isAlive()) {
          this.around.dead();
          return null;
        }
        if (!last) continue;
        console.debug('bonafide:', error);
        for (const entry of batch) {
          const count = (this.failures.get(entry.item.id) ?? 0) + 1;
          this.failures.set(entry.item.id, count);
          if (entry.alive && count < MOST_FAILURES) queue.set(entry.item.id, entry);
          else this.around.settle(entry);
        }
        this.pause(name);
        return null;
      }
    }
  }

  /** Nothing of the kind is asked for a while. */
  private pause(name: 'look' | 'score'): void {
    if (this.timers.has(name) || this.stopped) return;
    this.timers.set(name, setTimeout(() => {
      this.timers.delete(name);
      this.go();
    }, this.wait));
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
  }
}

/** What is to be asked next, nearest first: blocks of one document, or others. */
function take(queue: Map<string, Read>, most: number): Read[] {
  const waiting = [...queue.values()].filter(({ near, alive }) => near && alive).sort((one, other) => one.distance - other.distance);
  const isArticle = waiting[0]?.item.kind === 'article';
  const batch: Read[] = [];
  let bytes = 0;
  for (const entry of waiting) {
    if ((entry.item.kind === 'article') !== isArticle) continue;
    // No character has more bytes.
    bytes += 3 * entry.item.map.text.length;
    if (batch.length > 0 && (batch.length >= most || bytes > MOST_BYTES)) break;
    batch.push(entry);
    queue.delete(entry.item.id);
  }
  return batch;
}

function blockOf({ id, kind, map, part, signed }: Item): Block {
  return { id, kind, text: map.text, part, ...(signed ? { signed } : {}) };
}
