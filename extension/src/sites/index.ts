// Which adapter a page has.

import { discord } from './discord.js';
import { generic } from './generic.js';
import { gmail } from './gmail.js';
import { instagram } from './instagram.js';
import { linkedin } from './linkedin.js';
import { messenger } from './messenger.js';
import { slack } from './slack.js';
import { telegramA } from './telegram-a.js';
import { telegramK } from './telegram-k.js';
import type { Adapter } from './types.js';
import { wechat } from './wechat.js';
import { whatsapp } from './whatsapp.js';
import { x } from './x.js';

export type { Adapter, Turn } from './types.js';

export const adapters: readonly Adapter[] = [
  whatsapp, telegramK, telegramA, messenger, instagram, x, discord, slack, linkedin, wechat, gmail,
];

/** Ask again when the address changes: sites move from messages to other pages without loading anew. */
export function adapterFor(location: Location | URL, page: Document): Adapter | null {
  const known = adapters.filter((adapter) => adapter.hosts.some((host) => onHost(location, host)));
  const fitting = known.find((adapter) => adapter.hosts.some((host) => onHost(location, host) && onPath(location, host)));
  if (fitting) return fitting;
  // The rest of a known site is no chat.
  return known.length === 0 && generic.expected(page) ? generic : null;
}

function onHost({ hostname }: Location | URL, host: string): boolean {
  const name = host.split('/')[0] ?? '';
  return name.startsWith('.') ? hostname.endsWith(name) : hostname === name;
}

function onPath({ pathname }: Location | URL, host: string): boolean {
  const path = host.includes('/') ? host.slice(host.indexOf('/')) : '';
  return pathname === path || pathname.startsWith(`${path}/`);
}
