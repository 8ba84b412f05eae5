// Badges, cards, veils and what rules hide, kept in their places. All reading of a frame comes before all writing, so
// the page is laid out once; and the page's own elements are touched only where a rule takes a text away.

import type { Settings } from '../../protocol.js';
import { Hidden } from '../filter/apply.js';
import { actionFor, verdictOf } from '../filter/rules.js';
import type { Alarm, Item, Overlay, Surroundings } from '../types.js';
import { tag } from '../../i18n.js';
import { Actions, el, move } from './actions.js';
import { Card } from './card.js';
import { listen, type Listener } from './events.js';
import { createHost, type Host } from './host.js';
import { Label, type Drawn, type Tools } from './label.js';
import { Marks, type Stretch } from './marks.js';
import { beside, bottom, holds, into, overlap, roomBeside, union, type Box, type Point } from './place.js';
import { boxOf, lines, Surface } from './surface.js';
import type { Say } from './texts.js';
import { marked, Warning } from './warning.js';
import { Watch } from './watch.js';

/** A pointer that only passes opens nothing, and may leave a card for a moment. */
const DWELL_MS = 220;
const GRACE_MS = 320;
/** How far beside a badge a click still means it: a finger is not as exact as a mouse. */
const SLACK = 4;
const TOUCH_SLACK = 12;
/** A page that brings a hidden text back this often is let have its way. */
const UNDONE = 3;

export class PageOverlay implements Overlay, Listener {
  private readonly host: Host;
  private readonly actions = new Actions();
  private readonly watch: Watch;
  private readonly labels = new Map<string, Label>();
  private readonly byAnchor = new Map<Element, Set<Label>>();
  /** Labels with a stop, in the order of the page. */
  private readonly order: Label[] = [];
  private readonly dirty = new Set<Label>();
  private readonly veils = el('div', { 'aria-hidden': 'true' });
  private readonly stops = el('div');
  private readonly marks: Marks;
  private readonly warning: Warning;
  /** The marks of the messages that a warning rests on, by what holds their words. */
  private readonly warned = new Map<Element, { label: Label; turn: number }>();
  private lastMark = 0;
  private readonly stopListening: () => void;
  private cardMade: Card | null = null;
  private cardAt: Point | null = null;
  /** Whether the card is to find a new place, or only to stay in the window. */
  private placing: 'anew' | 'within' | null = null;
  private before: HTMLElement | SVGElement | null = null;
  private hovered: Label | null = null;
  private timer = 0;
  private leaving = 0;
  private corner: HTMLElement | null = null;
  private revealed = false;
  private hiddenBefore = 0;

  constructor(
    private readonly page: Document, private readonly surroundings: Surroundings, private readonly say: Say, mode: ShadowRootMode,
  ) {
    this.host = createHost(page, mode, say.t('region'), tag(say.language));
    this.host.layer.append(this.veils, this.stops);
    this.marks = new Marks(this.host.layer);
    this.watch = new Watch(page, () => this.frame(), () => this.isBusy(),
      (element) => this.anchored(element),
      (element, near) => this.anchored(element, near));
    this.warning = new Warning(this.host.layer, say, this.actions, {
      draw: () => this.watch.request(),
      hush: (key) => this.surroundings.hush(key),
      opening: () => this.close(false),
      focused: () => this.focusOfPage(),
    });
    this.stopListening = listen(this.host, this.actions, this);
  }

  // ---- what the rest of the content script asks ----

  show(item: Item): void {
    const label = this.label(item);
    const element = item.elements[0] ?? null;
    if (label.item !== item || label.watched !== element) label.fresh = true;
    label.item = item;
    this.decide(label, this.surroundings.settings());
    if (this.cardItem()?.id === item.id) this.cardMade?.update(item, label.verdict);
  }

  drop(item: Item): void {
    const label = this.labels.get(item.id);
    if (!label) return;
    if (this.cardItem()?.id === item.id) this.close(false);
    this.labels.delete(item.id);
    this.dirty.delete(label);
    this.unwatch(label);
    this.unorder(label);
    label.erase();
    this.count();
  }

  open(item: Item): void {
    const label = this.label(item);
    label.item = item;
    this.decide(label, this.surroundings.settings());
    this.openCard(label, true, true);
  }

  warn(alarm: Alarm | null): void {
    if (!alarm && !this.warning.isShown) return;
    this.warning.show(alarm);
    const marks = new Map(this.warning.marks().map((mark) => [mark.words, mark]));
    for (const [words, { label }] of this.warned) {
      if (marks.has(words)) continue;
      this.warned.delete(words);
      this.drop(label.item);
    }
    for (const [words, mark] of marks) {
      const known = this.warned.get(words);
      const label = known?.label ?? this.label(marked(`scam-${this.lastMark += 1}`, mark));
      this.warned.set(words, { label, turn: mark.turn });
      if (known && label.risk === mark.risk && label.item.map.text === mark.message.text) continue;
      label.item = marked(label.item.id, mark);
      label.risk = mark.risk;
      label.action = 'badge';
      label.fresh = true;
      this.mark(label);
    }
    this.watch.request();
  }

  reveal(): void {
    this.revealed = true;
    for (const label of this.labels.values()) this.decide(label, this.surroundings.settings());
  }

  hidden(): number {
    let count = 0;
    for (const { hidden } of this.labels.values()) if (hidden) count += 1;
    return count;
  }

  refresh(items: Iterable<Item>): void {
    const settings = this.surroundings.settings();
    for (const item of items) {
      const label = this.label(item);
      label.item = item;
      this.decide(label, settings);
    }
    const item = this.cardItem();
    if (item) this.cardMade?.update(item, this.labels.get(item.id)?.verdict ?? null);
  }

  remove(): void {
    this.close(false);
    this.warning.show(null);
    this.warned.clear();
    this.watch.end();
    this.stopListening();
    for (const label of this.labels.values()) label.erase();
    this.labels.clear();
    this.byAnchor.clear();
    this.order.length = 0;
    this.dirty.clear();
    this.corner = null;
    this.host.remove();
  }

  // ---- labels ----

  private label(item: Item): Label {
    let label = this.labels.get(item.id);
    if (!label) this.labels.set(item.id, label = new Label(item));
    return label;
  }

  /** What a label shows, by the user's choice, or the rules. */
  private decide(label: Label, settings: Settings): void {
    const { item } = label;
    if (label.risk) return this.mark(label);
    label.verdict = verdictOf(item, settings);
    const ruled = actionFor(item, settings, this.site());
    const clear = (label.choice === 'show' || this.revealed) && ruled !== 'nothing';
    label.action = label.choice === 'hide' ? 'collapse' : clear ? 'badge' : ruled;
    this.mark(label);
  }

  /** The site by whose name rules go; a frame without an address has its parent's. */
  private site(): string {
    try {
      return new URL(this.page.baseURI).hostname;
    } catch {
      return '';
    }
  }

  private mark(label: Label): void {
    this.dirty.add(label);
    this.watch.request();
  }

  private wanted(label: Label): Drawn {
    const { action, verdict, hidden } = label;
    if (label.risk) return { badge: true, veil: false, line: false };
    const worth = verdict !== null && (verdict !== 'unclear' || this.surroundings.settings().showUnclear);
    return {
      badge: !hidden && (action === 'badge' || action === 'dim') && worth,
      veil: !hidden && action === 'dim',
      line: hidden?.way === 'collapse',
    };
  }

  /** Something has happened to a watched element: its size, or that it came near the window or went away from it. */
  private anchored(element: Element, near?: boolean): void {
    for (const label of this.byAnchor.get(element) ?? []) {
      label.near = near ?? label.near;
      this.dirty.add(label);
    }
    if (near !== undefined) this.watch.size(element, near);
  }

  private follow(label: Label): void {
    const element = label.item.elements[0] ?? null;
    if (label.watched === element) return;
    this.unwatch(label);
    label.watched = element;
    if (!element) return;
    const all = this.byAnchor.get(element) ?? new Set();
    // What is watched already tells nothing anew.
    for (const { near } of all) label.near = near;
    if (all.size > 0) this.mark(label);
    this.byAnchor.set(element, all.add(label));
    this.watch.near(element);
  }

  private unwatch(label: Label): void {
    const { watched } = label;
    if (!watched) return;
    label.watched = null;
    const all = this.byAnchor.get(watched);
    all?.delete(label);
    if (all && all.size > 0) return;
    this.byAnchor.delete(watched);
    this.watch.forget(watched);
  }

  // ---- a frame ----

  private frame(): void {
    const { documentElement: root } = this.page;
    if (!root || !this.host.element.isConnected) return;
    const labels = new Set(this.dirty);
    for (const label of this.labels.values()) if (label.near && (label.action !== 'nothing' || label.hidden)) labels.add(label);
    const fresh = [...this.dirty];
    this.dirty.clear();

    const surface = new Surface(this.page, this.host.element);
    for (const { label } of this.warned.values()) if (labels.has(label)) this.stepAside(label);
    const origin = boxOf(this.host.layer);
    const view: Box = { x: 0, y: 0, width: root.clientWidth, height: root.clientHeight };
    const wants = new Map<Label, Drawn>();
    for (const label of labels) {
      const wanted = this.wanted(label);
      wants.set(label, wanted);
      if (wanted.badge || wanted.veil || wanted.line) label.read(surface, view);
      else label.spot = label.area = null;
    }
    const item = this.cardItem();
    const open = item ? this.labels.get(item.id) : undefined;
    const anchor = item ? this.anchorOfCard(item, open, view) : null;
    const marked = this.marks.active ? this.marks.read(open?.clip ?? null) : [];
    const made = item && this.cardMade ? this.cardMade.element : null;
    const card = made && { ...boxOf(made), whole: made.scrollHeight + 2 };

    this.warning.read(surface, view);
    const tools: Tools = { say: this.say, actions: this.actions, veils: this.veils };
    for (const [label, wanted] of wants) {
      if (wanted.badge || wanted.veil || wanted.line) this.follow(label);
      else this.unwatch(label);
      const on = { card: () => this.toggle(label), show: () => this.showAgain(label) };
      if (label.write(wanted, origin, tools, on)) this.enter(label);
      else if (!label.stop) this.unorder(label);
    }
    if (this.marks.active) this.marks.write(marked, origin, open?.dark ?? this.groundIsDark());
    if (card && anchor) this.placeCard(anchor, card, view, origin, marked.map(({ box }) => box));
    this.warning.put(origin);
    for (const label of fresh) this.apply(label);
    this.count();
  }

  /** A mark stands beside the badge that its message has for its own sake. */
  private stepAside(label: Label): void {
    const [words] = label.item.elements;
    let slot = 0;
    for (const other of this.labels.values()) {
      const [element] = other.item.elements;
      if (!other.risk && other.near && element && words && this.wanted(other).badge && (words.contains(element) || element.contains(words))) slot = 1;
    }
    if (slot === label.slot) return;
    label.slot = slot;
    label.fresh = true;
  }

  private groundIsDark(): boolean {
    return matchMedia('(prefers-color-scheme: dark)').matches;
  }

  /** Takes a text away, or brings it back, if that is not so yet. */
  private apply(label: Label): void {
    const { action, item, hidden } = label;
    const way = action === 'collapse' || action === 'hide' ? action : null;
    if (hidden && way === hidden.way && hidden.holds(item.elements)) {
      if (hidden.isWhole()) return;
      label.undone += 1;
      if (label.undone >= UNDONE) {
        label.choice = 'show';
        this.decide(label, this.surroundings.settings());
        return;
      }
    }
    if (!hidden && !way) return;
    hidden?.restore();
    label.hidden = way ? new Hidden(way, item.elements) : null;
    label.fresh = true;
    this.mark(label);
  }

  /** Gives a new stop its place among the others, which keys reach in the order of the page. */
  private enter(label: Label): void {
    this.unorder(label);
    const { order } = this;
    let [low, high] = [0, order.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (follows(label, order[middle])) low = middle + 1;
      else high = middle;
    }
    order.splice(low, 0, label);
    const stop = label.stop;
    if (stop) this.stops.insertBefore(stop, order[low + 1]?.stop ?? null);
  }

  private unorder(label: Label): void {
    const place = this.order.indexOf(label);
    if (place >= 0) this.order.splice(place, 1);
  }

  /** The pill, without which nothing may be hidden altogether; and the tally. */
  private count(): void {
    let gone = 0;
    let all = 0;
    for (const { hidden } of this.labels.values()) {
      if (hidden) all += 1;
      if (hidden?.way === 'hide') gone += 1;
    }
    if (all !== this.hiddenBefore) {
      this.hiddenBefore = all;
      this.surroundings.changed();
    }
    if (gone === 0) {
      this.corner?.remove();
      this.corner = null;
      return;
    }
    if (this.corner?.dataset['count'] === String(gone)) return;
    const said = this.say.t('pill', { n: gone });
    const pill = el('button', { type: 'button', class: 'pill' }, el('span', {}, said), el('u', {}, this.say.t('line_show')));
    this.actions.on(pill, () => this.showHidden());
    const language = tag(this.say.language);
    const corner = el('div', { class: 'corner', lang: language, role: 'region', 'aria-label': said, 'data-count': gone }, pill);
    if (this.corner) this.corner.replaceWith(corner);
    else this.host.root.append(corner);
    this.corner = corner;
  }

  private showHidden(): void {
    let first: Label | null = null;
    for (const label of this.labels.values()) {
      if (label.hidden?.way !== 'hide') continue;
      if (!first || follows(first, label)) first = label;
      label.choice = 'show';
      this.decide(label, this.surroundings.settings());
    }
    this.frame();
    first?.item.elements[0]?.scrollIntoView({ block: 'nearest' });
  }

  private showAgain(label: Label): void {
    const focused = this.host.root.activeElement === label.line;
    label.choice = 'show';
    this.decide(label, this.surroundings.settings());
    // The text is back after one frame, and its badge has its place after the next.
    this.frame();
    this.frame();
    if (focused) label.badge?.focus({ preventScroll: true });
  }

  // ---- the card ----

  private cardItem(): Item | null {
    return this.cardMade?.item ?? null;
  }

  private theCard(): Card {
    this.cardMade ??= new Card(this.say, this.surroundings, this.actions, this.marks, {
      close: () => this.close(true),
      hide: (item) => this.hide(item),
      draw: () => this.watch.request(),
      moved: (anew) => {
        this.placing = anew ? 'anew' : this.placing ?? 'within';
        this.watch.request();
      },
      reveal: (item, stretch) => this.bring(item, stretch),
    });
    return this.cardMade;
  }

  private toggle(label: Label): void {
    if (label.risk) {
      for (const { label: one, turn } of this.warned.values()) if (one === label) this.warning.open(turn);
      return;
    }
    const keyed = this.host.root.activeElement === label.badge;
    if (this.cardItem()?.id === label.item.id && this.cardMade?.pinned) this.close(true);
    else this.openCard(label, true, keyed);
  }

  private openCard(label: Label, pinned: boolean, focus: boolean): void {
    clearTimeout(this.timer);
    this.warning.close(false);
    const card = this.theCard();
    const old = this.cardItem();
    if (old && old.id !== label.item.id) this.expanded(old, false);
    if (focus && !old) this.before = this.focusOfPage();
    card.open(label.item, label.verdict, pinned);
    // Put in anew it would lose its focus, and where it is scrolled to.
    if (old?.id !== label.item.id) {
      if (label.stop?.isConnected) label.stop.after(card.element);
      else this.stops.append(card.element);
      this.placing = 'anew';
    }
    this.expanded(label.item, true);
    if (focus) card.element.focus({ preventScroll: true });
    this.frame();
    this.watch.request();
  }

  private focusOfPage(): HTMLElement | SVGElement | null {
    const active = this.host.root.activeElement ?? this.page.activeElement;
    return active instanceof HTMLElement || active instanceof SVGElement ? active : null;
  }

  private close(back: boolean): void {
    clearTimeout(this.timer);
    const card = this.cardMade;
    const item = this.cardItem();
    if (!card || !item) return;
    const focused = card.element.contains(this.host.root.activeElement);
    const label = this.labels.get(item.id);
    this.expanded(item, false);
    card.closed();
    this.cardAt = null;
    const goal = label?.stop ?? this.before;
    if (back && focused && goal?.isConnected) goal.focus({ preventScroll: true });
    this.before = null;
    this.watch.request();
  }

  private expanded(item: Item, open: boolean): void {
    const label = this.labels.get(item.id);
    label?.badge?.setAttribute('aria-expanded', String(open));
    label?.veil?.classList.toggle('lifted', open);
  }

  private hide(item: Item): void {
    const label = this.labels.get(item.id);
    if (!label) return;
    this.close(false);
    label.choice = 'hide';
    label.undone = 0;
    this.decide(label, this.surroundings.settings());
    this.frame();
    this.frame();
    label.line?.focus({ preventScroll: true });
  }

  /** Where the card belongs to, in the window. */
  private anchorOfCard(item: Item, label: Label | undefined, view: Box): Box | null {
    const located = this.cardMade?.located;
    if (located) return lines(item.map, located.span)[0] ?? null;
    if (label?.badge && label.spot) return label.spot;
    if (label?.line && label.area) return label.area;
    const all = union(lines(item.map, { start: 0, end: [...item.map.text].length })) ?? union(item.elements.map(boxOf));
    if (!all) return null;
    const seen = overlap(all, view);
    return seen.height > 0 ? seen : all;
  }

  private placeCard(anchor: Box, size: Box & { whole: number }, view: Box, origin: Box, seen: Box[]): void {
    const card = this.cardMade?.element;
    if (!card) return;
    // Of what is shown on purpose as much as can be is left uncovered.
    const shown = this.cardMade?.shows ? seen : [];
    const room = roomBeside(shown, view);
    if (room !== null && size.whole > room) card.style.setProperty('max-height', `${room}px`);
    else card.style.removeProperty('max-height');
    if (this.placing === 'anew' || !this.cardAt) {
      const height = Math.min(size.height, size.whole, room ?? size.height);
      const at = beside(anchor, { width: size.width, height }, view, shown);
      this.cardAt = { x: at.x - anchor.x, y: at.y - anchor.y };
    } else if (this.placing === 'within') {
      const at = into(view, { ...size, x: anchor.x + this.cardAt.x, y: anchor.y + this.cardAt.y });
      this.cardAt = { x: at.x - anchor.x, y: at.y - anchor.y };
    }
    this.placing = null;
    move(card, anchor.x + this.cardAt.x - origin.x, anchor.y + this.cardAt.y - origin.y);
  }

  private bring(item: Item, { span }: Stretch): boolean {
    const [first] = lines(item.map, span);
    if (!first) return false;
    const { clientHeight: height } = this.page.documentElement;
    const away = (box: Box) => box.y < 0 || bottom(box) > height;
    if (!away(first)) return true;
    const start = item.map.range(span)?.startContainer;
    const element = start instanceof Element ? start : start?.parentElement;
    element?.scrollIntoView({ block: 'nearest' });
    const now = lines(item.map, span)[0];
    // A paragraph may be higher than the window.
    if (now && away(now)) window.scrollBy({ top: now.y - height / 3 });
    return true;
  }

  // ---- what the user does ----

  attentive(): boolean {
    return this.order.length > 0 || this.veils.childElementCount > 0 || this.cardItem() !== null || this.warning.isShown;
  }

  private isBusy(): boolean {
    return this.labels.size > 0 || this.cardItem() !== null || this.warning.isShown;
  }

  hit(at: Point, touch: boolean): (() => void) | null {
    // The banner lies over everything but cards.
    if (this.warning.holds(at)) return () => this.warning.toggle();
    const label = this.badgeAt(at, touch ? TOUCH_SLACK : SLACK);
    return label && (() => this.toggle(label));
  }

  /** The badge at a point of the window, by the place that it has now. */
  private badgeAt(at: Point, slack: number): Label | null {
    const labels = this.order.filter((label) => label.badge && label.spot && label.near && !label.out);
    return labels.find(({ spot }) => spot && holds(spot, at)) ?? labels.find(({ spot }) => spot && holds(spot, at, slack)) ?? null;
  }

  hover(at: Point, inner: Element | null): void {
    const card = this.cardMade;
    const onCard = card !== null && inner !== null && card.element.contains(inner);
    if (onCard) card.look(inner);
    else if (card?.item && !card.element.contains(this.host.root.activeElement)) card.look(null);
    this.warning.hover(at);
    const label = onCard || this.warning.holds(at) ? null : this.badgeAt(at, SLACK);
    if (label !== this.hovered) {
      this.hovered?.badge?.classList.remove('hot');
      this.hovered = label;
      clearTimeout(this.timer);
      if (label && !label.risk && !this.warning.isOpen && this.cardItem()?.id !== label.item.id && !card?.pinned) {
        this.timer = window.setTimeout(() => this.openCard(label, false, false), DWELL_MS);
      }
    }
    label?.badge?.classList.add('hot');
    const stays = onCard || (label !== null && label.item.id === this.cardItem()?.id);
    if (stays || !card?.item || card.pinned) this.leaving = clear(this.leaving);
    else this.leaving ||= window.setTimeout(() => this.left(), GRACE_MS);
    if (this.veils.childElementCount === 0) return;
    for (const one of this.labels.values()) this.lift(one, one.area !== null && holds(one.area, at));
  }

  private left(): void {
    this.leaving = 0;
    if (this.cardMade && !this.cardMade.pinned) this.close(false);
  }

  /** A dimmed text is clear while it is looked into. */
  private lift(label: Label, over: boolean): void {
    if (!label.veil) return;
    const focused = label.item.elements.some((element) => element.contains(this.page.activeElement));
    label.veil.classList.toggle('lifted', over || focused || this.cardItem()?.id === label.item.id);
  }

  outside(): void {
    this.close(false);
    this.warning.close(false);
  }

  escape(): boolean {
    if (this.warning.close(true)) return true;
    if (!this.cardItem()) return false;
    this.close(true);
    return true;
  }

  focus(inner: Element | null, outer: EventTarget | null): void {
    if (this.cardMade?.item && inner) this.cardMade.look(this.cardMade.element.contains(inner) ? inner : null);
    for (const label of this.labels.values()) {
      if (label.veil) this.lift(label, outer instanceof Node && label.item.elements.some((element) => element.contains(outer)));
      // A badge that keys have reached may be where its text was long ago.
      if (inner !== null && label.stop === inner && !label.near) {
        label.item.elements[0]?.scrollIntoView({ block: 'nearest' });
        label.fresh = true;
        this.mark(label);
      }
    }
  }
}

function clear(timer: number): number {
  clearTimeout(timer);
  return 0;
}

/** Whether a text comes after another in the page. */
function follows(label: Label, other: Label | undefined): boolean {
  const [here, there] = [label.item.elements[0], other?.item.elements[0]];
  if (!here || !there) return false;
  return (there.compareDocumentPosition(here) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
}
