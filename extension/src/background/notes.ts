// The user's notes that a verdict was wrong. They stay on this machine, and a text is in them as a keyed hash only.

import type { Note } from '../protocol.js';
import { isList, isMoment, isRecord, isText, oneOf, VERDICTS } from './shape.js';
import { inTurn, read, write } from './store.js';

const KEY = 'notes';
const SECRET = 'installation';
/** Older ones make room. */
const MOST = 500;

export function isNote(value: unknown): value is Note {
  return isRecord(value) && isMoment(value['at']) && isText(value['host'], 253) && oneOf(value['verdict'], VERDICTS)
    && oneOf(value['said'], ['human', 'ai', 'other']) && isText(value['comment'], 2_000) && isText(value['text'], 1_000_000);
}

export async function notes(): Promise<Note[]> {
  const stored = await read('local', KEY);
  return Array.isArray(stored) ? stored.filter(isNote) : [];
}

/** Keeps a note about a text on a host. */
export async function keep(note: Note, host: string): Promise<void> {
  const kept: Note = {
    at: new Date().toISOString(), host, verdict: note.verdict, said: note.said, comment: note.comment,
    text: await hashed(note.text),
  };
  await inTurn(KEY, async () => {
    const stored = await read('local', KEY);
    if (stored !== undefined && !isList(stored, Infinity, isNote)) await write('local', { [`damaged:${kept.at}`]: stored });
    await write('local', { [KEY]: [...await notes(), kept].slice(-MOST) });
  });
}

/** HMAC-SHA-256 under a key that was drawn for this installation: equal texts can be told, but not guessed by others. */
async function hashed(text: string): Promise<string> {
  const secret = await inTurn(SECRET, async () => {
    const stored = await read('local', SECRET);
    if (isText(stored, 64) && /^[0-9a-f]{64}$/.test(stored)) return stored;
    const drawn = hex(crypto.getRandomValues(new Uint8Array(32)));
    await write('local', { [SECRET]: drawn });
    return drawn;
  });
  const bytes = Uint8Array.from(secret.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return hex(new Uint8Array(await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(text))));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
