// Keeps everybody up to date: content scripts hear of new settings and of a daemon that comes or goes.

import type { Daemon, Settings } from '../protocol.js';
import { order } from '../messages.js';
import { daemon, lastKnown, noted, token } from './daemon.js';
import { settings } from './settings.js';
import { liveTabs } from './tally.js';

export const ALARM = 'daemon';
/** While it loads its model it is soon there; the alarm is for one that is away, and for a worker that was stopped. */
const SOON_MS = 2_000;
/** A page's start waits no longer than this for the daemon's first word. */
const START_MS = 800;

let soon = false;

/** How the daemon is. If that has changed, everybody is told. */
export async function standing(anew = false): Promise<Daemon> {
  const before = await lastKnown();
  const now = await daemon(anew);
  await follow(before?.state ?? null, now);
  return now;
}

/** Takes note of how it is from a reply that told. */
export async function learnt(now: Daemon): Promise<Daemon> {
  const before = await lastKnown();
  await noted(now);
  await follow(before?.state ?? null, now);
  return now;
}

/** How it is as far as it is known at once. */
export async function standingAtOnce(): Promise<Daemon> {
  const known = await lastKnown();
  const fresh = standing();
  if (known) {
    fresh.catch(() => undefined);
    return known.state;
  }
  const late = new Promise<Daemon>((resolve) => setTimeout(resolve, START_MS, { state: 'away' }));
  return Promise.race([fresh, late]);
}

async function follow(before: Daemon | null, now: Daemon): Promise<void> {
  if (before && JSON.stringify(before) !== JSON.stringify(now)) await tellAll(await settings(), now);
  const waits = (now.state === 'loading' || now.state === 'away') && (await token()) !== null;
  if (!waits) {
    await chrome.alarms.clear(ALARM);
    return;
  }
  await chrome.alarms.create(ALARM, { periodInMinutes: 0.5 });
  if (now.state === 'loading' && !soon) {
    soon = true;
    setTimeout(() => {
      soon = false;
      void standing(true).catch(() => undefined);
    }, SOON_MS);
  }
}

/** The alarm's work: nobody who looks, nothing to do. */
export async function look(): Promise<void> {
  if ((await liveTabs()).length === 0) await chrome.alarms.clear(ALARM);
  else await standing(true);
}

export async function tellAll(now: Settings, state: Daemon): Promise<void> {
  await Promise.all((await liveTabs()).map((tab) => order(tab, 'changed', { settings: now, daemon: state })));
}
