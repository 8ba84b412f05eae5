// Slack: app.slack.com.

import { COMPOSER, before, finish, first, inPath, inside, line, pageOf, rows, seconds, talked, type Draft } from './shared.js';
import type { Adapter, Turn } from './types.js';

const ROWS = '[data-qa="message_container"]';
const NAME = '[data-qa="message_sender_name"]';
/** Previews, cards of messages that are passed on, answers and reactions. */
const CARD = '[data-qa^="message_attachment"], [data-qa="forwarded_message_card"], .c-message_attachment, '
  + '.c-message_kit__attachments';
const EXCEPT = `${CARD}, [data-qa="reply_bar"], [data-qa="reactji"], .c-reaction_bar, .c-message__edited_label, time`;
const LIST = '[data-qa="slack_kit_list"], [role="list"]';

interface Person { id: string | null; name: string | null }

function member(from: Element | null): string | null {
  const picture = from?.querySelector('img[src*="slack-edge"]')?.getAttribute('src') ?? '';
  return /-([UW][A-Z0-9]{6,})-/u.exec(picture)?.[1] ?? null;
}

function reader(page: Document): Person {
  const button = page.querySelector('[data-qa="user-button"]');
  const id = button?.getAttribute('data-member-id') ?? button?.getAttribute('data-user-id') ?? member(button);
  return { id, name: /[:：]\s*(.+)$/u.exec(button?.getAttribute('aria-label') ?? '')?.[1] ?? null };
}

function sender(row: Element): Person | null {
  const named = first(row, [NAME, '[data-qa="message_sender"]'], CARD);
  if (!named) return null;
  return { id: named.closest('[data-message-sender]')?.getAttribute('data-message-sender') ?? member(row), name: line(named) };
}

/** A message's time in seconds, by which it is called too. */
function written(row: Element): string | null {
  const stamp = row.getAttribute('data-msg-ts') ?? row.getAttribute('data-item-key');
  return stamp ?? row.querySelector('[data-ts]')?.getAttribute('data-ts') ?? null;
}

function read(row: Element, self: Person): Draft | null {
  if (inside(row, CARD, pageOf(row)) || row.querySelector('.c-message__body--automated')) return null;
  const place = row.closest('[data-qa="virtual-list-item"]') ?? row;
  const from = sender(row) ?? before(place, (earlier) => sender(earlier)) ?? { id: null, name: null };
  let side: Draft['side'] = 'unknown';
  if (from.id && self.id) side = from.id === self.id ? 'me' : 'them';
  else if (from.name && self.name) side = from.name === self.name ? 'me' : 'them';
  const text = first(row, ['[data-qa="message-text"]', '.p-rich_text_block', '.c-message_kit__blocks'], CARD);
  const stamp = written(row);
  return { element: row, text, side, name: from.name, except: EXCEPT, id: stamp, at: seconds(stamp) };
}

function sent({ element }: Turn): number {
  return Number.parseFloat(written(element) ?? '');
}

/** Rows of the list are placed freely and used again: within a list, time decides where every row tells it. */
function ordered(turns: Turn[]): Turn[] {
  const lists = new Map<Element | null, Turn[]>();
  for (const turn of turns) {
    const list = turn.element.closest(LIST);
    lists.set(list, [...(lists.get(list) ?? []), turn]);
  }
  return [...lists.values()].flatMap((list) => {
    const times = new Map(list.map((turn) => [turn, sent(turn)]));
    if ([...times.values()].some(Number.isNaN)) return list;
    return list.sort((a, b) => (times.get(a) ?? 0) - (times.get(b) ?? 0));
  });
}

export const slack: Adapter = {
  name: 'Slack',
  seen: 'Read in November 2026 in public source code, not tried on the live site: extensions, their tests and scrapers of '
    + 'unknown years, one of them with messages of October 2026, that agree on data-qa of rows, texts, senders and the '
    + 'reader\'s button.',
  hosts: ['app.slack.com'],

  turns(root) {
    const self = reader(pageOf(root));
    return ordered(finish(rows(root, ROWS).map((row) => read(row, self))));
  },

  expected(root) {
    if (pageOf(root).querySelector(ROWS)) return true;
    return this.conversation(root) !== null && talked(root, [LIST, '[role="main"]'], `${COMPOSER}, .ql-editor`);
  },

  conversation(root) {
    const channel = pageOf(root).querySelector('[data-msg-channel-id]')?.getAttribute('data-msg-channel-id');
    return inPath(root, /^\/client\/([^/]+\/[CDG][^/]+)/u) ?? channel ?? null;
  },
};
