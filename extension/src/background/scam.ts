// Conversations that are followed for signs of a scam, in memory alone: what a page has shown goes neither to a disk nor to
// the daemon. All of it can be lost at any moment, with the worker or with a module that trapped; then it is asked for again.

import type { Chat } from '../../generated/bonafide_wasm.js';
import type { Asks } from '../protocol.js';
import { instanceNow, withScam } from './judge.js';
import { isScamReport } from './shape.js';

/** So many conversations are followed at once; the one that was longest without a word is let go. */
const MOST = 48;

type Said = Asks['scam']['ask'];

interface Followed { chat: Chat; instance: number; tab: number; frame: number; turns: number; setting: string }

/** By tab, frame and conversation; the order is that of their last use. */
const followed = new Map<string, Followed>();

/** Reads what was said next, and tells what it comes to. */
export async function follow(tab: number, frame: number, said: Said): Promise<Asks['scam']['reply']> {
  const name = `${tab}:${frame}:${said.key}`;
  const setting = JSON.stringify(said.setting);
  const turns = JSON.stringify(said.turns);
  // One step without a pause, so that nothing else can come between.
  return withScam((module) => {
    let one = followed.get(name);
    if (one && (one.instance !== instanceNow() || said.before === 0)) {
      drop(name);
      one = undefined;
    }
    if ((one?.turns ?? 0) !== said.before) return { again: true };
    try {
      one ??= { chat: new module.Chat(setting), instance: instanceNow(), tab, frame, turns: 0, setting };
      keep(name, one);
      if (one.setting !== setting) one.chat.set(setting);
      one.setting = setting;
      one.chat.add(turns);
      one.turns += said.turns.length;
      const report: unknown = JSON.parse(one.chat.report(said.language));
      if (!isScamReport(report, one.turns)) throw new Error('The report on a conversation has another shape than it should.');
      return { report };
    } catch (error) {
      // Whatever is wrong with it, it is begun anew. What has trapped takes nothing back.
      if (error instanceof WebAssembly.RuntimeError) followed.delete(name);
      else drop(name);
      throw error;
    }
  });
}

/** A tab, or a frame of it, shows something else now, or nothing. */
export function forget(tab: number, frame?: number): void {
  for (const [name, one] of followed) if (one.tab === tab && (frame === undefined || one.frame === frame)) drop(name);
}

export function forgetAll(): void {
  for (const name of followed.keys()) drop(name);
}

function keep(name: string, one: Followed): void {
  followed.delete(name);
  followed.set(name, one);
  for (const oldest of followed.keys()) {
    if (followed.size <= MOST) return;
    drop(oldest);
  }
}

/** Lets go of a conversation, and gives its memory back where there still is some. */
function drop(name: string): void {
  const one = followed.get(name);
  followed.delete(name);
  if (one?.instance === instanceNow()) one.chat.free();
}
