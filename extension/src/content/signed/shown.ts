// What a reader sees of an element, by computed styles: nothing of it, all of it, or something that the words do not tell.

import type { Hazard } from '../../protocol.js';
import { alphaOf, channels, contrast, groundOf } from './colour.js';

/** Smaller letters can't be read, and fainter ones can't be seen. */
const LEAST_SIZE = 4;
const LEAST_OPACITY = 0.1;
/** Text that is moved further than this is meant to be off the page. */
const FAR = -900;
/** Of each letter so much is seen at the least, in square pixels, however it is scaled, turned or pushed together. */
const LEAST_AREA = 3;
/** Letters that differ less than this from what is behind them can't be seen; the same colour has 1. */
const LEAST_CONTRAST = 1.15;
/** Marks of lists that no style sheet can make words of. */
const MARKS = new Set(['none', 'disc', 'circle', 'square', 'decimal', 'disclosure-open', 'disclosure-closed']);
/** What shows its words before or behind the other parts of a table, wherever it stands. */
const PLACED: Record<string, string> = { 'table-header-group': 'thead', 'table-footer-group': 'tfoot', 'table-caption': 'caption' };

const SHOWN_AS_TEXT = /^(?:inline|contents|ruby|math|none)/;

/** Whether an element begins and ends a block, as it is shown. `byName`: whether it does by default. */
export function isShownAsBlock(style: CSSStyleDeclaration, byName: boolean): boolean {
  // A first letter that floats is part of its word all the same.
  if (style.float !== 'none' || style.position === 'absolute' || style.position === 'fixed') return byName;
  return !SHOWN_AS_TEXT.test(style.display);
}

/** What is around an element: the style of the one that it stands in, how opaque that is, and whether words stand before. */
export interface Setting { style: CSSStyleDeclaration | null; opacity: number; begins: boolean }

/** What computed styles say against the words of an element. `isPart`: it is no block by its name. */
export function hazardOfStyle(
  element: Element, style: CSSStyleDeclaration, { style: around, opacity, begins }: Setting, isPart: boolean,
): Hazard | null {
  const why = hides(style, opacity) || fades(element, style, around, isPart) ? 'hidden'
    : reorders(element, style) || (isPart && isMoved(element, style, around, begins)) ? 'order' : turns(element, style, around) ? 'direction' : null;
  // Where there are no words, none is hidden or moved.
  if (why !== null && (element.textContent ?? '').trim() !== '') return why;
  if (style.display.includes('list-item') && isMarked(element, style)) return 'list';
  return generates(element, style) ? 'generated' : null;
}

/** Whether words are drawn, and so that they can be read. Styles alone don't tell: a closed shadow tree may take their place. */
export function isDrawn(text: Text): boolean {
  const letters = text.data.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
  if (letters === 0) return true;
  const range = text.ownerDocument.createRange();
  range.selectNode(text);
  let area = 0;
  for (const { width, height } of range.getClientRects()) if (height >= LEAST_SIZE) area += width * height;
  return area >= LEAST_AREA * letters;
}

function hides(style: CSSStyleDeclaration, around: number): boolean {
  if (style.visibility !== 'visible') return true;
  if (style.opacity !== '1' && Number(style.opacity) * around < LEAST_OPACITY) return true;
  if (/opacity|blur|url/.test(style.filter) || !/^(?:none)?$/.test(style.maskImage || style.webkitMaskImage)) return true;
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
  // Some headings are drawn over the whole width so: their words stay where they are.
  const margin = Number.parseFloat(style.marginLeft) + Number.parseFloat(style.paddingLeft);
  const shifts = style.position === 'static' ? [] : [style.left, style.top];
  if (margin < FAR || [...shifts, style.marginTop, ...style.translate.split(' ')].some((one) => Number.parseFloat(one) < FAR)) return true;
  if (style.overflowX === 'visible' && style.overflowY === 'visible') return false;
  return Number.parseFloat(style.width) < LEAST_SIZE || Number.parseFloat(style.height) < LEAST_SIZE;
}

function isTiny(transform: string): boolean {
  const matrix = /^matrix\(([^,]+),([^,]+),([^,]+),([^,]+),([^,]+),([^,]+)\)/.exec(transform);
  if (!matrix) return false;
  const [a = 1, b = 0, c = 0, d = 1, x = 0, y = 0] = matrix.slice(1).map(Number);
  // How much of an area is left, and whether that is on the page.
  return x < FAR || y < FAR || Math.abs(a * d - b * c) < LEAST_OPACITY * LEAST_OPACITY;
}

function isTransparent(style: CSSStyleDeclaration): boolean {
  const fill = style.getPropertyValue('-webkit-text-fill-color') || style.color;
  // Letters that are cut out of a background are seen.
  const isCutOut = style.getPropertyValue('background-clip').includes('text')
    || style.getPropertyValue('-webkit-background-clip').includes('text');
  return !isCutOut && alphaOf(fill) < LEAST_OPACITY;
}

/** Whether words in a line have the colour of what is behind them, and those around them have not. */
function fades(element: Element, style: CSSStyleDeclaration, around: CSSStyleDeclaration | null, isPart: boolean): boolean {
  if (!isPart || around === null) return false;
  if (style.color === around.color && alphaOf(style.backgroundColor) === 0) return false;
  const ground = groundOf(element);
  const [own, outer] = [channels(style.color), channels(around.color)];
  if (!ground || !own) return false;
  const behind = element.parentElement ? groundOf(element.parentElement) : ground;
  return contrast(own, ground) < LEAST_CONTRAST && !(outer && behind && contrast(outer, behind) < LEAST_CONTRAST);
}

function reorders(element: Element, style: CSSStyleDeclaration): boolean {
  if (style.order !== '0' && style.order !== '') return true;
  const part = PLACED[style.display];
  if (part !== undefined && (element.localName !== part || style.captionSide === 'bottom')) return true;
  if (!/flex|grid|box/.test(style.display)) return false;
  if (/flex|box/.test(style.display) && (style.flexDirection.includes('reverse') || style.flexWrap.includes('reverse'))) return true;
  return style.getPropertyValue('-webkit-box-direction') === 'reverse';
}

/** Whether a part of a line is taken out of it. A first letter may float at the beginning of its paragraph. */
function isMoved(element: Element, style: CSSStyleDeclaration, around: CSSStyleDeclaration | null, begins: boolean): boolean {
  // Where there are no other words, there is no order.
  if (element.textContent?.trim() === element.parentElement?.textContent?.trim()) return false;
  if (style.position === 'absolute' || style.position === 'fixed') return true;
  if (style.float !== 'none') return !(begins && style.float === (style.direction === 'rtl' ? 'right' : 'left'));
  return around !== null && around.display.includes('grid') && (style.gridRowStart !== 'auto' || style.gridColumnStart !== 'auto');
}

/** Whether an item of a list has words for its mark. */
function isMarked(element: Element, style: CSSStyleDeclaration): boolean {
  const content = element.ownerDocument.defaultView?.getComputedStyle(element, '::marker').content;
  return !MARKS.has(style.listStyleType) || speaks(content ?? '');
}

/** Whether words run another way than around them; a block of its own may, as a quotation in another script. */
function turns(element: Element, style: CSSStyleDeclaration, around: CSSStyleDeclaration | null): boolean {
  if (style.unicodeBidi.includes('override')) return true;
  if (around === null || style.direction === around.direction) return false;
  return SHOWN_AS_TEXT.test(style.display) || style.display.includes('flex') || style.display.includes('grid')
    || element.localName === 'table';
}

/** Whether a style sheet puts words before or behind those of an element, or something else in their place. */
function generates(element: Element, { content: instead, quotes }: CSSStyleDeclaration): boolean {
  const view = element.ownerDocument.defaultView;
  if (!view) return false;
  if (!/^(?:normal|none)?$/.test(instead)) return true;
  for (const name of ['::before', '::after']) {
    const style = view.getComputedStyle(element, name);
    const content = style.content;
    if (content === 'none' || content === 'normal' || content === '' || content === '""') continue;
    if (style.display !== 'none' && (speaks(content) || (content.includes('-quote') && speaks(quotes)))) return true;
  }
  return false;
}

/** Signs such as arrows and bullets are no words. */
function speaks(content: string): boolean {
  const strings = content.match(/"(?:[^"\\]|\\.)*"/g) ?? [];
  if (strings.some((string) => /[\p{L}\p{N}]/u.test(string))) return true;
  return /(?:attr|counters?)\(/.test(content.replace(/"(?:[^"\\]|\\.)*"/g, ''));
}
