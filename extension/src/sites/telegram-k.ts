// Telegram Web K: web.telegram.org/k.

import { address, finish, first, line, pageOf, rows, seconds, talked } from './shared.js';
import type { Adapter } from './types.js';

const ROWS = ':is(.bubbles, .bubbles-inner) .bubble:not(.service, .is-date, .is-sponsored)';
const REPLY = '.reply, .reply-content, .webpage, .web-page';
/** The bubble's own text holds its time and reactions, and whatever is drawn of a document, a poll or a link. */
const EXCEPT = '.time, .reactions, reactions-element, .reply, [class*="webpage"], [class*="web-page"], .document, audio-element, '
  + 'poll-element, .contact, .bubble-call, .checklist-content, .reply-markup';
const FORWARDED = '.forwarded, .is-forwarded';

/** A group of bubbles names its sender on the first; the name on a forwarded one is the author's. */
function sender(bubble: Element): string | null {
  const from = bubble.matches(FORWARDED) ? null : bubble.querySelector('.name .peer-title');
  const group = bubble.closest('.bubbles-group')?.querySelector(`.bubble:not(${FORWARDED}) .name .peer-title`);
  return line(from ?? group);
}

export const telegramK: Adapter = {
  name: 'Telegram Web K',
  seen: 'Read in November 2026 in the client\'s own source, github.com/morethanwords/tweb (bubbleLayout, bubbleText; year '
    + 'of the stored version unknown), and in public extensions and their tests; not tried on the live site.',
  hosts: ['web.telegram.org/k', 'webk.telegram.org'],

  turns(root) {
    const shown = rows(root, ROWS).filter((bubble) => !bubble.closest('.chat.hide, .chat.is-hidden'));
    return finish(shown.map((bubble) => ({
      element: bubble, except: EXCEPT,
      text: first(bubble, ['.translatable-message', '.bubble-content > .message', '.message'], REPLY),
      side: bubble.classList.contains('is-out') ? 'me' : bubble.classList.contains('is-in') ? 'them' : 'unknown',
      name: sender(bubble), id: bubble.getAttribute('data-mid'), at: seconds(bubble.getAttribute('data-timestamp')),
    })), '.bubbles');
  },

  expected(root) {
    const page = pageOf(root);
    if (page.querySelector(ROWS)) return true;
    return this.conversation(root) !== null && talked(root, ['.bubbles', '#column-center'], '[contenteditable="true"]');
  },

  conversation(root) {
    const page = pageOf(root);
    const hash = address(root)?.hash.slice(1);
    if (hash) return hash;
    return page.querySelector(ROWS)?.getAttribute('data-peer-id') ?? line(page.querySelector('.chat-info .peer-title'));
  },
};
