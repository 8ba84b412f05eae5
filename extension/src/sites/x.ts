// Messages on X: x.com/i/chat, and the older x.com/messages.

import { COMPOSER, finish, first, inPath, pageOf, rows, talked, type Draft } from './shared.js';
import type { Adapter } from './types.js';

const LIST = '[data-testid="dm-message-list"], [data-testid="dm-message-scroller"]';
const OLD_LIST = '[data-testid="DmScrollerContainer"], [data-testid="DmActivityContainer"], [data-testid="DmActivityViewport"]';
const ROWS = `:is(${LIST}) [data-testid^="message-"], :is(${OLD_LIST}) [data-testid="messageEntry"]`;
const ENTRY = /^message-([0-9a-f-]{16,})$/iu;
/** Posts that are sent along are their authors'. */
const CARD = 'a, article, [role="link"], [data-testid="card.wrapper"]';

function handle(href: string | null | undefined): string | null {
  return /^(?:https:\/\/(?:x|twitter)\.com)?\/(\w{1,20})\/?$/u.exec(href ?? '')?.[1] ?? null;
}

function older(row: Element): Draft {
  const avatar = row.querySelector('[data-testid^="UserAvatar-Container-"]')?.getAttribute('data-testid');
  const name = avatar?.replace('UserAvatar-Container-', '').replace('unknown', '') || null;
  return {
    element: row, side: avatar ? 'them' : 'unknown', name,
    text: first(row, ['[data-testid="tweetText"]', '[data-testid="messageText"]', '[data-testid="messageEntryText"]'], CARD),
  };
}

function read(row: Element): Draft | null {
  const testId = row.getAttribute('data-testid') ?? '';
  if (testId === 'messageEntry') return older(row);
  const id = ENTRY.exec(testId)?.[1];
  if (!id) return null;
  const box = first(row, [`[data-testid="message-text-${id}"]`, '[data-testid^="message-text-"]'], CARD);
  // The box ends with the time; the words stand in an element of their own.
  const text = box && (first(box, ['[dir="auto"]'], CARD) ?? box);
  const shift = row.closest('.justify-end, .justify-start') ?? row.querySelector('.justify-end, .justify-start');
  const side = shift === null ? 'unknown' : shift.classList.contains('justify-end') ? 'me' : 'them';
  const avatar = row.querySelector('[style*="grid-area: avatar"] a[href], a[href][data-testid*="avatar" i]');
  return { element: row, text, side, name: handle(avatar?.getAttribute('href')), except: 'time', id };
}

export const x: Adapter = {
  name: 'X',
  seen: 'Read in November 2026 in public source code, not tried on the live site: userscripts and bridges, one of which '
    + 'writes down the structure as of March 2026 (dm-message-list, message-UUID), for the older page many scripts of '
    + 'unknown years (messageEntry, tweetText).',
  hosts: ['x.com/i/chat', 'x.com/messages', 'twitter.com/messages', 'twitter.com/i/chat'],

  turns(root) {
    return finish(rows(root, ROWS).map(read), `${LIST}, ${OLD_LIST}`, true);
  },

  expected(root) {
    const page = pageOf(root);
    if (page.querySelector(ROWS)) return true;
    return this.conversation(root) !== null && talked(root, [LIST, OLD_LIST, 'main', '[role="main"]'], `textarea, ${COMPOSER}`);
  },

  conversation(root) {
    return inPath(root, /^\/(?:i\/chat|messages)\/([^/]*\d[^/]*)/u);
  },
};
