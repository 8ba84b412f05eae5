// One frame of a page: the parts that find, ask and draw, and what they tell each other.

import type { Daemon, Judged, Orders, Settings, Summary } from '../protocol.js';
import { verdictOf } from './filter/rules.js';
import type { Entry } from './find/claims.js';
import { metadataOf } from './metadata.js';
import { Reading, type Ask } from './reading.js';
import { Chats } from './scam/chats.js';
import { SelectionReader } from './selected.js';
import { Statements } from './signed/statements.js';
import { Slices } from './slices.js';
import type { Alarm, Item, Overlay, Surroundings } from './types.js';
import { Watch } from './watch.js';

/** The popup hears of changes not more often than this, in milliseconds. */
const TALLY_REST = 250;
/** So much of the beginning and of the end of a document is told with its parts. */
const EDGE = 2000;
/** More statements are not told to the popup. */
const MOST_STATEMENTS = 200;

export type Order = { [Name in keyof Orders]: { name: Name; ask: Orders[Name]['ask'] } }[keyof Orders];

/** What a frame needs from outside; tests give it something else. */
export interface Outside {
  ask: Ask;
  overlay(document: Document, surroundings: Surroundings, settings: Settings): Overlay;
  /** Whether the extension still runs: after an update what was started before is cut off from it. */
  isAlive(): boolean;
}

export class Frame {
  private state: { settings: Settings; daemon: Daemon } | null = null;
  private live: Live | null = null;
  private started: Promise<void> | null = null;

  constructor(private readonly document: Document, private readonly outside: Outside) {}

  /** Begins, if this site is labelled; again after it has ended. */
  start(): Promise<void> {
    if (this.live?.isRunning) return Promise.resolve();
    this.started ??= this.begin().finally(() => {
      this.started = null;
    });
    return this.started;
  }

  /** Ends, and takes everything away that was drawn. */
  stop(): void {
    this.live?.stop();
    this.live = null;
  }

  /** Does what the background or the popup wants. Fails with a sentence. */
  async obey(order: Order): Promise<void> {
    // A selection may be what has put this script into the page, a moment ago.
    await this.started?.catch(() => undefined);
    switch (order.name) {
      case 'rescan':
        this.live?.rescan();
        return;
      case 'reveal':
        this.live?.overlay.reveal();
        this.live?.tallySoon();
        return;
      case 'changed':
        await this.change(order.ask);
        return;
      case 'selection': {
        const { what, settings, daemon } = order.ask;
        this.state ??= { settings, daemon };
        this.live ??= this.make(this.state);
        await this.live.selection.read(what);
        return;
      }
      default:
    }
  }

  private async begin(): Promise<void> {
    const reply = await this.outside.ask('settings', { host: this.document.location.hostname });
    if (!reply || this.live?.isRunning) return;
    this.state = reply;
    this.live ??= this.make(reply);
    this.live.change(reply);
    this.live.start();
  }

  private make(state: { settings: Settings; daemon: Daemon }): Live {
    return new Live(this.document, this.outside, state, () => this.stop());
  }

  private async change(state: { settings: Settings; daemon: Daemon }): Promise<void> {
    if (!this.live?.isRunning) await this.start();
    if (!this.live) return;
    this.state = state;
    if (this.live.isRunning && state.settings.off.includes(this.document.location.hostname)
      && (await this.outside.ask('settings', { host: this.document.location.hostname })) === null) {
      this.stop();
      return;
    }
    this.live.change(state);
  }
}

/** A frame that is labelled. */
class Live {
  overlay: Overlay;
  readonly selection: SelectionReader;
  isRunning = false;
  private readonly slices = new Slices();
  private readonly watch: Watch;
  private readonly reading: Reading;
  private readonly statements: Statements;
  private readonly chats: Chats;
  private judged: Pick<Judged, 'model' | 'calibrations'> | null = null;
  private timer: number | null = null;
  private told = '';
  private stopped = false;
  private readonly seen = () => this.lookAgain();

  constructor(
    private readonly document: Document,
    private readonly outside: Outside,
    private state: { settings: Settings; daemon: Daemon },
    private readonly end: () => void,
  ) {
    this.overlay = this.draw();
    const ask: Ask = (name, what) => outside.ask(name, what);
    this.watch = new Watch(document, this.slices, {
      near: (entries) => {
        for (const entry of entries) if (entry.item.state === 'waiting') this.statements.tell(entry);
        this.reading.near(entries);
        this.tallySoon();
      },
      gone: (item) => {
        this.reading.gone(item);
        this.overlay.drop(item);
        this.tallySoon();
      },
      carrier: () => this.statements.carrier(),
      altered: () => this.statements.altered(),
      counted: () => this.tallySoon(),
      turns: (adapter, turns) => this.chats.see(adapter, turns),
    });
    this.chats = new Chats(document, {
      ask,
      settings: () => this.state.settings,
      warn: (alarm) => this.warn(alarm),
      changed: () => this.tallySoon(),
      isAlive: () => outside.isAlive(),
    });
    this.reading = new Reading({
      ask,
      document: () => this.aroundParts(),
      daemon: () => this.state.daemon,
      known: (item) => this.show(item),
      judged: (judged) => this.learn(judged),
      told: (daemon) => {
        this.state = { ...this.state, daemon };
        this.tallySoon();
      },
      settle: (entry) => this.watch.settle(entry),
      isChecking: () => this.statements.isChecking(),
      isAlive: () => outside.isAlive(),
      dead: () => this.end(),
    });
    this.statements = new Statements(document, this.slices, {
      ask,
      entries: () => this.watch.entries(),
      roots: () => this.watch.roots(),
      changed: (entry) => {
        this.overlay.show(entry.item);
        this.reading.again(entry);
      },
      checked: () => {
        this.reading.retry();
        this.tallySoon();
      },
    });
    this.selection = new SelectionReader(document, {
      ask,
      settings: () => this.state.settings,
      roots: () => this.watch.roots(),
      show: (item) => this.overlay.show(item),
      open: (item) => this.overlay.open(item),
      drop: (item) => this.overlay.drop(item),
      judged: (judged) => this.learn(judged),
      told: (daemon) => {
        this.state = { ...this.state, daemon };
      },
    });
  }

  start(): void {
    this.isRunning = true;
    this.watch.start();
    this.statements.altered(true);
    // Somebody who comes back to a page has perhaps started the daemon meanwhile.
    this.document.addEventListener('visibilitychange', this.seen);
  }

  stop(): void {
    this.stopped = true;
    this.isRunning = false;
    this.document.removeEventListener('visibilitychange', this.seen);
    if (this.timer !== null) clearTimeout(this.timer);
    this.watch.stop();
    this.reading.stop();
    this.statements.stop();
    this.chats.stop();
    this.slices.stop();
    this.overlay.remove();
  }

  rescan(): void {
    this.watch.rescan();
    this.statements.altered(false, true);
    this.reading.retry();
  }

  change(state: { settings: Settings; daemon: Daemon }): void {
    const isTranslated = state.settings.language !== this.state.settings.language;
    this.state = state;
    if (isTranslated) {
      this.overlay.remove();
      this.overlay = this.draw();
      for (const item of this.items()) if (item.report) this.overlay.show(item);
    } else {
      this.overlay.refresh(this.items());
    }
    this.chats.change();
    this.statements.altered(false, true);
    this.reading.retry();
    this.tallySoon();
  }

  /** Tells how the frame stands, once nothing has changed for a moment. */
  tallySoon(): void {
    if (this.timer !== null || this.stopped || !this.isRunning) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.tally().catch(() => {
        if (!this.outside.isAlive()) this.end();
      });
    }, TALLY_REST);
  }

  private draw(): Overlay {
    return this.outside.overlay(this.document, {
      settings: () => this.state.settings,
      daemon: () => this.state.daemon,
      judged: () => this.judged,
      note: async (item, said, comment) => {
        const { hostname } = this.document.location;
        const verdict = item.report?.verdict ?? 'unclear';
        await this.outside.ask('note', { at: new Date().toISOString(), host: hostname, verdict, said, comment, text: item.map.text });
      },
      hush: (key) => this.chats.hush(key),
      changed: () => this.tallySoon(),
    }, this.state.settings);
  }

  private *items(): Generator<Item> {
    yield* this.watch.items();
    if (this.selection.item) yield this.selection.item;
  }

  private show(item: Item): void {
    try {
      this.overlay.show(item);
    } catch (error) {
      console.debug('bonafide:', error);
    }
    this.watch.firstShown();
    this.tallySoon();
  }

  private warn(alarm: Alarm | null): void {
    try {
      this.overlay.warn(alarm);
    } catch (error) {
      console.debug('bonafide:', error);
    }
  }

  private learn(judged: Judged): void {
    this.judged = { model: judged.model, calibrations: judged.calibrations };
  }

  private lookAgain(): void {
    if (this.document.visibilityState === 'visible') this.reading.retry();
  }

  private aroundParts(): { metadata: ReturnType<typeof metadataOf>; begins: string; ends: string } {
    const parts = [...this.watch.entries()].filter(({ draft }) => draft.kind === 'article');
    return { metadata: metadataOf(this.document), begins: edge(parts).join('\n\n').slice(0, EDGE), ends: edge(parts.toReversed()).reverse().join('\n\n').slice(-EDGE) };
  }

  private async tally(): Promise<void> {
    const summary: Summary = {
      verdicts: { human_signed: 0, likely_human: 0, unclear: 0, mixed: 0, likely_ai: 0, declared_ai: 0 },
      pending: this.reading.pending(), hidden: this.overlay.hidden(),
      statements: this.statements.statements.slice(0, MOST_STATEMENTS), adapter: this.watch.adapterState(),
      scam: this.chats.state(),
    };
    for (const item of this.watch.items()) {
      const verdict = verdictOf(item, this.state.settings);
      if (verdict) summary.verdicts[verdict] += 1;
    }
    const told = JSON.stringify(summary);
    if (told === this.told) return;
    this.told = told;
    await this.outside.ask('tally', summary);
  }
}

/** The words of the first blocks, as many as make up an edge. */
function edge(parts: Entry[]): string[] {
  const texts: string[] = [];
  let length = 0;
  for (const entry of parts) {
    if (length >= EDGE) break;
    const text = entry.map?.text ?? roughText(entry);
    texts.push(text);
    length += text.length;
  }
  return texts;
}

/** The words of a block that is far away, which was not read with its styles. */
function roughText({ draft }: Entry): string {
  return draft.pieces
    .map(({ parts }) => parts.map((part) => (part ? part.node.data.slice(part.from, part.to) : '\n')).join('').trim())
    .join('\n\n').toWellFormed();
}
