// Gmail: bodies of the messages of an open thread.

import { address, finish, first, line, pageOf, rows, talked, type Draft } from './shared.js';
import type { Adapter } from './types.js';

const ROWS = '[role="main"] [data-legacy-message-id], [role="main"] [data-message-id], [role="main"] .adn.ads';
const BODY = '.a3s';
/** What mail programs quote beneath an answer, and signatures; the bodies keep their classes. */
const EXCEPT = '.gmail_quote, .gmail_extra, .yahoo_quoted, .moz-cite-prefix, blockquote[type="cite"], [id$="divRplyFwdMsg"], '
  + '[id$="appendonsend"] ~ *, [data-smartmail="gmail_signature"], .gmail_signature, .adL, .ajR, .yj6qo';
const MAIL = /[^\s()<>:,;]+@[^\s()<>:,;]+\.[^\s()<>:,;]+/u;

/** The account's address, from its button or from the title of the page. */
function reader(page: Document): string | null {
  const button = first(page, ['[role="banner"] a[aria-label*="@"]', '#gb a[aria-label*="@"]']);
  const written = button?.getAttribute('aria-label') ?? page.title.split(' - ').findLast((part) => MAIL.test(part)) ?? '';
  return MAIL.exec(written)?.[0].toLowerCase() ?? null;
}

function read(row: Element, self: string | null): Draft {
  const from = first(row, ['.gD[email]', '[email][name]', '[email]'], BODY);
  const mail = from?.getAttribute('email')?.toLowerCase() ?? null;
  return {
    element: row, text: first(row, [`.ii.gt ${BODY}`, BODY]), except: EXCEPT,
    side: mail && self ? (mail === self ? 'me' : 'them') : 'unknown', name: from?.getAttribute('name') || line(from),
    id: row.getAttribute('data-legacy-message-id') ?? row.getAttribute('data-message-id'),
  };
}

export const gmail: Adapter = {
  name: 'Gmail',
  seen: 'Read in November 2026 in public source code, not tried on the live site: many extensions, the latest of 2026, '
    + 'that agree on data-legacy-message-id, .adn.ads, .a3s, .gD with its address, and the account\'s button.',
  hosts: ['mail.google.com'],

  turns(root) {
    const self = reader(pageOf(root));
    return finish(rows(root, ROWS).map((row) => read(row, self)));
  },

  expected(root) {
    if (pageOf(root).querySelector(`:is(${ROWS}) ${BODY}`)) return true;
    return this.conversation(root) !== null && talked(root, ['[role="main"]']);
  },

  conversation(root) {
    const titled = pageOf(root).querySelector('[role="main"] h2[data-legacy-thread-id]');
    const inHash = /^#(?:[^/]+\/)+([A-Za-z0-9]{16,})$/u.exec(address(root)?.hash ?? '')?.[1];
    return titled?.getAttribute('data-legacy-thread-id') ?? inHash ?? null;
  },
};
