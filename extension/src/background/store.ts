// The browser's storage: everything that the background knows between two wakings.

/** Only one change of a thing at a time: reading, changing and writing are three steps. */
const queues = new Map<string, Promise<unknown>>();

export function inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
  const before = queues.get(name) ?? Promise.resolve();
  const mine = before.then(work, work);
  queues.set(name, mine.catch(() => undefined));
  return mine;
}

type Area = 'local' | 'session' | 'sync';

export async function read(area: Area, key: string): Promise<unknown> {
  return (await chrome.storage[area].get(key))[key];
}

export async function readAll(area: Area): Promise<Record<string, unknown>> {
  return chrome.storage[area].get(null);
}

export async function write(area: Area, values: Record<string, unknown>): Promise<void> {
  await chrome.storage[area].set(values);
}

export async function forget(area: Area, keys: string | string[]): Promise<void> {
  await chrome.storage[area].remove(keys);
}

/** Keeps content scripts, and with them whatever gets hold of their process, away from what is stored. */
export async function shut(): Promise<void> {
  for (const area of [chrome.storage.local, chrome.storage.session, chrome.storage.sync]) {
    // Firefox has no such lock yet; there the areas stay as open as they are to every extension.
    await area.setAccessLevel?.({ accessLevel: 'TRUSTED_CONTEXTS' }).catch(() => undefined);
  }
}
