// The daemon: the only place that speaks to it, and the only one that fetches anything.

import { addressOf } from '../address.js';
import type { Block, BlockReport, Calibration, Daemon, Judged, Model } from '../protocol.js';
import { settings } from './settings.js';
import { isCalibration, isCount, isList, isModel, isRecord, isReport, isText } from './shape.js';
import { forget, read, write } from './store.js';

/** The version of its interface that this extension speaks. */
const API = 1;
/** A worker's request may take 30 s in all. */
const PATIENCE_MS = 25_000;
const STATUS_MS = 5_000;
/** More languages than any model has. */
const MOST_CALIBRATIONS = 200;
/** For how long what it said of itself is believed. */
const FRESH_MS = { ready: 20_000, other: 2_500 };
/** A request's bounds, well below the daemon's own. */
const MOST_BLOCKS = 64;
const MOST_BYTES = 24_000;
/** A longer reply is none of a daemon of ours: what listens there may be anything. */
const LONGEST_REPLY = 16 << 20;
/** How many requests for scores are under way at once; more would only wait in the daemon. */
const ABREAST = 2;

/** It answered with a refusal. */
export class Refusal extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly retryAfter: number | null) {
    super(message);
  }
}

/** It gave no answer that a daemon of ours gives: nobody is there, something else is, or it took too long. */
export class Silence extends Error {
  constructor(readonly why: 'nobody' | 'strange' | 'slow') {
    super(why);
  }
}

export async function base(): Promise<string> {
  return `http://127.0.0.1:${(await settings()).port}`;
}

export async function token(): Promise<string | null> {
  const stored = await read('local', 'token');
  return isText(stored, 200) && /^[\x21-\x7e]+$/.test(stored) ? stored : null;
}

/** One request. It fails with a `Refusal`, or with `Silence`. */
export async function post(path: string, body: unknown, milliseconds = PATIENCE_MS): Promise<unknown> {
  const bearer = await token();
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${await base()}${path}`, {
      method: 'POST', body: JSON.stringify(body), cache: 'no-store', credentials: 'omit', redirect: 'error',
      referrerPolicy: 'no-referrer', signal: AbortSignal.timeout(milliseconds),
      headers: { 'content-type': 'application/json', ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }) },
    });
    text = await wordsOf(response);
  } catch (error) {
    if (error instanceof Silence) throw error;
    throw new Silence(error instanceof DOMException && error.name === 'TimeoutError' ? 'slow' : 'nobody');
  }
  let reply: unknown;
  try {
    reply = JSON.parse(text);
  } catch {
    throw new Silence('strange');
  }
  if (response.ok) return reply;
  const error = isRecord(reply) ? reply['error'] : undefined;
  if (!isRecord(error) || !isText(error['code'], 100) || !isText(error['message'], 5_000)) throw new Silence('strange');
  const wait = Number(response.headers.get('retry-after') ?? NaN);
  throw new Refusal(response.status, error['code'], error['message'], Number.isFinite(wait) ? Math.max(0, wait) : null);
}

/** The text of a reply, which whoever sends it can't make longer than a reply is. */
async function wordsOf(response: Response): Promise<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const parts: string[] = [];
  for (let length = 0; reader;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > LONGEST_REPLY) {
      await reader.cancel();
      throw new Silence('strange');
    }
    parts.push(value);
  }
  return parts.join('');
}

// ---- how it is ----

let asking: Promise<Daemon> | null = null;

/** How it is; from memory if that is fresh. */
export async function daemon(anew = false): Promise<Daemon> {
  if (!anew) {
    const known = await lastKnown();
    const age = known === null ? NaN : Date.now() - known.at;
    if (known && age >= 0 && age < (known.state.state === 'ready' ? FRESH_MS.ready : FRESH_MS.other)) return known.state;
  }
  asking ??= ask().then(noted).finally(() => { asking = null; });
  return asking;
}

/** What was said of it last, and when. */
export async function lastKnown(): Promise<{ at: number; state: Daemon } | null> {
  const known = await read('session', 'daemon');
  // Only the background writes here.
  if (!isRecord(known) || !isCount(known['at']) || !isRecord(known['state'])) return null;
  return { at: known['at'], state: known['state'] as Daemon };
}

async function ask(): Promise<Daemon> {
  try {
    return standing(await post('/v1/status', {}, STATUS_MS));
  } catch (error) {
    return standingOf(error) ?? { state: 'away' };
  }
}

/** Keeps how it is for a while. */
export async function noted(state: Daemon): Promise<Daemon> {
  await write('session', { daemon: { at: Date.now(), state } });
  return state;
}

export async function forgetState(): Promise<void> {
  await forget('session', 'daemon');
}

function standing(reply: unknown): Daemon {
  const version = isRecord(reply) && isText(reply['version'], 100) ? reply['version'] : '?';
  if (!isRecord(reply) || reply['api'] !== API) return { state: 'wrong_version', version };
  if (reply['status'] === 'ok' && isModel(reply['model'])) {
    return { state: 'ready', version, model: reply['model'], calibrations: calibrationsOf(reply) };
  }
  return reply['status'] === 'loading' ? { state: 'loading', version } : { state: 'wrong_version', version };
}

/** A daemon of an earlier version tells of one only. */
function calibrationsOf(reply: Record<string, unknown>): Calibration[] {
  const all = reply['calibrations'] ?? [reply['calibration']];
  return Array.isArray(all) ? all.slice(0, MOST_CALIBRATIONS).filter(isCalibration) : [];
}

/** What a failure says of the daemon as a whole, if it is not about one request alone. */
export function standingOf(error: unknown): Daemon | null {
  if (error instanceof Silence) {
    if (error.why === 'slow') return null;
    return error.why === 'strange' ? { state: 'wrong_version', version: '?' } : { state: 'away' };
  }
  if (!(error instanceof Refusal)) return null;
  switch (error.code) {
    case 'unpaired_extension': case 'no_token': case 'wrong_token': return { state: 'unpaired' };
    case 'loading': return { state: 'loading', version: '' };
    // An older daemon lets no extension in that is not listed in its settings, and has no such route.
    case 'wrong_origin': case 'not_found': case 'method_not_allowed': return { state: 'wrong_version', version: '?' };
    default: return error.status === 401 || error.status === 403 ? { state: 'refused' } : null;
  }
}

// ---- scores ----

interface Wish { block: Block; settle: (report: Scored | Error) => void }
interface Scored { report: BlockReport; model: Model; calibrations: Calibration[] }

const queue: Wish[] = [];
let running = 0;

/** Scores blocks with the model. Those of several frames that come together go out together. */
export async function score(blocks: Block[]): Promise<Judged> {
  const scored = await Promise.all(blocks.map((block) => new Promise<Scored>((resolve, reject) => {
    queue.push({ block, settle: (found) => (found instanceof Error ? reject(found) : resolve(found)) });
    if (queue.length === 1) setTimeout(drain, 0);
  })));
  const last = scored.at(-1);
  if (!last) throw new Error('There is nothing to score.');
  return {
    blocks: scored.map(({ report }, index) => ({ ...report, id: blocks[index]?.id ?? report.id })),
    model: last.model, calibrations: last.calibrations,
  };
}

function drain(): void {
  while (queue.length > 0 && running < ABREAST) {
    const batch: Wish[] = [];
    let bytes = 0;
    while (queue[0] && batch.length < MOST_BLOCKS) {
      const size = new Blob([queue[0].block.text]).size;
      if (batch.length > 0 && bytes + size > MOST_BYTES) break;
      bytes += size;
      batch.push(queue.shift() as Wish);
    }
    running += 1;
    void send(batch, Date.now() + PATIENCE_MS).finally(() => {
      running -= 1;
      drain();
    });
  }
}

async function send(batch: Wish[], until: number): Promise<void> {
  try {
    const scored = await request(batch.map(({ block }) => block), until);
    batch.forEach(({ settle }, index) => settle(scored[index] ?? new Error('The daemon left a text out.')));
  } catch (error) {
    // One text that is too long must not take the others with it.
    if (error instanceof Refusal && [413, 422].includes(error.status) && batch.length > 1) {
      const half = Math.ceil(batch.length / 2);
      await send(batch.slice(0, half), until);
      await send(batch.slice(half), until);
      return;
    }
    for (const { settle } of batch) settle(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Asks, and asks again when the daemon is busy, as long as there is time. */
async function request(blocks: Block[], until: number): Promise<Scored[]> {
  // Names of ours, for those of several frames may be the same.
  const asked = blocks.map(({ text, part }, index) => ({ id: String(index), text, part }));
  for (;;) {
    try {
      const reply = await post('/v1/score', { blocks: asked }, Math.max(1_000, until - Date.now()));
      if (!isRecord(reply) || !isModel(reply['model']) || !isList(reply['blocks'], blocks.length, isReport)) {
        throw new Silence('strange');
      }
      const { model } = reply;
      const calibrations = calibrationsOf(reply);
      const byId = new Map(reply['blocks'].map((report) => [report.id, report]));
      return asked.map(({ id }) => {
        const report = byId.get(id);
        if (!report) throw new Silence('strange');
        return { report, model, calibrations };
      });
    } catch (error) {
      const wait = error instanceof Refusal && error.status === 429 ? (error.retryAfter ?? 1) * 1_000 : null;
      if (wait === null || Date.now() + wait + 1_000 > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.max(wait, 100)));
    }
  }
}

/** Asks the daemon to let the user sign a text; gives the page for that. */
export async function sign(text: string): Promise<string> {
  const reply = await post('/v1/sign', { text, form: 'line' });
  if (!isRecord(reply) || !isText(reply['confirm_url'], 500)) throw new Silence('strange');
  return ownPage(reply['confirm_url']);
}

/** An address that the daemon gave, if it is one of its own. */
export async function ownPage(address: string): Promise<string> {
  const own = await base();
  const url = addressOf(address, own);
  if (url?.origin !== own) throw new Silence('strange');
  return url.href;
}

