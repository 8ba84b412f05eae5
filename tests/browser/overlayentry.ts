// The overlay in a page of its own, around which everything else is made up. Bundled by `bundle.mjs`.

import en from '../../extension/src/_locales/en/content.json';
import zh from '../../extension/src/_locales/zh_CN/content.json';
import { PageOverlay } from '../../extension/src/content/overlay/overlay.js';
import { Translator, type Language } from '../../extension/src/i18n.js';
import type { BlockReport, Daemon, Note, ScamReport, Settings, Signed } from '../../extension/src/protocol.js';
import type { Item, Span, TextMap } from '../../extension/src/content/types.js';

const SETTINGS: Settings = {
  language: 'auto', showUnclear: false, strictness: 0, signedOnly: false, scam: true, rules: [], off: [], sync: false, port: 0, contacts: [], pins: {},
};

export interface Wish {
  selector: string;
  id?: string;
  kind?: Item['kind'];
  state?: Item['state'];
  turn?: NonNullable<Item['turn']>;
  signed?: Signed;
  report?: Partial<BlockReport> | null;
}

class Lab {
  settings: Settings;
  overlay: PageOverlay;
  daemon: Daemon;
  items = new Map<string, Item>();
  notes: { id: string; said: Note['said']; comment: string }[] = [];
  changes = 0;
  hushed: string[] = [];
  failing = false;
  /** Milliseconds that making the overlay took. */
  begun: number;

  constructor({ mode = 'closed', language = 'en', settings = {} }: { mode?: ShadowRootMode; language?: Language; settings?: Partial<Settings> }) {
    this.settings = { ...SETTINGS, ...settings };
    const model = { name: 'SmolLM2-135M-Instruct', sha256: '', architecture: 'llama', backend: 'cpu' };
    const calibration = { version: '1', target_false_positive_rate: 0.01, measured_false_positive_rate: 0.0083 };
    this.daemon = { state: 'ready', version: '0.1.0', model, calibrations: [calibration] };
    const start = performance.now();
    this.overlay = new PageOverlay(document, {
      settings: () => this.settings,
      daemon: () => this.daemon,
      judged: () => ({ model, calibrations: [calibration] }),
      note: async (item, said, comment) => {
        if (this.failing) throw new Error('storage is full');
        this.notes.push({ id: item.id, said, comment });
      },
      hush: (key) => {
        this.hushed.push(key);
        this.overlay.warn(null);
      },
      changed: () => { this.changes += 1; },
    }, new Translator(language, { en, zh_CN: zh }), mode);
    this.begun = performance.now() - start;
  }

  item({ selector, id = selector, kind = 'article', state = 'scored', turn, signed, report }: Wish): Item {
    const elements = [...document.querySelectorAll(selector)];
    const map = textMap(elements);
    const whole: BlockReport = {
      id, verdict: 'likely_ai', probability: 0.93, p_value: 0.004, evidence: [], sentences: [], words: 80, token_count: 110, language: 'en',
      detectors: {}, ...report,
    };
    const item: Item = {
      id, kind, part: false, map, elements, state, report: report === null ? null : whole, ...(turn ? { turn } : {}), ...(signed ? { signed } : {}),
    };
    this.items.set(id, item);
    return item;
  }

  show(wish: Wish): void {
    this.overlay.show(this.item(wish));
  }

  /** Warns of a conversation, whose messages are elements of the page by their selectors. */
  warn(report: ScamReport | null, selectors: string[] = [], key = 'chat'): void {
    const found = selectors.map((selector) => document.querySelector(selector));
    this.overlay.warn(report && {
      key, report, anchor: found.find((one) => one !== null) ?? null,
      message: (turn) => {
        const words = found[turn] ?? null;
        return turn < selectors.length ? { side: turn % 2 === 0 ? 'them' : 'me', text: words?.textContent ?? `message ${turn}`, words } : null;
      },
    });
  }

  refresh(settings: Partial<Settings>): void {
    this.settings = { ...this.settings, ...settings };
    this.overlay.refresh(this.items.values());
  }

  get(id: string): Item {
    const item = this.items.get(id);
    if (!item) throw new Error(`no item ${id}`);
    return item;
  }
}

function textMap(elements: Element[]): TextMap {
  const places: [node: Text, offset: number][] = [];
  let text = '';
  for (const element of elements) {
    if (text !== '') {
      text += '\n\n';
      const last = places.at(-1);
      if (last) places.push(last, last);
    }
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      let offset = 0;
      for (const point of node.nodeValue ?? '') {
        places.push([node as Text, offset]);
        text += point;
        offset += point.length;
      }
    }
  }
  return {
    text,
    range({ start, end }: Span) {
      const [from, to] = [places[start], places[end - 1]];
      if (!from?.[0].isConnected || !to?.[0].isConnected) return null;
      const range = document.createRange();
      range.setStart(...from);
      range.setEnd(to[0], to[1] + 1);
      return range;
    },
  };
}

Object.assign(globalThis, { begin: (options: ConstructorParameters<typeof Lab>[0]) => Object.assign(globalThis, { lab: new Lab(options) }) });
