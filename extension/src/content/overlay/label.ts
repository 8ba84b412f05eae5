// One text with what is drawn for it, and how its place is found.

import type { Action, Verdict } from '../../protocol.js';
import { LINE, type Hidden } from '../filter/apply.js';
import type { Item } from '../types.js';
import { Actions, el, move, size } from './actions.js';
import { glyph } from './glyphs.js';
import { bottom, corner, holds, overlap, right, sides, SIZE, union, type Box, type Point, type Side } from './place.js';
import { firstLine, isDark, type Around, type Surface } from './surface.js';
import type { Say } from './texts.js';

/** How far out of the window a text is read exactly. */
const MARGIN = 40;
/** Between two badges beside one message. */
const APART = 3;
/** About where the middle of a first line is. */
const ROUGH_LINE = 12;

/** What of it is drawn now. */
export interface Drawn { badge: boolean; veil: boolean; line: boolean }

export class Label {
  verdict: Verdict | null = null;
  /** For the mark of a message that a warning rests on; it has neither a verdict nor rules. */
  risk: 'caution' | 'danger' | null = null;
  /** So many places further out, where another badge stands beside the same message. */
  slot = 0;
  action: Action = 'nothing';
  /** The user's own choice for this text, which goes before rules. */
  choice: 'show' | 'hide' | null = null;
  hidden: Hidden | null = null;
  /** How often the page undid the hiding. */
  undone = 0;
  badge: HTMLButtonElement | null = null;
  veil: HTMLElement | null = null;
  line: HTMLButtonElement | null = null;
  /** Places in the window, as of the last pass. */
  spot: Box | null = null;
  area: Box | null = null;
  clip: Box | null = null;
  /** Scrolled out of its box, or under a bar of the page. */
  out = false;
  /** Near the window, so kept in its place. */
  near = false;
  /** Something other than its place and its size may have changed. */
  fresh = true;
  private rough = false;
  /** Its size when it was read last. */
  private extent: Pick<Box, 'width' | 'height'> = { width: 0, height: 0 };
  anchor: Element | null = null;
  /** What is watched for it. */
  watched: Element | null = null;
  around: Around | null = null;
  private first = 0;
  private side: Side | null = null;

  constructor(public item: Item) {}

  get dark(): boolean {
    return this.around !== null && isDark(this.around.background);
  }

  /** What stands for the text in the order of the page. */
  get stop(): HTMLButtonElement | null {
    return this.line ?? this.badge;
  }

  /** Reads where the text is. */
  read(surface: Surface, view: Box): void {
    const element = this.item.elements[0];
    if (!element?.isConnected) {
      this.spot = this.area = null;
      return;
    }
    const own = surface.box(element);
    // Far from the window a rough place will do: it is read again when it comes near.
    const rough = bottom(own) < -MARGIN || own.y > view.height + MARGIN;
    const resized = own.width !== this.extent.width || own.height !== this.extent.height;
    if (this.fresh || resized || (this.rough && !rough) || !this.anchor || !this.around) {
      this.around = surface.around(rough ? element.parentElement ?? element : element);
      this.anchor = this.item.kind === 'message' && !rough ? surface.bubble(element) : element;
      this.first = rough ? Math.min(ROUGH_LINE, own.height / 2) : firstLine(this.item.map, surface.box(this.anchor));
      this.side = null;
      this.fresh = false;
      this.rough = rough;
      this.extent = own;
    }
    const box = surface.box(this.anchor);
    const clips = this.around.clips.map((one) => surface.box(one));
    this.clip = clips.reduce<Box | null>((all, one) => (all ? overlap(all, one) : one), null);
    const parts = this.action === 'badge' || this.action === 'nothing' ? [box] : this.item.elements.map((one) => surface.box(one));
    const area = union(parts);
    this.area = area && this.clip ? overlap(area, this.clip) : area;
    if (box.width === 0 && box.height === 0) {
      this.spot = null;
      return;
    }
    const seen = bottom(box) > 0 && box.y < view.height;
    const side = this.side ?? this.bestSide(surface, box, view, seen);
    const at = this.corner(box, side, this.around.rtl);
    // What is beside a line that is out of the window, nobody can tell.
    if (at.y > 0 && at.y + SIZE < view.height) this.side = side;
    const top = Math.max(at.y, side === 'inside' ? Math.max(view.y, this.clip?.y ?? view.y) : at.y);
    this.spot = { x: at.x, y: Math.min(top, Math.max(at.y, bottom(box) - SIZE)), width: SIZE, height: SIZE };
    const middle = { x: this.spot.x + SIZE / 2, y: this.spot.y + SIZE / 2 };
    this.out = this.clip !== null && !holds(this.clip, middle);
    if (!this.out && seen) {
      const x = Math.min(Math.max(middle.x, box.x + 3), right(box) - 3);
      const y = Math.min(Math.max(middle.y, box.y + 2), bottom(box) - 2);
      this.out = surface.covered(this.anchor, x, y);
    }
  }

  private corner(box: Box, side: Side, rtl: boolean): Point {
    const { x, y } = corner(box, this.first, side, rtl);
    const outwards = side === 'right' || (side === 'inside' && rtl) ? 1 : -1;
    return { x: x + outwards * this.slot * (SIZE + APART), y };
  }

  private bestSide(surface: Surface, box: Box, view: Box, seen: boolean): Side {
    const { rtl } = this.around ?? { rtl: false };
    const fits = (side: Side) => {
      const { x, y } = this.corner(box, side, rtl);
      const room = this.clip ?? view;
      if (x < Math.max(room.x, 0) || x + SIZE > Math.min(right(room), view.width)) return false;
      return !seen || !this.anchor || surface.free(this.anchor, x + SIZE / 2, y + SIZE / 2);
    };
    return sides(rtl, this.item.turn?.side === 'me').find(fits) ?? 'inside';
  }

  /** Draws what is wanted; `origin` is the layer's corner in the window. Gives whether a stop is new. */
  write(wanted: Drawn, origin: Box, { say, actions, veils }: Tools, on: { card: () => void; show: () => void }): boolean {
    const { verdict, spot, area } = this;
    const before = this.stop;
    const look = this.risk ?? verdict;
    if (!wanted.badge || !look) {
      this.badge?.remove();
      this.badge = null;
    } else if ((this.badge?.dataset['risk'] ?? this.badge?.dataset['verdict']) !== look) {
      const fresh = makeBadge(look, say);
      actions.on(fresh, on.card);
      this.badge?.replaceWith(fresh);
      this.badge = fresh;
    }
    if (this.badge) {
      this.badge.className = `badge ${this.dark ? 'on-dark' : 'on-light'}${this.out ? ' out' : ''}`;
      this.badge.hidden = spot === null;
      if (spot) move(this.badge, spot.x - origin.x, spot.y - origin.y);
    }

    if (!wanted.veil) {
      this.veil?.remove();
      this.veil = null;
    } else {
      this.veil ??= veils.appendChild(el('div', { class: 'veil' }));
      const { red, green, blue } = this.around?.background ?? { red: 255, green: 255, blue: 255 };
      this.veil.style.setProperty('background', `rgb(${red} ${green} ${blue})`);
      this.veil.hidden = area === null;
      if (area) {
        move(this.veil, area.x - origin.x, area.y - origin.y);
        size(this.veil, area.width, area.height);
      }
    }

    if (!wanted.line || !verdict) {
      this.line?.remove();
      this.line = null;
    } else {
      if (!this.line) {
        const chip = say.t(`chip_${verdict}`);
        this.line = el('button', { type: 'button', class: 'line', 'data-verdict': verdict }, glyph(`v-${verdict}`),
          el('span', {}, say.t(this.choice === 'hide' ? 'line_you' : 'line_rule', { chip })), el('u', {}, say.t('line_show')));
        actions.on(this.line, on.show);
      }
      this.line.classList.toggle('on-dark', this.dark);
      this.line.classList.toggle('on-light', !this.dark);
      const seen = area !== null && area.height >= LINE / 2 && area.width > 0;
      this.line.hidden = area === null;
      this.line.classList.toggle('out', !seen);
      this.line.dir = this.around?.rtl ? 'rtl' : 'ltr';
      if (area) {
        move(this.line, area.x - origin.x, area.y - origin.y);
        size(this.line, Math.max(area.width, 160), LINE);
      }
    }
    return this.stop !== null && this.stop !== before;
  }

  /** Takes everything of it away. */
  erase(): void {
    this.hidden?.restore();
    this.hidden = null;
    for (const one of [this.badge, this.veil, this.line]) one?.remove();
    this.badge = this.veil = this.line = null;
  }
}

/** What it is drawn with. */
export interface Tools { say: Say; actions: Actions; veils: Element }

const badges = new Map<string, HTMLButtonElement>();

function makeBadge(look: Verdict | 'caution' | 'danger', say: Say): HTMLButtonElement {
  const risky = look === 'caution' || look === 'danger';
  const label = risky ? say.t('scam_mark') : say.t(`badge_${look}`);
  const name = `${look} ${label}`;
  let first = badges.get(name);
  if (!first) {
    const about = { [risky ? 'data-risk' : 'data-verdict']: look, 'aria-label': label, 'aria-haspopup': 'dialog', 'aria-expanded': 'false' };
    first = el('button', { type: 'button', class: 'badge', ...about }, glyph(risky ? 's-scam' : `v-${look}`));
    badges.set(name, first);
  }
  return first.cloneNode(true) as HTMLButtonElement;
}
