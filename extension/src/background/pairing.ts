// Pairing: the daemon shows a code on its own page, the user compares it there and confirms, and a token comes of it. The
// token never leaves this extension's storage but for the daemon.

import type { Commands, Daemon } from '../protocol.js';
import { daemon, forgetState, noted, ownPage, post, Refusal, Silence, standingOf, token } from './daemon.js';
import { isCount, isRecord, isText } from './shape.js';
import { forget, inTurn, read, write } from './store.js';

export const ALARM = 'pairing';
const KEY = 'pairing';

/** `request` is as secret as the token that it turns into. */
interface Pairing { request: string; code: string; url: string; ends: number }

/** Begins, or gives the one that has begun and waits. */
export async function pair(): Promise<Commands['pair']['reply']> {
  return inTurn(KEY, async () => {
    const waiting = await pending();
    if (waiting) return shown(waiting);
    try {
      const reply = await post('/v1/pair', {});
      if (!isRecord(reply) || !isText(reply['request'], 200) || !isText(reply['code'], 20) || !isText(reply['confirm_url'], 500)
        || !isCount(reply['expires_in'])) throw new Silence('strange');
      const made: Pairing = {
        request: reply['request'], code: reply['code'], url: await ownPage(reply['confirm_url']),
        ends: Date.now() + reply['expires_in'] * 1_000,
      };
      await write('session', { [KEY]: made });
      // Goes on if the popup is closed meanwhile, as it is when the daemon's page is looked at.
      await chrome.alarms.create(ALARM, { periodInMinutes: 0.5 });
      return shown(made);
    } catch (error) {
      const state = standingOf(error);
      // That it knows no token of ours is why this is done.
      if (state && state.state !== 'unpaired') return { daemon: await noted(state) };
      throw error;
    }
  });
}

/** How it stands with it. */
export async function paired(): Promise<Commands['paired']['reply']> {
  return inTurn(KEY, async () => {
    const waiting = await pending();
    if (!waiting) {
      await end();
      return (await token()) !== null && ['ready', 'loading'].includes((await daemon()).state) ? 'paired' : 'ended';
    }
    let reply: unknown;
    try {
      reply = await post('/v1/pair/state', { request: waiting.request });
    } catch (error) {
      if (error instanceof Refusal && error.status < 500 && error.status !== 429) {
        await end();
        return 'ended';
      }
      return 'waiting';
    }
    const state = isRecord(reply) ? reply['state'] : undefined;
    if (isRecord(reply) && state === 'confirmed' && isText(reply['token'], 200)) {
      // It is told once: it is put away before anything else.
      await write('local', { token: reply['token'] });
      await end();
      await forgetState();
      return 'paired';
    }
    if (state === 'waiting') return 'waiting';
    await end();
    return state === 'refused' ? 'refused' : 'ended';
  });
}

/** Tells the daemon, and forgets the token whether it hears or not. */
export async function unpair(): Promise<Daemon> {
  await post('/v1/pair/end', {}).catch(() => undefined);
  await inTurn(KEY, async () => {
    await forget('local', 'token');
    await end();
  });
  return daemon(true);
}

async function end(): Promise<void> {
  await forget('session', KEY);
  await chrome.alarms.clear(ALARM);
}

async function pending(): Promise<Pairing | null> {
  const known = await read('session', KEY);
  // Only this file writes there.
  if (!isRecord(known) || !isCount(known['ends']) || known['ends'] <= Date.now()) return null;
  return known as unknown as Pairing;
}

function shown({ code, url, ends }: Pairing): { code: string; url: string; ends: number } {
  return { code, url, ends };
}
