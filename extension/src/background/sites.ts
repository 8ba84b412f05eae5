// Which sites are labelled: those that the user has granted, less those that are switched off. The browser itself keeps
// the list of granted ones, and starts the content script there.

import { addressOf } from '../address.js';
import type { SiteState } from '../protocol.js';
import { isCount, isHost, isRecord } from './shape.js';
import { inTurn, read, write, forget } from './store.js';
import { settings } from './settings.js';

const SCRIPT = 'label';
const FILE = 'content.js';
/** The daemon's own pages show what it says; labels on them would only repeat it. */
const NEVER = ['*://127.0.0.1/*', '*://localhost/*'];

/** Origins as match patterns, without the daemon's. */
export async function granted(): Promise<string[]> {
  const { origins = [] } = await chrome.permissions.getAll();
  return origins.filter((origin) => /^(?:https?|\*):/.test(origin) && !/^[^:]+:\/\/127\.0\.0\.1(?::\d+)?\//.test(origin));
}

/** Whether a match pattern of an origin fits a page. Only patterns that browsers make of granted origins occur. */
export function fits(pattern: string, url: URL): boolean {
  const [, scheme, host] = /^(\*|https?):\/\/([^/]+)\//.exec(pattern) ?? [];
  if (scheme === undefined || host === undefined) return false;
  if (scheme === '*' ? !['http:', 'https:'].includes(url.protocol) : `${scheme}:` !== url.protocol) return false;
  if (host === '*') return true;
  const bare = host.replace(/:(?:\d+|\*)$/, '');
  if (bare.startsWith('*.')) return url.hostname === bare.slice(2) || url.hostname.endsWith(bare.slice(1));
  return url.hostname === bare;
}

export function isOff(off: string[], host: string): boolean {
  return off.includes(host);
}

/** How it stands with a site. `origin` is what the popup sees of the tab. */
export async function site(host: string, origin: string): Promise<SiteState> {
  const url = addressOf(origin);
  if (!url || !['http:', 'https:'].includes(url.protocol) || !isHost(host) || ['127.0.0.1', 'localhost'].includes(host)) {
    return 'impossible';
  }
  const { off } = await settings();
  if (isOff(off, host)) return 'off';
  return (await granted()).some((pattern) => fits(pattern, url)) ? 'on' : 'no_permission';
}

/** Makes the browser's list of pages to start on agree with what is granted and switched off. */
export async function register(): Promise<void> {
  await inTurn(SCRIPT, async () => {
    const matches = await granted();
    const { off } = await settings();
    const known = await chrome.scripting.getRegisteredContentScripts({ ids: [SCRIPT] });
    if (matches.length === 0) {
      if (known.length > 0) await chrome.scripting.unregisterContentScripts({ ids: [SCRIPT] });
      return;
    }
    const script: chrome.scripting.RegisteredContentScript = {
      id: SCRIPT, js: [FILE], matches, excludeMatches: [...NEVER, ...off.map((host) => `*://${host}/*`)],
      allFrames: true, matchOriginAsFallback: true, runAt: 'document_idle', persistAcrossSessions: true,
    };
    if (known.length > 0) await chrome.scripting.updateContentScripts([script]);
    else await chrome.scripting.registerContentScripts([script]);
  });
}

/** Starts the content script in a tab that is open already. It does nothing in frames where it runs. */
export async function start(tab: number): Promise<void> {
  await chrome.scripting.executeScript({ target: { tabId: tab, allFrames: true }, files: [FILE] });
}

/** Starts it in all tabs on origins that were granted just now. */
export async function startGranted(origins: string[]): Promise<void> {
  const { off } = await settings();
  for (const tab of await chrome.tabs.query({})) {
    // The address is told for tabs on granted origins alone.
    const url = addressOf(tab.url);
    if (tab.id === undefined || tab.discarded || !url || isOff(off, url.hostname)) continue;
    if (!origins.some((origin) => fits(origin, url)) || ['127.0.0.1', 'localhost'].includes(url.hostname)) continue;
    await start(tab.id).catch(() => undefined);
  }
}

/** Labels a tab once: until it goes to another page. */
export async function once(tab: number): Promise<void> {
  await change((tabs) => [...tabs.filter((one) => one !== tab), tab]);
  try {
    await start(tab);
  } catch (error) {
    await endOnce(tab);
    throw error;
  }
}

export async function isOnce(tab: number): Promise<boolean> {
  return opened(await read('session', 'once')).includes(tab);
}

export async function endOnce(tab: number): Promise<void> {
  if (await isOnce(tab)) await change((tabs) => tabs.filter((one) => one !== tab));
}

async function change(how: (tabs: number[]) => number[]): Promise<void> {
  await inTurn('once', async () => {
    const tabs = how(opened(await read('session', 'once')));
    if (tabs.length > 0) await write('session', { once: tabs });
    else await forget('session', 'once');
  });
}

function opened(value: unknown): number[] {
  return Array.isArray(value) ? value.filter((one) => isCount(one)) : [];
}

/** Whether the content script runs in a frame: somebody listens there. */
export async function listens(tab: number, frameId: number): Promise<boolean> {
  try {
    await chrome.tabs.sendMessage(tab, { name: 'there', ask: {} }, { frameId });
    return true;
  } catch (error) {
    return !/establish connection|Receiving end|No tab|No frame/i.test(String(error));
  }
}

/** Who sent a message: the host of its frame, and that of the page in its tab if the browser tells. */
export function senderHost(sender: chrome.runtime.MessageSender): string | null {
  // Frames without an address of their own have their parent's origin.
  const url = [sender.origin, sender.url].map((from) => addressOf(from))
    .find((parsed) => parsed !== null && ['http:', 'https:'].includes(parsed.protocol));
  return url?.hostname ?? null;
}

/** Whether a frame is to be labelled. */
export async function labels(sender: chrome.runtime.MessageSender): Promise<boolean> {
  const host = senderHost(sender);
  const tab = sender.tab?.id;
  if (host === null || tab === undefined) return false;
  if (await isOnce(tab)) return true;
  const { off } = await settings();
  const page = addressOf(sender.tab?.url);
  if (isOff(off, host) || (page && isOff(off, page.hostname))) return false;
  const origin = addressOf(sender.origin) ?? addressOf(sender.url);
  return origin !== null && (await granted()).some((pattern) => fits(pattern, origin));
}

export function isTab(value: unknown): value is { tab: number } {
  return isRecord(value) && isCount(value['tab']);
}
