// What an element does to the text in it, by its name and attributes alone: the same rules as the daemon's for HTML.

import { parentNodeOf } from '../nodes.js';

export type Role =
  | 'inline' | 'break' | 'rule' | 'paragraph' | 'container' | 'heading' | 'list' | 'quote' | 'cell' | 'post' | 'hidden' | 'chrome';

const NAMES: Record<Exclude<Role, 'inline'>, string> = {
  hidden: 'script style noscript template head title pre textarea select option datalist button input svg math canvas iframe '
    + 'frame object embed audio video map meter progress rt rp xmp listing plaintext noframes noembed',
  chrome: 'nav footer aside menu dialog header',
  break: 'br',
  rule: 'hr',
  paragraph: 'p figcaption summary caption address',
  heading: 'h1 h2 h3 h4 h5 h6',
  list: 'ul ol',
  quote: 'blockquote',
  cell: 'td th',
  post: 'article',
  container: 'div section main li dl dt dd figure details table tbody thead tfoot tr form fieldset legend center hgroup search '
    + 'body html label',
};

const ROLES = new Map<string, Role>();
for (const [role, names] of Object.entries(NAMES)) {
  for (const name of names.split(' ')) ROLES.set(name, role as Role);
}

const CHROME_ROLES = new Set(['navigation', 'banner', 'contentinfo', 'search', 'complementary', 'menu', 'menubar', 'toolbar', 'tablist']);
const EDITOR_ROLES = new Set(['textbox', 'searchbox', 'combobox', 'spinbutton']);

/** Fields of secrets: what stands in a form with one of these is nobody's business. */
export const SECRET_FIELDS = 'input[type="password" i], input[autocomplete^="cc-" i], input[autocomplete*=" cc-" i], '
  + 'input[autocomplete~="one-time-code" i]';

/** Comments may stand in what otherwise belongs to the page and not to its content. */
const DISCUSSION = /(?:^|[^a-z])(?:comments?|replies|discussion|responses)(?![a-z])/i;

export function roleOf(name: string): Role {
  return ROLES.get(name) ?? 'inline';
}

/** Whether an element begins and ends a line of text. */
export function isBlock(name: string): boolean {
  const role = roleOf(name);
  return role !== 'inline' && role !== 'break';
}

/** Whether a reader can't see the element, as far as it says so itself; what style sheets say is asked when text is read. */
export function isHidden(element: Element): boolean {
  if (element.hasAttribute('hidden') || element.getAttribute('aria-hidden') === 'true') return true;
  const style = element.getAttribute('style');
  return style !== null && /display\s*:\s*none|visibility\s*:\s*hidden/i.test(style);
}

/** Whether somebody writes here. */
export function isEditor(element: Element): boolean {
  const editable = element.getAttribute('contenteditable');
  if (editable !== null && editable.toLowerCase() !== 'false') return true;
  return EDITOR_ROLES.has(element.getAttribute('role') ?? '');
}

/** Whether an element belongs to the page and not to its content. */
export function isChrome(element: Element, name: string, role: Role, inPost: boolean): boolean {
  const byName = role === 'chrome' && !(name === 'header' && inPost);
  const byRole = CHROME_ROLES.has(element.getAttribute('role') ?? '');
  if (!byName && !byRole) return false;
  return !((name === 'aside' || name === 'footer') && DISCUSSION.test(`${element.id} ${element.getAttribute('class') ?? ''}`));
}

/** Whether an element is code that stands by itself; a word of code in a sentence is part of the sentence. */
export function isCode(element: Element, name: string): boolean {
  return (name === 'code' || name === 'samp') && (element.textContent ?? '').includes('\n');
}

/** Whether an element is the mark of a footnote or an "edit" link. */
export function isNoteMark(element: Element, name: string): boolean {
  if (name === 'sup') {
    const text = (element.textContent ?? '').trim();
    return (text.startsWith('[') && text.endsWith(']'))
      || element.classList.contains('footnote-reference') || element.classList.contains('reference');
  }
  return name === 'span' && element.classList.contains('mw-editsection');
}

/** Whether an element is a form that asks for a secret. */
export function isSecretForm(element: Element, name: string): boolean {
  return name === 'form' && element.querySelector(SECRET_FIELDS) !== null;
}

/** The element around a node as it is shown: a shadow root's is its host, and what stands in a slot is in its shadow tree. */
export function parentOf(node: Node): Element | null {
  if ((node instanceof Element || node instanceof Text) && node.assignedSlot) return node.assignedSlot;
  const parent = parentNodeOf(node);
  if (parent instanceof ShadowRoot) return parent.host;
  return parent instanceof Element ? parent : null;
}
