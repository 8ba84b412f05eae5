// The content script of a frame: finds text, has it judged, and shows what is known. Nothing of it can be seen by the page.

import { ask, type Message } from '../messages.js';
import type { Answer, Orders } from '../protocol.js';
import { Frame } from './frame.js';

type Order = Message<Pick<Orders, keyof Orders>>;

/** A script may be put into a frame twice; the second one finds this in the world that both share. */
const RUNS = Symbol.for('bonafide');

async function start(): Promise<void> {
  const world = globalThis as { [RUNS]?: boolean };
  if (world[RUNS] || !(document instanceof HTMLDocument)) return;
  world[RUNS] = true;
  const frame = new Frame(document, ask);
  chrome.runtime.onMessage.addListener((order: Order, sender, answer: (answer: Answer<null>) => void) => {
    // Only the extension itself gives orders.
    if (sender.id !== chrome.runtime.id) return false;
    frame.obey(order).then(
      () => answer({ ok: null }),
      (error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) }),
    );
    return true;
  });
  await frame.start();
}

start().catch((error: unknown) => console.debug('bonafide:', error));
