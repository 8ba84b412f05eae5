// Discord: discord.com/channels.

import { COMPOSER, before, finish, first, inPath, line, pageOf, rows, talked, type Draft } from './shared.js';
import type { Adapter } from './types.js';

const LIST = '[data-list-id="chat-messages"]';
const ROWS = `${LIST} li[id^="chat-messages-"]`;
const REPLY = '[id^="message-reply-context-"]';
const NAME = '[id^="message-username-"]';
const PANEL = 'section[aria-label="User area"], section[aria-label="User status and settings"], section[class*="panels"]';
/** The mark of an edit, embedded things, and what is covered until one clicks. */
const EXCEPT = 'time, [class*="edited"], [id^="message-accessories-"], [class*="spoiler" i][aria-expanded="false"]';

interface Person { id: string | null; name: string | null }

/** An account's number is in the address of its picture, unless it has none of its own. */
function account(from: ParentNode | null | undefined, not?: string): string | null {
  const picture = from ? first(from, ['img[src*="/avatars/"]'], not) : null;
  return /\/avatars\/(\d{5,})\//u.exec(picture?.getAttribute('src') ?? '')?.[1] ?? null;
}

function reader(page: Document): Person {
  const panel = page.querySelector(PANEL);
  const name = panel?.querySelector('[class*="panelTitle"], [class*="nameTag"] [class*="title"], [class*="nameTag"]');
  return { id: account(panel), name: line(name) };
}

/** Rows of a group are labelled by the name on its first row, which may be far above or not yet drawn. */
function sender(row: Element): Person {
  const ids = row.querySelector('[role="article"]')?.getAttribute('aria-labelledby') ?? '';
  const id = ids.split(/\s+/u).find((part) => part.startsWith('message-username-'));
  const named = (id ? pageOf(row).getElementById(id) : null) ?? first(row, [NAME], REPLY)
    ?? (id ? null : before(row, (earlier) => first(earlier, [NAME], REPLY)));
  const name = named?.querySelector('[data-text]')?.getAttribute('data-text') ?? line(named);
  return { id: account(named?.closest('li'), REPLY), name };
}

/** A message's number holds its time, in milliseconds since the first second of 2015. */
function sent(id: string): number | null {
  return /^\d{15,20}$/u.test(id) ? Number((BigInt(id) >> 22n) + 1_420_070_400_000n) : null;
}

function read(row: Element, self: Person): Draft | null {
  if (row.querySelector('[class*="systemMessage"]')) return null;
  const id = row.id.split('-').at(-1) ?? '';
  const text = first(row, /^\d+$/u.test(id) ? [`[id="message-content-${id}"]`] : ['[id^="message-content-"]'], REPLY);
  const from = sender(row);
  let side: Draft['side'] = 'unknown';
  if (from.id && self.id) side = from.id === self.id ? 'me' : 'them';
  else if (from.name && self.name) side = from.name === self.name ? 'me' : 'them';
  return { element: row, text, side, name: from.name, except: EXCEPT, id, at: sent(id) };
}

export const discord: Adapter = {
  name: 'Discord',
  seen: 'Read in November 2026 in public source code, not tried on the live site: copies of the client\'s own code that '
    + 'makes the ids (message-content-, message-username-, message-reply-context-; years unknown), and extensions and '
    + 'scripts, one with a fixture of September 2026 (data-list-id="chat-messages", the reader\'s panel).',
  hosts: ['discord.com/channels', '.discord.com/channels'],

  turns(root) {
    const self = reader(pageOf(root));
    return finish(rows(root, ROWS).map((row) => read(row, self)));
  },

  expected(root) {
    if (pageOf(root).querySelector(ROWS)) return true;
    return this.conversation(root) !== null && talked(root, [LIST, 'main', '[role="main"]'], COMPOSER);
  },

  conversation(root) {
    const channel = /^chat-messages-(\d+)-/u.exec(pageOf(root).querySelector(ROWS)?.id ?? '')?.[1];
    return inPath(root, /^\/channels\/((?:@me|\d+)\/\d+)/u) ?? channel ?? null;
  },
};
