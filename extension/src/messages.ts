// The envelope that every message travels in, and the answer to it.

import type { Answer, Asks, Commands, Orders } from './protocol.js';

type Table = { [name: string]: { ask: unknown; reply: unknown } };

/** A message: its name and what it asks. */
export type Message<T extends Table> = { [Name in keyof T]: { name: Name; ask: T[Name]['ask'] } }[keyof T];

type All = { [Name in keyof Asks]: Asks[Name] } & { [Name in keyof Commands]: Commands[Name] };
type AllOrders = { [Name in keyof Orders]: Orders[Name] };

/** Asks the background. Fails with a sentence. */
export async function ask<Name extends keyof All>(name: Name, what: All[Name]['ask']): Promise<All[Name]['reply']> {
  const answer = (await chrome.runtime.sendMessage({ name, ask: what })) as Answer<All[Name]['reply']> | undefined;
  if (answer && 'ok' in answer) return answer.ok;
  throw new Error(answer?.error ?? 'The extension does not answer.');
}

/** Gives an order to all content scripts of a tab, or to one frame. Tells whether anybody was there to hear it. */
export async function order<Name extends keyof AllOrders>(
  tab: number, name: Name, what: AllOrders[Name]['ask'], frameId?: number,
): Promise<boolean> {
  try {
    const to = frameId === undefined ? {} : { frameId };
    const answer = (await chrome.tabs.sendMessage(tab, { name, ask: what }, to)) as Answer<null> | undefined;
    return answer !== undefined && 'ok' in answer;
  } catch {
    // No content script of ours is in that tab.
    return false;
  }
}
