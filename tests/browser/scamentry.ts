// How chats are followed, with a background and an adapter that are made up. Bundled by `bundle.mjs`.

import { Chats, spoken } from '../../extension/src/content/scam/chats.js';
import { MOST_TURNS, Thread, type Seen } from '../../extension/src/content/scam/thread.js';
import { wordsOf } from '../../extension/src/content/scam/words.js';
import type { Alarm } from '../../extension/src/content/types.js';
import type { Asks, Risk, ScamReport, Settings } from '../../extension/src/protocol.js';
import { dateOrder, moment } from '../../extension/src/sites/stamp.js';
import type { Adapter, Turn } from '../../extension/src/sites/types.js';

/** A message as tests write it: `them: hello`, and with the site's name for it `them #7: hello`. */
function turnOf(line: string): { side: Turn['side']; id: string | null; text: string } {
  const [, side = '', id = null, text = ''] = /^(\w+)(?: #(\w+))?: ([^]*)$/u.exec(line) ?? [];
  return { side: side as Turn['side'], id, text };
}

/** What is known after some windows, each a list of messages and sent at once, and which of them were taken in. */
function windows(list: string[][], apart = false): { turns: string[]; steady: number; taken: boolean[] } {
  const thread = new Thread();
  const taken = list.map((lines) => {
    const done = thread.see(lines.map((line) => {
      const { side, id, text } = turnOf(line);
      const [name, at] = text.split(' @ ');
      const words = document.createElement('p');
      return { side, id, text: name ?? '', at: at === undefined ? null : Number(at), element: words, words } as Seen;
    }), apart);
    thread.sent(thread.turns);
    return done;
  });
  return { turns: thread.turns.map(({ text }) => text), steady: thread.steady, taken };
}

class Lab {
  settings = { language: 'en', scam: true } as Settings;
  key: string | null = 'one';
  risk: Risk = 'none';
  stranger: boolean | null = null;
  asked: Asks['scam']['ask'][] = [];
  /** How much the background knows, by conversation. */
  known = new Map<string, number>();
  alarm: Alarm | null = null;
  changes = 0;
  failing = false;
  readonly chats = new Chats(document, {
    ask: async (_, what) => await this.answer(what as Asks['scam']['ask']) as never,
    settings: () => this.settings,
    warn: (alarm) => { this.alarm = alarm; },
    changed: () => { this.changes += 1; },
    isAlive: () => true,
  });
  private readonly adapter: Adapter = {
    name: 'Site', seen: '', hosts: [], turns: () => [], expected: () => true,
    conversation: () => this.key, stranger: () => this.stranger,
  };

  private async answer(ask: Asks['scam']['ask']): Promise<Asks['scam']['reply']> {
    this.asked.push(structuredClone(ask));
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (this.failing) throw new Error('It trapped.');
    const before = ask.before === 0 ? 0 : this.known.get(ask.key) ?? 0;
    if (before !== ask.before) return { again: true };
    const turns = before + ask.turns.length;
    this.known.set(ask.key, turns);
    const places = Array.from({ length: turns }, (_, turn) => ({ turn }));
    const report: ScamReport = {
      risk: this.risk, probability: 0.5, stage: this.risk === 'none' ? null : 'hook', pattern: null, advice: null, turns, model: 'made up',
      evidence: this.risk === 'none' ? [] : [{ code: 'x', stage: 'hook', strength: 0.5, places, message: 'A finding.' }],
    };
    return { report };
  }

  /** Shows messages in the page, `side name: text`, and has them seen; gives what `see` gives. */
  see(lines: string[], reuse = false): number | null {
    const list = document.querySelector('#list') as HTMLElement;
    if (!reuse) list.replaceChildren(...lines.map(() => document.createElement('p')));
    const turns = lines.map((line, place): Turn => {
      const [, side = '', name = null, text = ''] = /^(\w+)(?: (\w+))?: ([^]*)$/u.exec(line) ?? [];
      const words = list.children[place] as Element;
      if (words.textContent !== text) words.textContent = text;
      return { element: words, text: words, except: [], side: side as Turn['side'], name };
    });
    return this.chats.see(this.key === null ? null : this.adapter, turns);
  }

  /** Which messages of the report are in the page, or `null` without a warning. */
  here(): string[] | null {
    const { alarm } = this;
    if (!alarm) return null;
    return alarm.report.evidence[0]?.places.map(({ turn }) => {
      const said = alarm.message(turn);
      return `${said?.side}: ${said?.text}${said?.words ? '' : ' (away)'}`;
    }) ?? [];
  }
}

Object.assign(globalThis, {
  windows, wordsOf, dateOrder, moment, spoken, MOST_TURNS,
  begin: () => { Object.assign(globalThis, { lab: new Lab() }); },
});
