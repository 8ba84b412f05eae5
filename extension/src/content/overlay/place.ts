// Where badges and cards stand: plain geometry, in one system of coordinates.

export interface Box { x: number; y: number; width: number; height: number }
export interface Point { x: number; y: number }

/** A badge's width and height. */
export const SIZE = 18;
/** Between a text and the badge in its margin. */
const GAP = 6;
/** Between a card and the edges of the window, and the thing that it belongs to. */
const AIR = 8;
/** A card that is lower than this is no use. */
const ENOUGH = 260;

export type Side = 'left' | 'right' | 'inside';

export const right = (box: Box) => box.x + box.width;
export const bottom = (box: Box) => box.y + box.height;

/** What two boxes have in common; nothing has no width or no height. */
export function overlap(a: Box, b: Box): Box {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  return { x, y, width: Math.max(0, Math.min(right(a), right(b)) - x), height: Math.max(0, Math.min(bottom(a), bottom(b)) - y) };
}

export function union(boxes: Box[]): Box | null {
  const drawn = boxes.filter(({ width, height }) => width > 0 || height > 0);
  if (drawn.length === 0) return null;
  const x = Math.min(...drawn.map((box) => box.x));
  const y = Math.min(...drawn.map((box) => box.y));
  return { x, y, width: Math.max(...drawn.map(right)) - x, height: Math.max(...drawn.map(bottom)) - y };
}

/** Whether a point is in a box, or nearer to it than the slack. */
export function holds(box: Box, { x, y }: Point, slack = 0): boolean {
  return x >= box.x - slack && x <= right(box) + slack && y >= box.y - slack && y <= bottom(box) + slack;
}

/**
 * The corner of a badge on a side of its text. `first` is the middle of the first line, from the text's top. In the text
 * it stands astride the top edge, where there is mostly the space between paragraphs and not the first line's end.
 */
export function corner(text: Box, first: number, side: Side, rtl: boolean): Point {
  const y = text.y + first - SIZE / 2;
  if (side === 'left') return { x: text.x - GAP - SIZE, y };
  if (side === 'right') return { x: right(text) + GAP, y };
  return { x: rtl ? text.x + 1 : right(text) - SIZE - 1, y: text.y - SIZE / 2 };
}

/** Sides to try, the best first. A message of the reader's own stands at the end of its line, so its start is free. */
export function sides(rtl: boolean, own: boolean): Side[] {
  const end: Side = rtl ? 'left' : 'right';
  const start: Side = rtl ? 'right' : 'left';
  return own ? [start, end] : [end];
}

/**
 * Where a card of some size stands beside its anchor: wherever it covers least of that and of what is to be seen. Most of
 * it lies in the margin in which the anchor is, not over the text.
 */
export function beside(anchor: Box, card: { width: number; height: number }, window: Box, seen: Box[]): Point {
  const leftwards = anchor.x + anchor.width / 2 < window.x + window.width / 2;
  const x = leftwards ? right(anchor) - card.width : anchor.x;
  const all = union(seen) ?? anchor;
  const tries: Point[] = [
    { x, y: bottom(anchor) + AIR },
    { x, y: anchor.y - AIR - card.height },
    { x: right(anchor) + AIR, y: anchor.y - AIR },
    { x: anchor.x - AIR - card.width, y: anchor.y - AIR },
    { x, y: bottom(all) + AIR },
    { x, y: all.y - AIR - card.height },
    { x: right(all) + AIR, y: anchor.y - AIR },
    { x: all.x - AIR - card.width, y: anchor.y - AIR },
  ];
  const area = ({ width, height }: Box) => width * height;
  const cost = (at: Point) => {
    const box = { ...at, ...card };
    return seen.reduce((sum, one) => sum + area(overlap(box, one)), 100 * area(overlap(box, anchor)));
  };
  return tries.map((at) => into(window, { ...at, ...card })).reduce((best, at) => (cost(at) < cost(best) ? at : best));
}

/** Where a box stands if it is moved into the window. */
export function into(window: Box, box: Box): Point {
  return {
    x: Math.max(window.x + AIR, Math.min(box.x, right(window) - AIR - box.width)),
    y: Math.max(window.y + AIR, Math.min(box.y, bottom(window) - AIR - box.height)),
  };
}

/** Height that a card may have below or above what is to be seen, if that is enough to read in. */
export function roomBeside(seen: Box[], window: Box): number | null {
  const all = union(seen);
  if (!all) return null;
  const room = Math.max(bottom(window) - bottom(all), all.y - window.y) - 2 * AIR;
  return room >= ENOUGH ? room : null;
}
