// Any other chat: a list with the role of a log, a feed that can be answered, or a live region of repeated items.

import { address, finish, first, inside, isElement, line, pageOf, talked, type Draft } from './shared.js';
import type { Adapter } from './types.js';

const LISTS = '[role="log"], [role="feed"], [aria-live="polite"]:not([role="status"], [role="alert"])';
const ITEMS = '[data-message-id], [role="article"], [role="listitem"], [role="row"], li';
const WORDS = ['[data-message-text]', '[dir="auto"]', 'p', '[class*="message-text"]', '[class*="content"]', '[class*="body"]'];
const NAMES = [
  '[data-author]', '[data-sender]', '[class*="author"]', '[class*="sender"]', '[class*="username"]', 'header', 'h3, h4, h5',
];
const EXCEPT = 'time, button, [role="button"], header, footer, h3, h4, h5, blockquote, [aria-hidden="true"], '
  + '[class*="timestamp"], [class*="reaction"], [class*="author"], [class*="sender"], [class*="username"], [class*="quote"]';
const FIELD = 'textarea, [role="textbox"], [contenteditable="true"]';
/** Whole names of classes or their ends; `me-2` and `self-start` are about layout. */
const MINE = /(?:^|[_-])(?:outgoing|own|mine|me|self)$|^(?:outgoing|own|my)-(?:message|msg|bubble)/iu;
const THEIRS = /(?:^|[_-])(?:incoming|received|other|them|theirs)$|^(?:incoming|received|other)-(?:message|msg|bubble)/iu;
const LEAST = 2;

/** Chats can be answered beside their list; consoles, news and lists of posts can't. */
function lists(page: Document): Element[] {
  const fields = [...page.querySelectorAll(FIELD)];
  if (fields.length === 0) return [];
  return [...page.querySelectorAll(LISTS)].filter((list) => {
    if (inside(list, LISTS, page) && list.parentElement?.closest(LISTS)) return false;
    return fields.some((field) => !list.contains(field)) && items(list).length >= LEAST;
  });
}

/** The outermost items; if nothing is marked as one, the children of the first element that has several. */
function items(list: Element): Element[] {
  const marked = [...list.querySelectorAll(ITEMS)].filter((item) => !inside(item.parentElement ?? item, ITEMS, list));
  if (marked.length >= LEAST) return marked;
  let at: Element | null = list;
  while (at && at.children.length === 1) at = at.children[0] ?? null;
  return at ? [...at.children] : [];
}

/** The one element that is marked as words; with several, or none, the item without what stands around them. */
function words(item: Element): Element {
  for (const selector of WORDS) {
    const marked = [...item.querySelectorAll(selector)].filter((element) => !inside(element, EXCEPT, item));
    const outer = marked.filter((element) => !marked.some((other) => other !== element && other.contains(element)));
    if (outer.length > 0) return outer.length === 1 ? outer[0] ?? item : item;
  }
  return item;
}

function read(item: Element): Draft {
  const named = first(item, NAMES);
  const said = named?.getAttribute('data-author') ?? named?.getAttribute('data-sender') ?? line(named);
  const marks = [item, ...item.children].flatMap((one) => [...one.classList]);
  return {
    element: item, text: words(item), name: said || null, except: EXCEPT, weak: item.matches('[role="separator"]'),
    side: marks.some((mark) => MINE.test(mark)) ? 'me' : marks.some((mark) => THEIRS.test(mark)) ? 'them' : 'unknown',
  };
}

export const generic: Adapter = {
  name: 'Chat',
  seen: 'The roles log and feed and live regions as WAI-ARIA 1.2 defines them; no particular site.',
  hosts: [],

  turns(root) {
    const wanted = lists(pageOf(root)).flatMap(items);
    const near = isElement(root) ? wanted.filter((item) => root.contains(item) || item.contains(root)) : wanted;
    return finish(near.map(read), LISTS, true);
  },

  expected(root) {
    const page = pageOf(root);
    return lists(page).length > 0 || (page.querySelector('[role="log"]') !== null && talked(root, ['[role="log"]'], FIELD));
  },

  conversation(root) {
    const list = lists(pageOf(root))[0];
    return list ? list.getAttribute('aria-label') ?? address(root)?.pathname ?? '' : null;
  },
};
