// Telegram Web A: web.telegram.org/a.

import { address, finish, first, line, pageOf, rows, talked } from './shared.js';
import type { Adapter } from './types.js';

const ROWS = '.MessageList .Message[data-message-id], .MessageList .message-list-item[data-message-id]';
const NOTICE = '.ActionMessage, .action-message, .SponsoredMessage';
const EMBEDDED = '.EmbeddedMessage, .WebPage';
const EXCEPT = '.MessageMeta, .Reactions, .EmbeddedMessage, .WebPage, .translation-animation, .transcription';

/** A group names its sender on the first message; a title with an arrow is that of a forwarded one. */
function sender(message: Element): string | null {
  for (const place of [message, message.closest('.sender-group-container')]) {
    const title = place?.querySelector('.message-title');
    if (!title || title.querySelector('.icon-share-filled, .icon-forward')) continue;
    return line(title.querySelector('.message-title-name, .sender-title') ?? title);
  }
  return null;
}

export const telegramA: Adapter = {
  name: 'Telegram Web A',
  seen: 'Read in November 2026 in the client\'s own source, github.com/Ajaxy/telegram-tt (Message, MessageListContent, '
    + 'SenderGroupContainer, ChatReportPane; stored versions that are not the newest, years unknown); not tried on the live site.',
  hosts: ['web.telegram.org/a', 'web.telegram.org/z', 'weba.telegram.org', 'webz.telegram.org'],

  turns(root) {
    return finish(rows(root, ROWS).filter((message) => !message.matches(NOTICE)).map((message) => ({
      element: message, text: first(message, ['.text-content'], EMBEDDED), except: EXCEPT,
      side: message.classList.contains('own') ? 'me' : 'them', name: sender(message),
      id: message.getAttribute('data-message-id'),
    })));
  },

  expected(root) {
    const page = pageOf(root);
    if (page.querySelector(ROWS)) return true;
    return this.conversation(root) !== null && talked(root, ['.MessageList', '#MiddleColumn'], '[contenteditable="true"]');
  },

  conversation(root) {
    return address(root)?.hash.slice(1) || line(first(pageOf(root), ['.MiddleHeader .fullName', '.MiddleHeader h3']));
  },

  /** The bar that offers to add or to block somebody. It can be closed, so that it is not there tells nothing. */
  stranger(root) {
    // A group has it too, and a number below zero.
    if (!/^#\d+$/u.test(address(root)?.hash ?? '')) return null;
    return pageOf(root).querySelector('.ChatReportPane, .ChatReportPanel') ? true : null;
  },
};
