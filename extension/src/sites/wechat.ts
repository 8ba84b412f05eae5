// WeChat on the web: wx.qq.com and its mirrors, web.wechat.com, and the file helper.

import { finish, first, line, pageOf, rows, talked, type Draft } from './shared.js';
import type { Adapter } from './types.js';

const ROWS = '.chat_bd .message, #chatArea .message';
const HELPER_ROWS = '#chatBody .msg-item, .chat-panel__body .msg-item';
const HELPER_CARD = '.msg-file, .msg-image, .msg-video';

function read(row: Element): Draft {
  const mine = row.matches('.me') || row.querySelector('.bubble_primary') !== null;
  const theirs = row.matches('.you') || row.querySelector('.bubble_default') !== null;
  const name = line(row.querySelector('.nickname')) ?? row.querySelector('img.avatar')?.getAttribute('title');
  return {
    element: row, text: first(row, ['.js_message_plain', '.bubble .plain pre', '.bubble .plain']),
    side: mine ? 'me' : theirs ? 'them' : 'unknown', name: name || null,
  };
}

/** In the file helper everything is one's own: from this computer, or from the phone. */
function note(row: Element): Draft | null {
  if (row.querySelector(HELPER_CARD)) return null;
  const side = row.classList.contains('mine') ? 'me' : 'unknown';
  return { element: row, text: first(row, ['.msg-text', '.msg-item__content']), side, name: null };
}

export const wechat: Adapter = {
  name: 'WeChat',
  seen: 'Read in November 2026 in public source code, not tried on the live site: bots, extensions and imitations of '
    + 'wx.qq.com of unknown years, most of them old (js_message_plain, me and you, bubble_primary), which agree, and '
    + 'two scripts for the file helper (msg-item, mine).',
  hosts: [
    'wx.qq.com', 'wx2.qq.com', 'wx8.qq.com', 'web.wechat.com', 'web2.wechat.com', 'filehelper.weixin.qq.com',
    'szfilehelper.weixin.qq.com',
  ],

  turns(root) {
    const drafts = [...rows(root, ROWS).map(read), ...rows(root, HELPER_ROWS).map(note)];
    return finish(drafts, '.chat_bd, #chatArea');
  },

  expected(root) {
    if (pageOf(root).querySelector(`${ROWS}, ${HELPER_ROWS}`)) return true;
    return talked(root, ['.chat_bd', '#chatArea', '#chatBody'], '#editArea, [contenteditable="true"], textarea');
  },

  conversation(root) {
    const title = first(pageOf(root), ['#chatArea .title_name', '.title_name', '.chat-panel__header']);
    return title?.getAttribute('data-username') ?? line(title);
  },
};
