// WhatsApp Web: web.whatsapp.com.

import { finish, first, inside, isReader, line, pageOf, rows, talked, type Draft } from './shared.js';
import { dateOrder, moment } from './stamp.js';
import type { Adapter } from './types.js';

const PANEL = '[data-testid="conversation-panel-messages"]';
const ROWS = [
  '#main [data-id]', `${PANEL} [data-testid^="conv-msg-"]`, `${PANEL} [data-testid="msg-container"]`,
  '#main .message-in', '#main .message-out',
].join(', ');
const QUOTE = '[data-testid="quoted-message"], [aria-label="Quoted message"], [data-pre-plain-text] [role="button"]';
const OUT = '[data-testid="tail-out"], [data-icon="tail-out"], [data-icon="msg-time"], [data-icon="msg-check"], '
  + '[data-icon^="msg-dblcheck"]';
const IN = '[data-testid="tail-in"], [data-icon="tail-in"]';
/** `[10:30, 28/09/2026] Name: `, in the order and language of the account. */
const WRITTEN = /^\[([^\]]*)\]\s*(.*?)\s*:\s*$/u;

function words(row: Element): Element | null {
  const marked = first(row, ['[data-testid="selectable-text"]', '.selectable-text'], QUOTE);
  if (marked) return marked;
  // Without marks the words are the last piece of the copied part; a preview of a link stands before them.
  const pieces = [...row.querySelectorAll('[data-pre-plain-text] span[dir]')];
  return pieces.filter((piece) => !inside(piece, `${QUOTE}, a, span[dir] span[dir]`, row)).at(-1) ?? null;
}

function side(row: Element): Draft['side'] {
  const id = row.closest('[data-id]')?.getAttribute('data-id') ?? '';
  if (id.startsWith('true_')) return 'me';
  if (id.startsWith('false_')) return 'them';
  if (row.closest('.message-out') ?? row.querySelector('.message-out')) return 'me';
  if (row.closest('.message-in') ?? row.querySelector('.message-in')) return 'them';
  if (row.querySelector(OUT)) return 'me';
  if (row.querySelector(IN)) return 'them';
  for (const label of row.querySelectorAll('span[aria-label$=":"]')) {
    if (inside(label, QUOTE, row)) continue;
    return isReader(label.getAttribute('aria-label') ?? '', row) ? 'me' : 'them';
  }
  return 'unknown';
}

export const whatsapp: Adapter = {
  name: 'WhatsApp Web',
  seen: 'Read in November 2026 in public source code, not tried on the live site: readers and tests of several '
    + 'extensions, one of them modelled on the page of 30 September 2026, and github.com/tinyhumansai/openhuman (pull '
    + 'request 1034 of April 2026: data-id no longer tells the side, and words are known by dir).',
  hosts: ['web.whatsapp.com'],

  turns(root) {
    const all = rows(root, ROWS);
    const written = all.map((row) => WRITTEN.exec(first(row, ['[data-pre-plain-text]'], QUOTE)?.getAttribute('data-pre-plain-text') ?? ''));
    const order = dateOrder(written.flatMap((found) => found?.[1] ?? []));
    return finish(all.map((row, place) => ({
      element: row, text: words(row), side: side(row), name: written[place]?.[2] || null,
      except: `${QUOTE}, [data-testid="msg-meta"], .read-more-button`,
      id: row.closest('[data-id]')?.getAttribute('data-id') ?? null, at: moment(written[place]?.[1], order),
    })), `${PANEL}, #main`);
  },

  expected(root) {
    const composer = '[data-testid="conversation-compose-box-input"], footer [contenteditable="true"]';
    return pageOf(root).querySelector(ROWS) !== null || talked(root, [PANEL, '#main', '[role="main"]'], composer);
  },

  /** The chat's own id where rows still carry it, else its title. */
  conversation(root) {
    const page = pageOf(root);
    const id = page.querySelector('#main [data-id*="@"]')?.getAttribute('data-id')?.split('_')[1];
    return id ?? line(first(page, [
      '[data-testid="conversation-info-header-chat-title"]', 'header span[data-testid="conversation-info-header"]',
      '#main header span[dir="auto"]', '#main header [role="button"] span',
    ]));
  },
};
