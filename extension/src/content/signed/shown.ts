// What a reader sees of an element, by computed styles: nothing of it, all of it, or something that the words do not tell.

import type { Hazard } from '../../protocol.js';

/** Smaller letters can't be read, and fainter ones can't be seen. */
const LEAST_SIZE = 4;
const LEAST_OPACITY = 0.1;
/** Text that is moved further than this is meant to be off the page. */
const FAR = -900;

const SHOWN_AS_TEXT = /^(?:inline|contents|ruby|math|none)/;

/** Whether an element begins and ends a block, as it is shown. `byName`: whether it does by default. */
export function isShownAsBlock(style: CSSStyleDeclaration, byName: boolean): boolean {
  // A first letter that floats is part of its word all the same.
  if (style.float !== 'none' || style.position === 'absolute' || style.position === 'fixed') return byName;
  return !SHOWN_AS_TEXT.test(style.display);
}

/** What computed styles say against the words of an element. `around`: the style of the element that it stands in. */
export function hazardOfStyle(element: Element, style: CSSStyleDeclaration, around: CSSStyleDeclaration | null): Hazard | null {
  const why = hides(style) ? 'hidden' : reorders(style) ? 'order' : turns(element, style, around) ? 'direction' : null;
  // Where there are no words, none is hidden or moved.
  if (why !== null && (element.textContent ?? '').trim() !== '') return why;
  if (/^["']/.test(style.listStyleType) && style.display === 'list-item') return 'list';
  return generates(element) ? 'generated' : null;
}

function hides(style: CSSStyleDeclaration): boolean {
  if (style.visibility !== 'visible' || Number(style.opacity) < LEAST_OPACITY) return true;
  if (Number.parseFloat(style.fontSize) < LEAST_SIZE) return true;
  if (style.contentVisibility === 'hidden') return true;
  const security = style.getPropertyValue('-webkit-text-security');
  if (security !== '' && security !== 'none') return true;
  return isClipped(style) || isTransparent(style) || Number.parseFloat(style.textIndent) < FAR;
}

/** As is done to words for screen readers alone, and to words that nobody should see. */
function isClipped(style: CSSStyleDeclaration): boolean {
  if (style.clipPath !== 'none' && style.clipPath !== '') return true;
  if (isTiny(style.transform)) return true;
  const isOut = style.position === 'absolute' || style.position === 'fixed';
  if (isOut && style.clip !== 'auto' && style.clip !== '') return true;
  if (isOut && (Number.parseFloat(style.left) < FAR || Number.parseFloat(style.top) < FAR)) return true;
  if (style.overflowX === 'visible' && style.overflowY === 'visible') return false;
  return Number.parseFloat(style.width) <= 1 || Number.parseFloat(style.height) <= 1;
}

function isTiny(transform: string): boolean {
  const matrix = /^matrix\(([^,]+),([^,]+),([^,]+),([^,]+)/.exec(transform);
  if (!matrix) return false;
  const [a = 1, b = 0, c = 0, d = 1] = matrix.slice(1).map(Number);
  // How much of an area is left.
  return Math.abs(a * d - b * c) < LEAST_OPACITY * LEAST_OPACITY;
}

function isTransparent(style: CSSStyleDeclaration): boolean {
  const fill = style.getPropertyValue('-webkit-text-fill-color') || style.color;
  // Letters that are cut out of a background are seen.
  const isCutOut = style.getPropertyValue('background-clip').includes('text')
    || style.getPropertyValue('-webkit-background-clip').includes('text');
  return !isCutOut && /^rgba\(.*, 0\)$|\/ 0\)$|^transparent$/.test(fill);
}

function reorders(style: CSSStyleDeclaration): boolean {
  if (style.order !== '0' && style.order !== '') return true;
  if (!/flex|grid|box/.test(style.display)) return false;
  if (/flex|box/.test(style.display) && (style.flexDirection.includes('reverse') || style.flexWrap.includes('reverse'))) return true;
  return style.getPropertyValue('-webkit-box-direction') === 'reverse';
}

/** Whether words run another way than around them; a block of its own may, as a quotation in another script. */
function turns(element: Element, style: CSSStyleDeclaration, around: CSSStyleDeclaration | null): boolean {
  if (style.unicodeBidi.includes('override')) return true;
  if (around === null || style.direction === around.direction) return false;
  return SHOWN_AS_TEXT.test(style.display) || style.display.includes('flex') || style.display.includes('grid')
    || element.localName === 'table';
}

/** Whether a style sheet puts words before or behind those of an element. */
function generates(element: Element): boolean {
  const view = element.ownerDocument.defaultView;
  if (!view) return false;
  for (const name of ['::before', '::after']) {
    const style = view.getComputedStyle(element, name);
    const content = style.content;
    if (content === 'none' || content === 'normal' || content === '' || content === '""') continue;
    if (style.display !== 'none' && speaks(content)) return true;
  }
  return false;
}

/** Signs such as arrows and bullets are no words. */
function speaks(content: string): boolean {
  const strings = content.match(/"(?:[^"\\]|\\.)*"/g) ?? [];
  if (strings.some((string) => /[\p{L}\p{N}]/u.test(string))) return true;
  return /(?:attr|counters?)\(/.test(content.replace(/"(?:[^"\\]|\\.)*"/g, ''));
}
