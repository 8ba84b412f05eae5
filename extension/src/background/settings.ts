// What the user has set. Stored data may be damaged or from another version: what can't be read becomes its default, and
// the unread original is kept beside it.

import type { Contact, Rule, Settings } from '../protocol.js';
import { inTurn, read, readAll, write } from './store.js';
import { isHost, isList, isMoment, isRecord, isText, oneOf, VERDICTS } from './shape.js';

export const DEFAULTS: Settings = {
  language: 'auto', showUnclear: false, strictness: 0, signedOnly: false, scam: true, rules: [], off: [], sync: false, port: 8017,
  contacts: [], pins: {},
};

const KEY = 'settings';
const KINDS = ['article', 'post', 'comment', 'message', 'selection'] as const;
const ACTIONS = ['badge', 'dim', 'collapse', 'hide', 'nothing'] as const;
/** One item a rule: `storage.sync` bounds the size of an item. */
const SYNCED = /^rule:(\d+)$/;

export function isRule(value: unknown): value is Rule {
  return isRecord(value) && isText(value['id'], 64) && typeof value['on'] === 'boolean' && oneOf(value['action'], ACTIONS)
    && (value['verdicts'] === undefined || isList(value['verdicts'], 6, (one) => oneOf(one, VERDICTS)))
    && (value['kinds'] === undefined || isList(value['kinds'], 5, (one) => oneOf(one, KINDS)))
    && (value['sites'] === undefined || isList(value['sites'], 200, isHost));
}

export function isContact(value: unknown): value is Contact {
  return isRecord(value) && isText(value['name'], 200) && value['name'].trim() !== ''
    && isText(value['key'], 200) && value['key'].startsWith('ssh-ed25519 ') && isMoment(value['added']);
}

function isPins(value: unknown): value is Record<string, string[]> {
  return isRecord(value) && Object.keys(value).length <= 5_000
    && Object.values(value).every((keys) => isList(keys, 64, (one) => isText(one, 200)));
}

const CHECKS: { [Name in keyof Settings]: (value: unknown) => value is Settings[Name] } = {
  language: (value): value is Settings['language'] => oneOf(value, ['auto', 'en', 'zh_CN']),
  showUnclear: (value): value is boolean => typeof value === 'boolean',
  strictness: (value): value is number => typeof value === 'number' && value >= 0 && value <= 1,
  signedOnly: (value): value is boolean => typeof value === 'boolean',
  scam: (value): value is boolean => typeof value === 'boolean',
  rules: (value): value is Rule[] => isList(value, 200, isRule),
  off: (value): value is string[] => isList(value, 5_000, isHost),
  sync: (value): value is boolean => typeof value === 'boolean',
  port: (value): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535,
  contacts: (value): value is Contact[] => isList(value, 2_000, isContact),
  pins: isPins,
};

/** Those of the fields of a value that are settings; `whole` tells whether there was nothing else. */
export function understood(value: unknown): { fields: Partial<Settings>; whole: boolean } {
  if (!isRecord(value)) return { fields: {}, whole: value === undefined };
  const fields: Record<string, unknown> = {};
  let whole = true;
  for (const [name, field] of Object.entries(value)) {
    if (Object.hasOwn(CHECKS, name) && CHECKS[name as keyof Settings](field)) {
      fields[name] = field;
    } else {
      // Of a list what can be read is kept.
      whole = false;
      if (name === 'rules' && Array.isArray(field)) fields[name] = field.filter(isRule).slice(0, 200);
      if (name === 'contacts' && Array.isArray(field)) fields[name] = field.filter(isContact).slice(0, 2_000);
      if (name === 'off' && Array.isArray(field)) fields[name] = field.filter(isHost).slice(0, 5_000);
    }
  }
  return { fields: fields as Partial<Settings>, whole };
}

export async function settings(): Promise<Settings> {
  const raw = await read('local', KEY);
  const { fields, whole } = understood(raw);
  const found = { ...DEFAULTS, ...fields };
  if (!whole) {
    await inTurn(KEY, async () => {
      // Read again: it may have been mended while this waited.
      const now = await read('local', KEY);
      if (understood(now).whole) return;
      await write('local', { [`damaged:${new Date().toISOString()}`]: now, [KEY]: { ...DEFAULTS, ...understood(now).fields } });
    });
  }
  return found;
}

/** Sets some of the settings. */
export async function save(changes: Partial<Settings>): Promise<Settings> {
  const made = await inTurn(KEY, async () => {
    const known = { ...DEFAULTS, ...understood(await read('local', KEY)).fields };
    const next = { ...known, ...changes };
    // Whoever turns the switch on takes over what another of their browsers has there already.
    if (changes.sync === true && !known.sync) {
      const there = await inTurn('sync', syncedRules);
      if (there.length > 0) next.rules = joined(there, next.rules);
    }
    await write('local', { [KEY]: next });
    return next;
  });
  if (made.sync && (changes.rules !== undefined || changes.sync !== undefined)) await putSynced(made.rules);
  return made;
}

/** Takes over rules that came from another browser of the user. Tells whether that changed anything. */
export async function takeSynced(): Promise<boolean> {
  const { sync, rules } = await settings();
  if (!sync) return false;
  const there = await inTurn('sync', syncedRules);
  if (JSON.stringify(there) === JSON.stringify(rules)) return false;
  await inTurn(KEY, async () => {
    const known = { ...DEFAULTS, ...understood(await read('local', KEY)).fields };
    await write('local', { [KEY]: { ...known, rules: there } });
  });
  return true;
}

function joined(first: Rule[], second: Rule[]): Rule[] {
  const ids = new Set(first.map(({ id }) => id));
  return [...first, ...second.filter(({ id }) => !ids.has(id))].slice(0, 200);
}

async function syncedRules(): Promise<Rule[]> {
  const entries = Object.entries(await readAll('sync')).flatMap(([key, value]) => {
    const place = SYNCED.exec(key)?.[1];
    return place !== undefined && isRule(value) ? [[Number(place), value] as const] : [];
  });
  return entries.sort(([one], [other]) => one - other).map(([, rule]) => rule);
}

async function putSynced(rules: Rule[]): Promise<void> {
  await inTurn('sync', async () => {
    const items = Object.fromEntries(rules.map((rule, place) => [`rule:${place}`, rule]));
    const old = Object.keys(await readAll('sync')).filter((key) => SYNCED.test(key) && !Object.hasOwn(items, key));
    if (rules.length > 0) await write('sync', items);
    if (old.length > 0) await chrome.storage.sync.remove(old);
  });
}
