// LinkedIn's messages: linkedin.com/messaging.

import { COMPOSER, before, finish, first, inPath, line, pageOf, rows, talked, type Draft } from './shared.js';
import type { Adapter } from './types.js';

const ROWS = '.msg-s-message-list__event .msg-s-event-listitem, .msg-s-message-list [data-event-urn]';
const OTHER = 'msg-s-event-listitem--other';
const NAME = '.msg-s-message-group__name';

function read(row: Element, marks: boolean): Draft {
  const place = row.closest('.msg-s-message-list__event') ?? row;
  const side = row.classList.contains(OTHER) ? 'them' : marks ? 'me' : 'unknown';
  return {
    element: row, text: first(row, ['.msg-s-event-listitem__body']), side, except: '.visually-hidden, time',
    name: line(before(place, (earlier) => earlier.querySelector(NAME))),
    id: row.closest('[data-event-urn]')?.getAttribute('data-event-urn') ?? null,
  };
}

export const linkedin: Adapter = {
  name: 'LinkedIn',
  seen: 'Read in November 2026 in public source code, not tried on the live site: about ten extensions, bots and tests, '
    + 'one verified in 2025 by its own account, that agree on the msg-s- classes. The site has no attributes for it '
    + 'other than data-event-urn.',
  hosts: ['www.linkedin.com/messaging'],

  turns(root) {
    // What lacks the mark is the reader's, so long as the page still makes it.
    const marks = pageOf(root).querySelector(`.${OTHER}`) !== null;
    return finish(rows(root, ROWS).map((row) => read(row, marks)));
  },

  expected(root) {
    if (pageOf(root).querySelector(ROWS)) return true;
    const areas = ['.msg-s-message-list', '.msg-thread', '[role="main"]', 'main'];
    return this.conversation(root) !== null && talked(root, areas, COMPOSER);
  },

  conversation(root) {
    const title = first(pageOf(root), ['.msg-entity-lockup__entity-title', '.msg-thread__link-to-profile']);
    return inPath(root, /^\/messaging\/thread\/([^/]+)/u) ?? line(title);
  },
};
