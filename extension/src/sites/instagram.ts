// Instagram's direct messages: instagram.com/direct.

import { COMPOSER, finish, inPath, inside, isReader, line, pageOf, rows, talked, type Draft } from './shared.js';
import type { Adapter } from './types.js';

/** The list of chats beside it is no part of the main column. */
const LIST = ':is(main, [role="main"], [role="dialog"]) :is([role="grid"][aria-label], [role="log"])';
const ROWS = `:is(${LIST}) [role="row"]`;
const HEADING = 'h1, h2, h3, h4, h5, h6';
const PICTOGRAPHS = /^[\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F\u200D\s\d]*$/u;

/** The words come last in their row, after what is quoted; only reactions follow, which are emoji on a button. */
function words(row: Element): Element | null {
  const pieces = [...row.querySelectorAll('[dir="auto"]')].filter((piece) => {
    if (piece.querySelector('[dir="auto"]') || inside(piece, HEADING, row)) return false;
    return !(inside(piece, '[role="button"]', row) && PICTOGRAPHS.test(piece.textContent ?? ''));
  });
  const drawn = pieces.filter((piece) => inside(piece, '[role="presentation"]', row));
  return (drawn.length > 0 ? drawn : pieces).at(-1) ?? null;
}

/** Others' messages carry a link to their profile; its address is the name. */
function profile(row: Element): string | null {
  for (const link of row.querySelectorAll('a[href^="/"]')) {
    const name = /^\/([\w.]+)\/?$/u.exec(link.getAttribute('href') ?? '')?.[1];
    if (name && link.querySelector('img') && !inside(link, '[role="presentation"]', row)) return name;
  }
  return null;
}

function read(row: Element): Draft {
  const name = profile(row);
  const heading = line(row.querySelector(HEADING))?.split(' ')[0] ?? '';
  const side = name ? 'them' : heading && isReader(heading, row) ? 'me' : 'unknown';
  return { element: row, text: words(row), side, name, weak: true };
}

export const instagram: Adapter = {
  name: 'Instagram',
  seen: 'Read in November 2026 in public source code and notes, not tried on the live site: '
    + 'github.com/Miabeyefendi/InstaDM-Scraper (role="presentation" bubbles, an inverted list; year unknown), and '
    + 'hand-written fixtures of September 2026 (role="grid" with a label, role="row", dir="auto"). Sides rest on the '
    + 'place of the bubble.',
  hosts: ['www.instagram.com/direct'],

  turns(root) {
    return finish(rows(root, ROWS).map(read), LIST, true);
  },

  expected(root) {
    if (pageOf(root).querySelector(`:is(${LIST}) [role="row"] [role="presentation"]`)) return true;
    return this.conversation(root) !== null && talked(root, ['[role="main"]', 'main'], COMPOSER);
  },

  conversation(root) {
    const title = pageOf(root).querySelector(LIST)?.getAttribute('aria-label');
    return inPath(root, /^\/direct\/t\/([^/]+)/u) ?? title ?? null;
  },
};
