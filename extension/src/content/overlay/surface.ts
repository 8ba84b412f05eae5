// What the page looks like around a text: colours, direction, and what scrolls or covers it. Reads only.

import type { Span, TextMap } from '../types.js';
import { parentNodeOf } from '../nodes.js';
import type { Box } from './place.js';

export interface Around {
  rtl: boolean;
  /** The nearest opaque background. */
  background: Colour;
  /** Elements that cut off what sticks out of them. */
  clips: Element[];
}

export interface Colour { red: number; green: number; blue: number }

interface Style extends Around { solid: boolean }

/** What is read in one pass, so that texts with the same surroundings ask for them once. */
export class Surface {
  private readonly styles = new Map<Element, Style>();
  private readonly boxes = new Map<Element, Box>();
  /** What lies uppermost at a point of the window: to find that out takes longest. */
  private readonly points = new Map<string, Element | null>();

  constructor(private readonly page: Document, private readonly host: Element) {}

  around(element: Element): Around {
    return this.style(element);
  }

  box(element: Element): Box {
    let box = this.boxes.get(element);
    if (!box) this.boxes.set(element, box = boxOf(element));
    return box;
  }

  private style(element: Element): Style {
    const known = this.styles.get(element);
    if (known) return known;
    const parent = parentOf(element);
    const outer = parent ? this.style(parent) : null;
    const { direction, backgroundColor, overflowX, overflowY } = getComputedStyle(element);
    const own = solid(backgroundColor);
    // The body's overflow, and the root's, is the window's.
    const cuts = parent !== null && element !== this.page.body && [overflowX, overflowY].some((value) => value !== 'visible');
    const clips = outer?.clips ?? [];
    const style: Style = {
      rtl: direction === 'rtl',
      background: own ?? outer?.background ?? this.canvas(),
      solid: own !== null,
      clips: cuts ? [...clips, element] : clips,
    };
    this.styles.set(element, style);
    return style;
  }

  /** What a page without a background of its own stands on. */
  private canvas(): Colour {
    const scheme = getComputedStyle(this.page.documentElement).colorScheme;
    const dark = scheme.includes('dark') && (!scheme.includes('light') || matchMedia('(prefers-color-scheme: dark)').matches);
    return dark ? { red: 18, green: 18, blue: 18 } : { red: 255, green: 255, blue: 255 };
  }

  /** The bubble that a message stands in: the outermost of its near ancestors with a ground of its own. */
  bubble(element: Element): Element {
    let found = element;
    let at: Element | null = element;
    const { width } = this.box(element);
    for (let depth = 0; at && depth < 4; depth += 1, at = parentOf(at)) {
      // A row across all of the conversation is no bubble.
      if (this.box(at).width > width + 96) break;
      if (this.style(at).solid) found = at;
    }
    return found;
  }

  /** Whether nothing but what the text stands on is at a point. A bar that lies over it now is gone in a moment. */
  free(element: Element, x: number, y: number): boolean {
    const there = this.at(element, x, y);
    return there === null || there === this.host || there.contains(element) || this.covered(element, x, y);
  }

  /** Whether something that stays in its place, a bar or a window of the page's, lies over a text at a point. */
  covered(element: Element, x: number, y: number): boolean {
    const there = this.at(element, x, y);
    if (there === null || there === this.host || there.contains(element) || element.contains(there)) return false;
    for (let over: Element | null = there; over && !over.contains(element); over = parentOf(over)) {
      const { position } = getComputedStyle(over);
      if (position === 'fixed' || position === 'sticky') return true;
    }
    return false;
  }

  private at(element: Element, x: number, y: number): Element | null {
    const root = element.getRootNode();
    if (root instanceof ShadowRoot) return root.elementFromPoint(x, y);
    const point = `${x} ${y}`;
    let there = this.points.get(point);
    if (there === undefined) this.points.set(point, there = this.page.elementFromPoint(x, y));
    return there;
  }
}

/** The place of an element in the window. */
export function boxOf(element: Element): Box {
  return plain(element.getBoundingClientRect());
}

function plain({ x, y, width, height }: DOMRect): Box {
  return { x, y, width, height };
}

/** What an element stands in, also across the roots of shadow trees. */
export function parentOf(element: Element): Element | null {
  if (element.assignedSlot) return element.assignedSlot;
  const parent = parentNodeOf(element);
  if (parent instanceof ShadowRoot) return parent.host;
  return parent instanceof Element ? parent : null;
}

/** A colour that nothing shines through, if it is one. */
export function solid(text: string): Colour | null {
  const [, red, green, blue, alpha] = /^rgba?\((\d+), (\d+), (\d+)(?:, ([\d.]+))?\)$/.exec(text) ?? [];
  if (red === undefined || (alpha !== undefined && Number(alpha) < 0.9)) return null;
  return { red: Number(red), green: Number(green), blue: Number(blue) };
}

/** Whether light text is read on a colour. */
export function isDark({ red, green, blue }: Colour): boolean {
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 110;
}

/** The middle of a text's first line, from the top of its box. */
export function firstLine(map: TextMap, box: Box): number {
  const rect = lines(map, { start: 0, end: 1 })[0];
  const middle = rect ? rect.y + rect.height / 2 - box.y : Number.NaN;
  // A first letter that floats, or is somewhere else, says nothing of the line.
  return middle > 0 && middle < Math.max(box.height, 1) && (rect?.height ?? 0) < 90 ? middle : Math.min(12, box.height / 2);
}

/** The boxes of a stretch of text in the window, one for each piece of a line. */
export function lines(map: TextMap, span: Span): Box[] {
  let rects: Box[];
  try {
    const range = map.range(span);
    rects = range ? Array.from(range.getClientRects(), plain) : [];
  } catch {
    // A map may point at what the page has taken away.
    rects = [];
  }
  const drawn = rects.filter(({ width, height }) => width > 0.5 && height > 0.5);
  // A range tells of elements in it too; only the pieces of text inside those are wanted, and none twice.
  return drawn.filter((one, place) => !drawn.some((other, at) => (
    at !== place && within(other, one) && (!within(one, other) || at < place)
  )));
}

function within(inner: Box, outer: Box): boolean {
  const slack = 0.5;
  return inner.x >= outer.x - slack && inner.y >= outer.y - slack
    && inner.x + inner.width <= outer.x + outer.width + slack && inner.y + inner.height <= outer.y + outer.height + slack;
}
