// Follows the open conversation of a messaging site: what was seen of it goes to the background turn by turn, and what it
// comes to goes to whoever draws. All of it is kept in memory, and is gone with the page.

import type { Risk, ScamReport, ScamSetting, Settings, Summary } from '../../protocol.js';
import { language, tag } from '../../i18n.js';
import type { Adapter, Turn } from '../../sites/types.js';
import type { Ask } from '../reading.js';
import type { Alarm, Message } from '../types.js';
import { isSame, Thread, type Seen } from './thread.js';
import { wordsOf } from './words.js';

/** So many conversations are remembered, those that were opened last. */
const MOST_THREADS = 24;
const MOST_KEY = 400;
/** A page that shows something entirely else under the same name is given so long to say what it shows, in milliseconds. */
const APART_REST = 400;
/** Older messages come in bursts while somebody scrolls: all of a conversation is not sent again sooner than after this. */
const WHOLE_REST = 500;
/** A conversation that can't be read so often is left alone, for each failure may cost others their place in memory. */
const MOST_FAILED = 3;
const RISKS: readonly Risk[] = ['none', 'caution', 'danger'];

export interface Around {
  ask: Ask;
  settings(): Settings;
  /** Warns of a conversation, or of none. */
  warn(alarm: Alarm | null): void;
  /** How it stands with the open conversation has changed. */
  changed(): void;
  isAlive(): boolean;
}

interface Followed {
  key: string;
  thread: Thread;
  setting: ScamSetting;
  /** What was said last, of which turns, and what had been asked. */
  report: ScamReport | null;
  of: readonly Seen[];
  asked: string;
  /** The risk at which the user said that it is none. */
  hushed: Risk;
  /** When all of it was sent last. */
  whole: number;
  /** How often it could not be read. */
  failed: number;
}

export class Chats {
  private readonly all = new Map<string, Followed>();
  private open: Followed | null = null;
  /** Which conversation an element's words were seen in, and what they were. */
  private readonly owners = new WeakMap<Element, { key: string; text: string }>();
  private apart: string | null = null;
  private asking = false;
  private timer: number | null = null;
  private stopped = false;

  constructor(private readonly page: Document, private readonly around: Around) {}

  /** What the page shows now. Gives the milliseconds after which it is to be looked at again, if that is so. */
  see(adapter: Adapter | null, turns: readonly Turn[]): number | null {
    const name = this.around.settings().scam ? adapter?.conversation(this.page) ?? null : null;
    if (!adapter || name === null) {
      this.leave();
      return null;
    }
    const one = this.followed(`${adapter.name} ${name}`.slice(0, MOST_KEY).toWellFormed());
    const shown = this.shown(turns, one.key);
    const apart = this.apart === one.key;
    this.apart = null;
    if (this.open !== one) {
      this.open = one;
      this.around.changed();
    }
    if (!one.thread.see(shown, apart)) {
      // Perhaps the address is still the old one, or already the new one.
      this.apart = one.key;
      this.draw();
      return APART_REST;
    }
    for (const { words, text } of shown) this.owners.set(words, { key: one.key, text });
    const stranger = adapter.stranger?.(this.page) ?? null;
    // What a bar has said stays true when the bar is closed.
    if (stranger !== null) one.setting = { ...one.setting, new_contact: stranger };
    this.draw();
    void this.send();
    return null;
  }

  /** Settings have changed. */
  change(): void {
    if (!this.around.settings().scam) {
      this.all.clear();
      this.leave();
      return;
    }
    this.draw();
    void this.send();
  }

  hush(key: string): void {
    const one = this.all.get(key);
    if (!one?.report) return;
    one.hushed = one.report.risk;
    this.draw();
    this.around.changed();
  }

  /** How the open conversation stands. */
  state(): Summary['scam'] {
    return this.open?.report ? { risk: this.open.report.risk, hushed: isHushed(this.open) } : null;
  }

  stop(): void {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.all.clear();
    this.open = null;
  }

  private leave(): void {
    this.apart = null;
    if (!this.open) return;
    this.open = null;
    this.draw();
    this.around.changed();
  }

  private followed(key: string): Followed {
    const one = this.all.get(key) ?? {
      key, thread: new Thread(), setting: {}, report: null, of: [], asked: '', hushed: 'none', whole: Number.NEGATIVE_INFINITY,
      failed: 0,
    };
    this.all.delete(key);
    this.all.set(key, one);
    for (const oldest of this.all.keys()) {
      if (this.all.size <= MOST_THREADS) break;
      this.all.delete(oldest);
    }
    return one;
  }

  /**
   * The messages whose side is known. One whose side the page leaves open counts as theirs only if it bears the name of somebody
   * whose messages surely are, and not the reader's own; else it is left out. To put the reader's words into the other's mouth
   * could accuse somebody wrongly; to leave words out can only make us find less.
   */
  private shown(turns: readonly Turn[], key: string): Seen[] {
    const names = { me: new Set<string>(), them: new Set<string>() };
    for (const { side, name } of turns) if (side !== 'unknown' && name !== null) names[side].add(name);
    const seen: Seen[] = [];
    for (const turn of turns) {
      const theirs = turn.name !== null && names.them.has(turn.name) && !names.me.has(turn.name);
      const side = turn.side !== 'unknown' ? turn.side : theirs ? 'them' : null;
      if (side === null) continue;
      const text = wordsOf(turn.text, turn.except);
      if (text === '') continue;
      // Sites change their address before they change what they show: what stood there in another conversation is that one's.
      const owner = this.owners.get(turn.text);
      if (owner && owner.key !== key && owner.text === text) continue;
      seen.push({ side, text, at: turn.at ?? null, id: turn.id ?? null, element: turn.element, words: turn.text });
    }
    return seen;
  }

  /** Sends what is new of the open conversation; one question at a time. */
  private async send(): Promise<void> {
    if (this.asking || this.timer !== null) return;
    this.asking = true;
    let asker: Followed | null = null;
    try {
      for (let refused = 0; refused < 2;) {
        const one = this.open;
        if (!one || this.stopped || one.failed >= MOST_FAILED) return;
        asker = one;
        const { thread, setting } = one;
        const turns = thread.turns;
        const tongue = this.language();
        const asked = JSON.stringify([setting, tongue]);
        if (turns.length === 0 || (one.report && thread.steady === turns.length && one.asked === asked)) return;
        const before = thread.steady;
        if (before === 0 && this.waits(one)) return;
        const fresh = turns.slice(before).map(({ side, text, at }) => ({ side, text, at }));
        if (before === 0) one.whole = performance.now();
        const reply = await this.around.ask('scam', { key: one.key, before, turns: fresh, setting, language: tongue });
        if ('again' in reply) {
          refused += 1;
          thread.steady = 0;
          one.whole = Number.NEGATIVE_INFINITY;
          continue;
        }
        thread.sent(turns);
        const risk = one.report?.risk;
        Object.assign(one, { report: reply.report, of: turns, asked, failed: 0 });
        this.draw();
        if (risk !== reply.report.risk) this.around.changed();
      }
    } catch (error) {
      // What went wrong once is tried again with the next message.
      if (this.around.isAlive()) console.debug('bonafide:', error);
      if (asker) {
        asker.thread.steady = 0;
        asker.failed += 1;
      }
    } finally {
      this.asking = false;
    }
  }

  /** Whether all of a conversation was sent a moment ago; then it is sent again in a moment. */
  private waits({ whole }: Followed): boolean {
    const left = whole + WHOLE_REST - performance.now();
    if (left <= 0) return false;
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.send();
    }, left);
    return true;
  }

  /** In which language sentences are wanted; a region tells whose hotline. */
  private language(): string {
    return spoken(this.around.settings().language, this.page.defaultView?.navigator.language ?? 'en');
  }

  private draw(): void {
    if (this.stopped) return;
    const one = this.open;
    const { report } = one ?? {};
    if (!one || !report || report.risk === 'none' || isHushed(one)) {
      this.around.warn(null);
      return;
    }
    this.around.warn({
      key: one.key, report, message: (turn) => this.message(one, turn),
      anchor: one.thread.turns.findLast(({ words }) => words.isConnected)?.words ?? null,
    });
  }

  /** A message of a report; it may have got another element, or another place, since the report was made. */
  private message({ of, thread }: Followed, turn: number): Message | null {
    const said = of[turn];
    if (!said) return null;
    const here = thread.turns[turn];
    const now = isSame(here, said) ? here : thread.turns.find((one) => one.id === said.id && isSame(one, said));
    const { side, text, words } = now ?? said;
    // Lists that use their rows again may show other words there by now.
    return { side, text, words: words.isConnected && this.owners.get(words)?.text === text ? words : null };
  }
}

/** The language to ask for: with the browser's region, if the interface speaks its language. */
export function spoken(chosen: Settings['language'], browser: string): string {
  if (chosen === 'auto') return browser.slice(0, 35);
  const wanted = tag(language(chosen, browser));
  const [mine, theirs] = [wanted, browser].map((one) => one.split('-')[0]?.toLowerCase());
  return mine === theirs ? browser.slice(0, 35) : wanted;
}

/** A warning that was called wrong comes back only if it has become graver since. */
function isHushed({ report, hushed }: Followed): boolean {
  return report !== null && report.risk !== 'none' && RISKS.indexOf(report.risk) <= RISKS.indexOf(hushed);
}
