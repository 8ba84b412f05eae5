// Messenger: messenger.com and facebook.com/messages.

import { COMPOSER, finish, inPath, inside, isReader, pageOf, rows, talked, type Draft } from './shared.js';
import type { Adapter } from './types.js';

const LOG = '[role="log"], [role="grid"][aria-label^="Messages in conversation"]';
const ROW = '[aria-roledescription="message"], [data-scope="messages_table"], [role="article"]';
const ROWS = `:is(${LOG}) :is(${ROW})`;
const QUIET = 'h1, h2, h3, h4, h5, h6, [role="link"], a[role="presentation"], [aria-hidden="true"]';
const SENDERS = [
  // "At 3:08 AM, Han: hello"; the date may bring commas, and the time colons, of its own.
  /[,，、،]\s*([^,，、،:：]{1,80}?)\s*(?::\s|：|$)/u,
  /^Message sent by (.+?) at /u, /^Tin nhắn do (.+?) gửi lúc /u,
];

function label(row: Element): string | null {
  const labelled = row.querySelector('[aria-roledescription="message"]');
  return row.getAttribute('aria-label') ?? labelled?.getAttribute('aria-label') ?? null;
}

/** Emoji are pictures in the page and characters in the label. */
function plain(text: string): string {
  return text.replace(/[\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F\u200D\s]+/gu, '');
}

/** The label ends with the message's words, and a message that is quoted in the row is not in it. */
function words(row: Element, said: string): Element | null {
  const pieces = [...row.querySelectorAll('[dir="auto"]')].filter((piece) => !inside(piece, QUIET, row));
  const wanted = plain(said);
  const same = wanted ? pieces.filter((piece) => plain(piece.textContent ?? '') === wanted) : [];
  const last = same.at(-1) ?? pieces.at(-1);
  if (!last || same.length > 0) return last ?? null;
  // Lines of one message are pieces inside a greater one.
  return pieces.find((piece) => piece.contains(last)) ?? last;
}

function read(row: Element): Draft | null {
  // What holds several messages is their list; what has a title of its own is the other's profile, above the first message.
  if (row.querySelector('[data-scope="date_break"]') || row.querySelectorAll(ROW).length > 1) return null;
  const said = label(row);
  if (said === null && [...row.querySelectorAll('h1, h2, h3, h4')].some((heading) => heading.textContent?.trim())) return null;
  const id = (row.closest('[data-message-id]') ?? row.querySelector('[data-message-id]'))?.getAttribute('data-message-id') ?? null;
  for (const pattern of SENDERS) {
    const found = said === null ? null : pattern.exec(said);
    const name = found?.[1]?.trim();
    if (!found || !name || said === null) continue;
    const mine = isReader(name, row);
    const own = said.slice(found.index + found[0].length).trim();
    return { element: row, text: own ? words(row, own) : null, side: mine ? 'me' : 'them', name: mine ? null : name, id };
  }
  return { element: row, text: words(row, ''), side: 'unknown', name: null, weak: true, id };
}

export const messenger: Adapter = {
  name: 'Messenger',
  seen: 'Read in November 2026 in public source code, not tried on the live site: userscripts, extensions and bridges, '
    + 'two of which note what they saw in 2026 (April, August). They agree on aria-roledescription="message", its '
    + 'label, role="log" and data-scope="messages_table".',
  hosts: ['www.messenger.com', 'messenger.com', 'www.facebook.com/messages', 'web.facebook.com/messages'],

  turns(root) {
    return finish(rows(root, ROWS).map(read), LOG, true);
  },

  expected(root) {
    const page = pageOf(root);
    if (page.querySelector(`:is(${LOG}) [aria-roledescription="message"]`)) return true;
    return this.conversation(root) !== null && talked(root, ['[role="log"]', '[role="main"]'], COMPOSER);
  },

  conversation(root) {
    return inPath(root, /\/t\/([^/]+)/u) ?? pageOf(root).querySelector(LOG)?.getAttribute('aria-label') ?? null;
  },
};
