// Elements by which a reader may see other words than the ones that are counted, or in another order: what names and
// attributes say. The daemon has the same rules for HTML (SPEC.md of signatures, 1.1).

import type { Hazard } from '../../protocol.js';

/** What is left out with all that it holds. */
export const LEFT_OUT = new Set((
  'script style noscript template title textarea select option datalist svg canvas iframe frame frameset object embed audio '
  + 'video meter progress rp optgroup noframes noembed input'
).split(' '));

/** What HTML shows as blocks. */
export const BLOCKS = new Set((
  'address article aside blockquote button caption center col colgroup dd details dialog dir div dl dt fieldset figcaption '
  + 'figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li listing main menu nav ol p plaintext pre search section '
  + 'summary table tbody td tfoot th thead tr ul xmp'
).split(' '));

/** Fields whose value is not shown as text. */
const SILENT_FIELDS = new Set(['hidden', 'checkbox', 'radio', 'file', 'image', 'color', 'range']);
const MATH_TEXT = new Set(['mi', 'mn', 'mo', 'ms', 'mtext']);
const MATH_HIDDEN = new Set(['annotation', 'annotation-xml', 'mphantom', 'maction', 'br', 'img', 'link']);

const PARTS_OF_TABLES = new Map([['caption', 0], ['colgroup', 1], ['thead', 2], ['tbody', 3], ['tr', 3], ['tfoot', 4]]);

/** What is shown by an element that is left out. */
export function ofLeftOut(element: Element, name: string): Hazard | null {
  switch (name) {
    case 'input': {
      const field = element as HTMLInputElement;
      return !SILENT_FIELDS.has(field.type) && (isFilled(field.value) || isFilled(field.placeholder)) ? 'field' : null;
    }
    case 'textarea': {
      const field = element as HTMLTextAreaElement;
      return isFilled(field.value) || isFilled(field.placeholder) ? 'field' : null;
    }
    case 'select': case 'option': case 'optgroup':
      return isFilled(element.textContent) || element.matches('[label]') || element.querySelector('[label]') ? 'field' : null;
    case 'object': return isFilled(element.textContent) ? 'embedded' : null;
    case 'iframe': return isFilled(element.getAttribute('srcdoc')) ? 'embedded' : null;
    case 'svg': return showsText(element) ? 'picture' : null;
    default: return null;
  }
}

/** What speaks against an element that is counted. */
export function ofElement(element: Element, name: string): Hazard | null {
  switch (name) {
    case 'bdo': return 'direction';
    case 'details':
      if (!element.hasAttribute('open')) return 'closed';
      return beginsWith(element, 'summary') ? null : 'order';
    case 'fieldset': return beginsWith(element, 'legend') ? null : 'order';
    case 'table': return isInOrder(element) ? null : 'order';
    case 'ol': return element.hasAttribute('reversed') || !startsAsExpected(element) ? 'list' : null;
    case 'li': return element.hasAttribute('value') ? 'list' : null;
    default: return null;
  }
}

/** What speaks against an element of MathML. */
export function ofMath(element: Element, name: string): Hazard | null {
  const isLoose = !MATH_TEXT.has(name) && [...element.childNodes].some((node) => node instanceof Text && isFilled(node.data));
  const isDouble = name === 'semantics' && [...element.children].slice(1).some((child) => !isAnnotation(child));
  return isLoose || isDouble || MATH_HIDDEN.has(name) || LEFT_OUT.has(name) || element.hasAttribute('mathsize') ? 'formula' : null;
}

/** Whether browsers leave out an element of MathML: an annotation behind the formula that it speaks of. */
export function isAnnotation(element: Element): boolean {
  const { localName } = element;
  return (localName === 'annotation' || localName === 'annotation-xml') && element.previousElementSibling !== null
    && element.parentElement?.localName === 'semantics';
}

function isFilled(text: string | null | undefined): boolean {
  return typeof text === 'string' && text.trim() !== '';
}

/** Whether a picture shows text; its title is none. */
function showsText(svg: Element): boolean {
  for (const element of svg.querySelectorAll('text, foreignObject')) {
    if (element.localName === 'text' ? isFilled(element.textContent) : element.firstChild !== null) return true;
  }
  return false;
}

/** Whether the first child of a name, which is shown first, is the first of all. */
function beginsWith(element: Element, name: string): boolean {
  const first = [...element.childNodes].find((node) => node instanceof Element || (node instanceof Text && isFilled(node.data)));
  if (first instanceof Element && first.localName === name) return true;
  return ![...element.children].some((child) => child.localName === name);
}

/** Browsers show the caption first, then the head, and the foot last. */
function isInOrder(table: Element): boolean {
  let last = 0;
  for (const child of table.children) {
    const rank = PARTS_OF_TABLES.get(child.localName);
    if (rank === undefined) continue;
    if (rank < last) return false;
    last = rank;
  }
  return true;
}

/** Whether a list begins with 1, or goes on with the number after the last one of the list before it. */
function startsAsExpected(list: Element): boolean {
  const start = firstNumber(list);
  if (start === null) return false;
  if (start === 1) return true;
  let before = list.previousElementSibling;
  while (before && before.localName !== 'ol') before = before.previousElementSibling;
  const first = before ? firstNumber(before) : null;
  if (!before || first === null) return false;
  return first + [...before.children].filter((child) => child.localName === 'li').length === start;
}

function firstNumber(list: Element): number | null {
  const start = list.getAttribute('start');
  if (start === null) return 1;
  return /^\d{1,9}$/.test(start) ? Number(start) : null;
}

/** Pictures of emoji: each code point is a symbol, a joiner or one of the marks of a keycap. */
export function isEmojiText(text: string): boolean {
  const characters = [...text];
  if (characters.length > 16) return false;
  let isVisible = false;
  for (const [index, character] of characters.entries()) {
    const rest = characters.slice(index + 1, index + 3).join('');
    const isPicture = /^[0-9#*]$/.test(character) ? /^\ufe0f?\u20e3/.test(rest) : EMOJI.test(character);
    if (!isPicture && !PART_OF_EMOJI.test(character)) return false;
    isVisible ||= isPicture;
  }
  return isVisible;
}

const EMOJI = /^[\u2190-\u2bff\u{1f000}-\u{1faff}\u00a9\u00ae\u203c\u2049\u2122\u2139\u3030\u303d\u3297\u3299]$/u;
const PART_OF_EMOJI = /^[\u00ad\u034f\u180e\u200b-\u200d\u2060-\u2064\ufeff\ufe00-\ufe0f\u{e0000}-\u{e0fff}\u20e3]$/u;
