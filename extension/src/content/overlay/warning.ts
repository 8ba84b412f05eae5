// The warning of a scam: a banner at the top of the conversation, over the page and never in it, and the card behind it. Like
// badges the banner lets every pointer through, so that a page can't feel for it; a click on it is told by its place.

import type { Risk } from '../../protocol.js';
import type { Alarm, Item, Message } from '../types.js';
import { Actions, el, move, size } from './actions.js';
import { glyph } from './glyphs.js';
import { beside, holds, overlap, type Box, type Point } from './place.js';
import { boxOf, isDark, parentOf, type Surface } from './surface.js';
import { hotlineOf, scamCard } from './scamcard.js';
import { visible, type Say } from './texts.js';

/** Between the banner and the edges of the conversation. */
const AIR = 8;
/** The widest banner, and the narrowest conversation that it fits into. */
const WIDEST = 620;
const NARROWEST = 260;
/** A lower box that scrolls is no conversation. */
const LOWEST = 120;
/** So many messages have a mark. */
const MOST_MARKS = 60;
/** Room between a bubble and its outline. */
const RIM = 3;

export interface WarningHooks {
  /** Something is to be drawn. */
  draw(): void;
  hush(key: string): void;
  /** The card is about to open: nothing else stays open. */
  opening(): void;
  /** What has the focus, so that it can have it back. */
  focused(): HTMLElement | SVGElement | null;
}

export class Warning {
  private alarm: Alarm | null = null;
  private banner: HTMLElement | null = null;
  private button: HTMLButtonElement | null = null;
  private said = '';
  private readonly card = el('div', { class: 'card scam', role: 'dialog', 'aria-labelledby': 'scam-title', tabindex: -1 });
  private readonly outline = el('div', { class: 'outline', 'aria-hidden': 'true' });
  /** Conversations whose danger was called out. */
  private readonly called = new Set<string>();
  private pane: Element | null = null;
  private looked: number | null = null;
  private shown: Message | null = null;
  private before: HTMLElement | SVGElement | null = null;
  private place: Box | null = null;
  private bannerAt: Point | null = null;
  private cardAt: Point | null = null;
  private rim: Box | null = null;
  private drawnFor: string | null = null;

  constructor(
    private readonly layer: HTMLElement, private readonly say: Say, private readonly actions: Actions,
    private readonly hooks: WarningHooks,
  ) {}

  get isShown(): boolean {
    return this.banner !== null;
  }

  get isOpen(): boolean {
    return this.card.isConnected;
  }

  get element(): HTMLElement {
    return this.card;
  }

  /** Shows a warning, or takes it away. */
  show(alarm: Alarm | null): void {
    const other = alarm?.key !== this.alarm?.key;
    this.alarm = alarm;
    if (!alarm || other) {
      this.close(!alarm);
      this.banner?.remove();
      this.banner = this.button = this.place = null;
      this.said = '';
    }
    if (!alarm) return;
    this.write(alarm);
    if (this.isOpen) this.fill();
  }

  /** The messages that have a mark. */
  marks(): { turn: number; message: Message; words: Element; risk: Exclude<Risk, 'none'> }[] {
    const { alarm } = this;
    if (!alarm) return [];
    const risk = alarm.report.risk === 'danger' ? 'danger' : 'caution';
    const turns = [...new Set(alarm.report.evidence.flatMap(({ places }) => places.map(({ turn }) => turn)))];
    return turns.flatMap((turn) => {
      const message = alarm.message(turn);
      return message?.words ? [{ turn, message, words: message.words, risk } as const] : [];
    }).slice(0, MOST_MARKS);
  }

  /** The banner says something only if it says something else than before, for readers hear all of it. */
  private write(alarm: Alarm): void {
    const { say } = this;
    const { risk, advice } = alarm.report;
    const grave = risk === 'danger' ? 'danger' : 'caution';
    const said = JSON.stringify([alarm.key, grave, advice]);
    if (said === this.said) return;
    this.said = said;
    // Danger interrupts a reader once; whoever knows of it is left in peace.
    const role = grave === 'caution' ? 'status' : this.called.has(alarm.key) ? 'note' : 'alert';
    if (grave === 'danger') this.called.add(alarm.key);
    const words = el('p', { role, class: 'said' }, el('strong', {}, say.t(`scam_${grave}`)), ' ', say.t(`scam_said_${grave}`));
    if (advice) words.append(' ', visible(advice.message));
    if (advice?.hotline) words.append(' ', el('span', { class: 'hotline' }, hotlineOf(advice.hotline, say)));
    const held = this.button !== null && this.button === this.hooks.focused();
    this.button = this.actions.button(say.t('scam_why'), 'quiet', () => this.toggle(), {
      'aria-haspopup': 'dialog', 'aria-expanded': String(this.isOpen),
    });
    const banner = el('div', { class: 'banner', role: 'group', 'aria-label': say.t('scam_region'), 'data-risk': grave },
      glyph('s-scam'), words, this.button);
    if (this.banner) this.banner.replaceWith(banner);
    else this.layer.append(banner);
    this.banner = banner;
    this.bannerAt = null;
    if (held) this.button.focus({ preventScroll: true });
  }

  // ---- places; all reading comes before all writing ----

  read(surface: Surface, view: Box): void {
    const { alarm, banner } = this;
    if (!alarm || !banner) return;
    const pane = this.paneOf(alarm.anchor);
    const room = pane ? overlap(surface.box(pane), view) : view;
    const fits = room.width >= NARROWEST && room.height >= LOWEST ? room : view;
    const width = Math.min(WIDEST, fits.width - 2 * AIR);
    this.bannerAt = { x: fits.x + (fits.width - width) / 2, y: fits.y + AIR };
    this.place = { ...this.bannerAt, width, height: banner.offsetHeight };
    const words = this.shown?.words ?? null;
    this.rim = null;
    if (words?.isConnected && this.isOpen) {
      const around = surface.around(words);
      const box = surface.box(surface.bubble(words));
      const grown = { x: box.x - RIM, y: box.y - RIM, width: box.width + 2 * RIM, height: box.height + 2 * RIM };
      const seen = around.clips.reduce((all, one) => overlap(all, surface.box(one)), grown);
      if (seen.width > 0 && seen.height > 0) this.rim = seen;
      this.outline.className = `outline ${isDark(around.background) ? 'on-dark' : 'on-light'}`;
    }
    if (!this.isOpen) return;
    const { width: wide, height: high } = boxOf(this.card);
    this.cardAt = beside(this.place, { width: wide, height: high }, view, this.rim ? [this.rim] : []);
  }

  put(origin: Box): void {
    const { banner, place, bannerAt, rim, cardAt } = this;
    if (!banner || !place || !bannerAt) return;
    const width = `${Math.round(place.width)}px`;
    if (banner.style.width !== width) {
      banner.style.setProperty('width', width);
      // Its height was that of another width.
      this.hooks.draw();
    }
    move(banner, bannerAt.x - origin.x, bannerAt.y - origin.y);
    if (this.isOpen && cardAt) move(this.card, cardAt.x - origin.x, cardAt.y - origin.y);
    this.outline.hidden = rim === null;
    if (!rim) return;
    move(this.outline, rim.x - origin.x, rim.y - origin.y);
    size(this.outline, rim.width, rim.height);
  }

  /** The box in which a message scrolls: that of the conversation, if the page has one. */
  private paneOf(anchor: Element | null): Element | null {
    if (this.pane?.isConnected && anchor && this.pane.contains(anchor)) return this.pane;
    this.pane = null;
    for (let at = anchor && parentOf(anchor); at && at !== at.ownerDocument.body; at = parentOf(at)) {
      const { overflowY } = getComputedStyle(at);
      if (!['auto', 'scroll', 'overlay'].includes(overflowY) || at.clientHeight < LOWEST) continue;
      this.pane = at;
      break;
    }
    return this.pane;
  }

  // ---- what the user does ----

  /** Whether a point of the window is on the banner. */
  holds(at: Point): boolean {
    return this.banner !== null && this.place !== null && holds(this.place, at);
  }

  hover(at: Point): void {
    this.banner?.classList.toggle('hot', this.holds(at));
  }

  toggle(): void {
    if (this.isOpen && this.looked === null) this.close(true);
    else this.open(null);
  }

  /** Opens the card; from a mark, with what rests on that message first. */
  open(turn: number | null): void {
    if (!this.alarm || !this.banner) return;
    this.hooks.opening();
    if (!this.isOpen) this.before = this.hooks.focused();
    this.looked = turn;
    this.shown = null;
    this.drawnFor = null;
    this.fill();
    if (!this.isOpen) {
      this.banner.after(this.card, this.outline);
      this.card.scrollTop = 0;
    }
    this.button?.setAttribute('aria-expanded', 'true');
    this.card.focus({ preventScroll: true });
    this.hooks.draw();
  }

  close(back: boolean): boolean {
    if (!this.isOpen) return false;
    const focused = this.card.contains(this.hooks.focused());
    this.card.remove();
    this.outline.remove();
    this.button?.setAttribute('aria-expanded', 'false');
    this.shown = this.rim = this.cardAt = this.looked = null;
    const goal = this.before?.isConnected ? this.before : this.button;
    this.before = null;
    if (back && focused && goal?.isConnected) goal.focus({ preventScroll: true });
    this.hooks.draw();
    return true;
  }

  /** The card holds what is known; it is made anew only if that has changed. */
  private fill(): void {
    const { alarm } = this;
    if (!alarm) return;
    const there = this.marks().map(({ turn }) => turn);
    const now = JSON.stringify([alarm.key, alarm.report, there, this.looked]);
    if (now === this.drawnFor) return;
    this.drawnFor = now;
    const focused = this.card.contains(this.hooks.focused());
    this.card.replaceChildren(...scamCard(alarm, this.looked, this.say, this.actions, {
      close: () => this.close(true),
      hush: () => {
        const goal = this.before;
        this.close(false);
        this.hooks.hush(alarm.key);
        if (goal?.isConnected) goal.focus({ preventScroll: true });
      },
      reveal: (message) => this.reveal(message),
    }));
    if (focused) this.card.focus({ preventScroll: true });
  }

  private reveal(message: Message): void {
    this.shown = message;
    message.words?.scrollIntoView({ block: 'center', inline: 'nearest' });
    this.hooks.draw();
  }
}

/** A mark's message, as labels take texts. */
export function marked(id: string, { message, words }: { message: Message; words: Element }): Item {
  return {
    id, kind: 'message', part: false, elements: [words], state: 'looked', report: null, turn: { side: message.side, name: null },
    map: {
      text: message.text,
      range() {
        if (!words.isConnected) return null;
        const range = words.ownerDocument.createRange();
        range.selectNodeContents(words);
        return range;
      },
    },
  };
}
