// What is known of the keys of statements: the user's contacts and pins first, then what the daemon knows and fetches.

import type { KeyFacts, Known, Wanted } from '../../generated/bonafide_wasm.js';
import type { Settings } from '../protocol.js';
import { daemon, post } from './daemon.js';
import { save, settings } from './settings.js';
import { isList, isRecord, isText } from './shape.js';
import { inTurn } from './store.js';

/** The most keys in one question. */
const MOST = 100;
/** So many of an identity's pinned keys are asked about, and so many are kept. */
const VOUCHERS = 8;
const MOST_PINNED = 64;

export function isWanted(value: unknown): value is Wanted {
  return isRecord(value) && isText(value['public_key'], 200) && (value['identity'] === null || isText(value['identity'], 500));
}

/** A key without the comment that a line may end with. */
export function bare(key: string): string {
  return key.trim().split(/\s+/).slice(0, 2).join(' ');
}

/** Gathers what is known. That the daemon can't be asked is no failure: less is known then. */
export async function known(wanted: Wanted[]): Promise<Known[]> {
  if (wanted.length === 0) return [];
  const told = await ask(wanted);
  const mine = await settings();
  const learnt: Wanted[] = [];
  const facts: Known[] = [];
  for (const one of wanted) {
    const from = told.get(name(one)) ?? {};
    const contact = mine.contacts.find(({ key }) => bare(key) === one.public_key)?.name;
    const pin = one.identity === null ? undefined : Object.hasOwn(mine.pins, one.identity) ? mine.pins[one.identity] : undefined;
    const listed = typeof from.publication === 'object' && 'listed' in from.publication;
    let changed = from.changed ?? false;
    if (pin && !pin.includes(one.public_key)) changed ||= !(listed && await vouched(pin, one.identity));
    // Whoever is known by name needs no identity to vouch for them.
    if (contact !== undefined || from.contact) changed = false;
    if (listed && !changed && !from.revoked && !pin?.includes(one.public_key)) learnt.push(one);
    facts.push({ ...one, facts: { ...from, ...(contact === undefined ? {} : { contact }), changed } });
  }
  if (learnt.length > 0) await pinned(learnt);
  return facts;
}

/** Whether an identity still publishes a key that it was known by: then it is its owner who added another. */
async function vouched(pin: string[], identity: string | null): Promise<boolean> {
  const keys = pin.slice(0, VOUCHERS).map((key) => ({ public_key: key, identity }));
  const told = await ask(keys);
  return keys.some((key) => {
    const facts = told.get(name(key));
    return facts !== undefined && !facts.revoked && typeof facts.publication === 'object' && 'listed' in facts.publication;
  });
}

async function pinned(learnt: Wanted[]): Promise<void> {
  await inTurn('pins', async () => {
    const pins: Settings['pins'] = { ...(await settings()).pins };
    for (const { identity, public_key: key } of learnt) {
      if (identity === null) continue;
      const keys = Object.hasOwn(pins, identity) ? pins[identity] ?? [] : [];
      if (!keys.includes(key)) pins[identity] = [...keys, key].slice(0, MOST_PINNED);
    }
    await save({ pins });
  });
}

async function ask(wanted: Wanted[]): Promise<Map<string, KeyFacts>> {
  const found = new Map<string, KeyFacts>();
  try {
    if (!['ready', 'loading'].includes((await daemon()).state)) return found;
    for (let from = 0; from < wanted.length; from += MOST) {
      const keys = wanted.slice(from, from + MOST)
        .map(({ public_key, identity }) => (identity === null ? { public_key } : { public_key, identity }));
      const reply = await post('/v1/facts', { keys });
      if (!isRecord(reply) || !isList(reply['facts'], MOST, isKnown)) break;
      for (const one of reply['facts']) found.set(name(one), one.facts);
    }
  } catch {
    // What was learnt so far is used.
  }
  return found;
}

/** `publication` and `revoked` are read again, and strictly, where they are put to use. */
function isKnown(value: unknown): value is Known {
  const facts = isRecord(value) ? value['facts'] : undefined;
  return isWanted(value) && isRecord(facts)
    && (facts['contact'] === null || facts['contact'] === undefined || isText(facts['contact'], 500))
    && (facts['own'] === undefined || typeof facts['own'] === 'boolean')
    && (facts['changed'] === undefined || typeof facts['changed'] === 'boolean');
}

function name({ public_key: key, identity }: Wanted): string {
  return `${key}\n${identity ?? ''}`;
}
