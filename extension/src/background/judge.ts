// The part of the judgement that runs in the browser: `bonafide_wasm`, made when it is first needed.

import initialise, * as wasm from '../../generated/bonafide_wasm.js';
import type { BlockReport, Reading, Step } from '../protocol.js';
import { isList, isRecord, isReport } from './shape.js';

let ready: Promise<unknown> | null = null;
let instance = 0;

/** The number of the instance that works now; what an earlier one has made is lost, and must not be given back. */
export const instanceNow = (): number => instance;

function load(): Promise<unknown> {
  ready ??= initialise({ module_or_path: fetch(chrome.runtime.getURL('bonafide_wasm_bg.wasm')) }).catch((error: unknown) => {
    // A failure is not kept: the next call tries again.
    ready = null;
    throw error;
  });
  return ready;
}

/** Works with a sound instance. One that has trapped may be in any state: another takes its place, and does the work again. */
export async function withWasm<T>(work: (module: typeof wasm) => T): Promise<T> {
  await load();
  for (let left = 1; ; left -= 1) {
    try {
      return work(wasm);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      wasm.__wbg_reset_state();
      instance += 1;
      if (left === 0) throw error;
    }
  }
}

let scamData: Promise<Uint8Array> | null = null;
/** The instance that has read them. */
let scamIn: number | null = null;

/** The data of the scam engine, fetched when the first chat comes; they stay for an instance that takes another's place. */
function loadScamData(): Promise<Uint8Array> {
  scamData ??= fetch(chrome.runtime.getURL('bonafide_scam.bin')).then(async (reply) => new Uint8Array(await reply.arrayBuffer())).catch((error: unknown) => {
    // Nor is this failure kept.
    scamData = null;
    throw error;
  });
  return scamData;
}

/** Like {@link withWasm}, in an instance that can follow chats. */
export async function withScam<T>(work: (module: typeof wasm) => T): Promise<T> {
  const data = await loadScamData();
  return withWasm((module) => {
    if (scamIn !== instance) read(module, data);
    return work(module);
  });
}

function read(module: typeof wasm, data: Uint8Array): void {
  try {
    module.loadScam(data);
    scamIn = instance;
  } catch (error) {
    scamData = null;
    throw error;
  }
}

/** Judges blocks; with the daemon's reports on them, adds to those what the daemon was not shown. */
export async function look(reading: Reading, reports?: BlockReport[]): Promise<BlockReport[]> {
  const request = JSON.stringify(reports ? { ...reading, reports } : reading);
  const reply: unknown = JSON.parse(await withWasm((module) => module.look(request)));
  if (isRecord(reply) && isList(reply['blocks'], reading.blocks.length, isReport)) return reply['blocks'];
  throw new Error('The reply of the check has another shape than it should.');
}

export type SignedPage = InstanceType<typeof wasm.SignedPage>;

/** Works on statements in a walk or a text. What `gather` learns outside goes into the reports. */
export async function statements<F>(
  source: { walk: Step[] } | { text: string },
  gather: (wants: string) => Promise<F>,
  report: (page: SignedPage, facts: F) => string,
): Promise<string> {
  const open = (module: typeof wasm): SignedPage =>
    'walk' in source ? new module.SignedPage(JSON.stringify(source.walk)) : module.SignedPage.ofText(source.text);
  const wanted = await withWasm((module) => using(open(module), (page) => page.wants()));
  const facts = await gather(wanted);
  // Opened again, for a trap of another call may have taken the first with it while facts were gathered.
  return withWasm((module) => using(open(module), (page) => report(page, facts)));
}

function using<T>(page: SignedPage, work: (page: SignedPage) => T): T {
  try {
    return work(page);
  } finally {
    page.free();
  }
}

/** The fingerprint of a key as typed; fails with a sentence if it is none. */
export async function fingerprint(key: string): Promise<string> {
  return withWasm((module) => module.fingerprint(key));
}
