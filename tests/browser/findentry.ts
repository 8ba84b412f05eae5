// A frame's content script with everything around it made up: the background that judges, and the overlay that draws.
// Bundled by `findpage.mjs`.

import { Frame, type Order, type Outside } from '../../extension/src/content/frame.js';
import { words } from '../../extension/src/content/find/words.js';
import { group } from '../../extension/src/content/find/group.js';
import { textOf } from '../../extension/src/content/textmap.js';
import type { Item, Overlay } from '../../extension/src/content/types.js';
import type { Asks, BlockReport, Checked, Daemon, Settings, Step, Verdict } from '../../extension/src/protocol.js';
import { Walk } from '../../extension/src/content/signed/walk.js';

const SETTINGS: Settings = {
  language: 'en', showUnclear: false, strictness: 0, signedOnly: false, scam: false, rules: [], off: [], sync: false, port: 0, contacts: [], pins: {},
};
const MODEL = { name: 'model', sha256: '', architecture: 'llama', backend: 'cpu' };

class Lab implements Outside {
  settings: Settings = SETTINGS;
  daemon: Daemon = { state: 'ready', version: '1', model: MODEL, calibration: null };
  granted = true;
  alive = true;
  /** Requests that fail before one is answered. */
  failures = 0;
  asked: { name: string; what: unknown }[] = [];
  shown = new Map<string, Item>();
  dropped: string[] = [];
  opened: string[] = [];
  removed = 0;
  /** When the first block was shown. */
  first = 0;
  check: (walk: Step[]) => Checked[] | Promise<Checked[]> = () => [];
  verdict: (text: string) => Verdict = () => 'unclear';
  readonly frame = new Frame(document, this);

  async ask<Name extends keyof Asks>(name: Name, what: Asks[Name]['ask']): Promise<Asks[Name]['reply']> {
    this.asked.push({ name, what });
    // As a message does, which comes back in a task of its own.
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('The message port closed before a response was received.');
    }
    return await this.answer(name, what) as Asks[Name]['reply'];
  }

  private async answer(name: keyof Asks, what: unknown): Promise<unknown> {
    switch (name) {
      case 'settings': return this.granted ? { settings: this.settings, daemon: this.daemon } : null;
      case 'look': return { blocks: this.reports(what as Asks['look']['ask'], null) };
      case 'score':
        if (this.daemon.state !== 'ready') return { daemon: this.daemon };
        return { blocks: this.reports(what as Asks['score']['ask'], 0.5), model: MODEL, calibration: null };
      case 'signatures': return { statements: 'walk' in (what as object) ? await this.check((what as { walk: Step[] }).walk) : [] };
      default: return null;
    }
  }

  private reports({ blocks }: Asks['look']['ask'], probability: number | null): BlockReport[] {
    return blocks.map(({ id, text }) => ({
      id, verdict: this.verdict(text), probability, p_value: null, evidence: [], sentences: [], words: words(text), token_count: 0,
      language: null, detectors: {},
    }));
  }

  isAlive(): boolean {
    return this.alive;
  }

  overlay(): Overlay {
    return {
      show: (item) => {
        this.first ||= performance.now();
        this.shown.set(item.id, item);
      },
      drop: (item) => {
        this.shown.delete(item.id);
        this.dropped.push(item.map.text);
      },
      open: (item) => { this.opened.push(item.map.text); },
      warn: () => undefined,
      reveal: () => undefined,
      hidden: () => 0,
      refresh: () => undefined,
      remove: () => { this.removed += 1; },
    };
  }

  order(order: Order): Promise<void> {
    return this.frame.obey(order);
  }

  /** What is shown, in the order of the page. */
  blocks() {
    const items = [...this.shown.values()].filter(({ kind }) => kind !== 'selection');
    const start = (item: Item) => item.map.range({ start: 0, end: 1 });
    items.sort((one, other) => {
      const [here, there] = [start(one), start(other)];
      return here && there && here.startContainer.getRootNode() === there.startContainer.getRootNode()
        ? here.compareBoundaryPoints(Range.START_TO_START, there) : 0;
    });
    return items.map((item) => ({
      kind: item.kind, part: item.part, text: item.map.text, state: item.state, turn: item.turn ?? null, loose: item.loose ?? false,
      elements: item.elements.map((element) => element.localName + (element.id ? `#${element.id}` : '')),
      signed: item.signed ? { result: item.signed.statement.result, whole: item.signed.whole } : null,
    }));
  }

  /** The text that the ranges of all code points of each block give, to be compared with the block. */
  ranges() {
    return [...this.shown.values()].map(({ map }) => {
      const points = [...map.text];
      const found = (at: number) => map.range({ start: at, end: at + 1 })?.toString() ?? '?';
      // Any white space is shown as a space, and an end of a line is no character of the page.
      return points.map((point, at) => (point === '\n' ? '\n' : point === ' ' ? found(at).replace(/\s/, ' ') : found(at))).join('');
    });
  }

  /** How much was asked, and the largest requests. */
  requests() {
    const of = (name: string) => this.asked.filter((one) => one.name === name).map(({ what }) => (what as Asks['look']['ask']));
    return { looks: of('look'), scores: of('score'), tallies: this.asked.filter(({ name }) => name === 'tally').map(({ what }) => what) };
  }

  cost(): { total: number; longest: number; slices: number } {
    const { slices } = (this.frame as unknown as { live: { slices: { cost: { total: number; longest: number; slices: number } } } }).live;
    return slices.cost;
  }
}

/** A walk over the page at once. */
function walk(): Walk {
  const task = new Walk().over(document);
  for (;;) {
    const step = task.next();
    if (step.done) return step.value;
  }
}

Object.assign(globalThis, {
  words, group, textOf, walk,
  begin: async (changes: Partial<Lab> = {}) => {
    const lab = Object.assign(new Lab(), changes);
    Object.assign(globalThis, { lab });
    await lab.frame.start();
  },
});
