// Stretches of a text, marked in the page.
//
// The browser's own way to mark ranges (`CSS.highlights`) leaves them in a registry that scripts of the page can read,
// and its rules need a sheet in the page's document: a page could learn from both what was found in its text. So marks
// are drawn over the text, in the closed root, and only while a card is open.

import type { Item, Span } from '../types.js';
import { el, move, size } from './actions.js';
import { overlap, type Box } from './place.js';
import { lines } from './surface.js';

export interface Stretch { span: Span; look: string }

export class Marks {
  private readonly group = el('div', { 'aria-hidden': 'true' });
  private item: Item | null = null;
  private stretches: Stretch[] = [];
  private drawn = '';

  constructor(layer: HTMLElement) {
    layer.prepend(this.group);
  }

  get active(): boolean {
    return this.item !== null;
  }

  show(item: Item, stretches: Stretch[]): void {
    this.item = item;
    this.stretches = stretches;
    this.drawn = '';
  }

  clear(): void {
    this.item = null;
    this.stretches = [];
    this.drawn = '';
    this.group.replaceChildren();
  }

  /** Where the marks are to be, in the window; `clip` is what of it the text's scrollers let through. */
  read(clip: Box | null): { box: Box; look: string }[] {
    const { item } = this;
    if (!item) return [];
    const all = this.stretches.flatMap(({ span, look }) => lines(item.map, span).map((box) => ({ box, look })));
    const seen = clip ? all.map(({ box, look }) => ({ box: overlap(box, clip), look })) : all;
    return seen.filter(({ box }) => box.width > 0 && box.height > 0);
  }

  /** Draws them; `origin` is the layer's corner in the window. */
  write(found: { box: Box; look: string }[], origin: { x: number; y: number }, dark: boolean): void {
    const places = found.map(({ box, look }) => [Math.round(box.x - origin.x), Math.round(box.y - origin.y), box.width, look]);
    const key = JSON.stringify([places, dark]);
    if (key === this.drawn) return;
    this.drawn = key;
    this.group.className = dark ? 'on-dark' : 'on-light';
    this.group.replaceChildren(...found.map(({ box, look }) => {
      const mark = el('div', { class: `mark ${look}` });
      move(mark, box.x - origin.x, box.y - origin.y);
      size(mark, box.width, box.height + 2);
      return mark;
    }));
  }
}
