// The card of a text: a small window beside it that is not modal. It is built when it is first opened.

import type { Note, Verdict } from '../../protocol.js';
import type { Item, Surroundings } from '../types.js';
import { Actions, el } from './actions.js';
import { glyph } from './glyphs.js';
import type { Marks, Stretch } from './marks.js';
import { gauge, hasHeat, head, heat, legend, numbers, reasons, signature } from './report.js';
import type { Say } from './texts.js';

export interface CardHooks {
  close(): void;
  hide(item: Item): void;
  /** Marks in the text are to be drawn. */
  draw(): void;
  /** Its size is another now; `anew`: its place too. */
  moved(anew: boolean): void;
  /** Brings a stretch before the reader's eyes; false if the page has lost it. */
  reveal(item: Item, stretch: Stretch): boolean;
}

export class Card {
  readonly element: HTMLElement;
  /** Stays when the pointer leaves. */
  pinned = false;
  item: Item | null = null;
  /** A stretch that was asked for; the card then stands beside that. */
  located: Stretch | null = null;
  private verdict: Verdict | null = null;
  private shown: unknown[] = [];
  private places = new Map<Element, Stretch>();
  private looked: Stretch | null = null;
  private heated = false;
  private asking = false;
  private readonly status: HTMLElement;

  constructor(
    private readonly say: Say, private readonly surroundings: Surroundings, private readonly actions: Actions,
    private readonly marks: Marks, private readonly hooks: CardHooks,
  ) {
    this.element = el('div', { class: 'card', role: 'dialog', 'aria-labelledby': 'title', tabindex: -1 });
    this.status = el('p', { class: 'muted small note', role: 'status' });
    new ResizeObserver(() => this.hooks.moved(false)).observe(this.element);
  }

  /** Whether something in the page is shown that the user has asked for, and not only pointed at. */
  get shows(): boolean {
    return this.located !== null || this.heated;
  }

  open(item: Item, verdict: Verdict | null, pinned: boolean): void {
    const other = this.item?.id !== item.id;
    this.pinned = pinned || (this.pinned && !other);
    if (other) {
      this.heated = this.asking = false;
      this.located = this.looked = null;
      this.shown = [];
      this.element.scrollTop = 0;
    }
    this.update(item, verdict);
  }

  /** Shows what is known by now. A note that is being written is not taken away. */
  update(item: Item, verdict: Verdict | null): void {
    this.item = item;
    this.verdict = verdict;
    const { surroundings } = this;
    const shown = [item.id, item.state, item.report, item.signed, verdict, surroundings.daemon().state, surroundings.judged()];
    if (this.asking || shown.every((one, place) => one === this.shown[place])) return;
    this.shown = shown;
    this.render(item);
  }

  closed(): void {
    this.item = this.located = this.looked = null;
    this.pinned = this.heated = this.asking = false;
    this.shown = [];
    this.marks.clear();
    this.element.remove();
  }

  /** Something in the card is pointed at or has the focus: its stretch is marked. */
  look(at: Element | null): void {
    let found: Stretch | null = null;
    for (let one = at; one && !found; one = one.parentElement) found = this.places.get(one) ?? null;
    if (found === this.looked) return;
    this.looked = found;
    this.mark();
  }

  private mark(): void {
    const { item, verdict } = this;
    if (!item) return;
    const stretch = this.looked ?? this.located;
    if (stretch) this.marks.show(item, [stretch]);
    else if (this.heated && item.report) this.marks.show(item, heat(item.report, verdict));
    else this.marks.clear();
    this.hooks.draw();
  }

  private render(item: Item): void {
    const { say, actions, surroundings, verdict } = this;
    const { report } = item;
    const close = actions.button('', 'close', () => this.hooks.close(), { 'aria-label': say.t('close') });
    close.append(glyph('close'));
    const scored = report && item.state === 'scored' ? report : null;
    const [list, places] = report ? reasons(report, say, actions, (stretch) => this.locate(item, stretch)) : [null];
    this.places = places ?? new Map();
    this.status.textContent = '';
    const parts = [
      head(item, verdict, surroundings, say, close),
      scored && gauge(scored, verdict, say),
      item.signed && signature(item.signed, say),
      list, scored && hasHeat(scored) ? this.heatSwitch() : null,
      numbers(item, surroundings.judged(), say),
      this.foot(item), this.status,
    ];
    const focused = this.element.contains(this.focusInside());
    this.element.replaceChildren(...parts.filter((one) => one !== null && one !== undefined));
    if (focused) this.element.focus({ preventScroll: true });
    this.mark();
  }

  private focusInside(): Element | null {
    const root = this.element.getRootNode();
    return root instanceof ShadowRoot ? root.activeElement : null;
  }

  private locate(item: Item, stretch: Stretch): void {
    this.pinned = true;
    const found = this.hooks.reveal(item, stretch);
    this.status.textContent = found ? '' : this.say.t('not_found');
    if (!found) return;
    this.located = stretch;
    this.mark();
    this.hooks.moved(true);
  }

  private heatSwitch(): HTMLElement {
    const { say, actions } = this;
    const explained = legend(say);
    const toggle = actions.button(say.t('heat'), 'quiet', () => {
      this.heated = !this.heated;
      this.located = null;
      show();
      this.mark();
      this.hooks.moved(true);
    });
    const show = () => {
      toggle.setAttribute('aria-pressed', String(this.heated));
      explained.hidden = !this.heated;
    };
    show();
    return el('section', {}, toggle, explained);
  }

  private foot(item: Item): HTMLElement {
    const { say, actions } = this;
    const section = el('section', {});
    const row = el('div', { class: 'foot-row' });
    if (item.report) row.append(actions.button(say.t('wrong'), 'quiet', () => {
      const form = this.wrong(item, () => section.replaceChildren(row));
      section.replaceChildren(form);
      form.querySelector('button')?.focus();
    }));
    // A selection is not a part of the page that could be hidden by itself.
    if (item.kind !== 'selection' && !item.loose) row.append(actions.button(say.t('hide'), 'quiet', () => this.hooks.hide(item)));
    section.append(row);
    section.hidden = row.childElementCount === 0;
    return section;
  }

  /** Asks what a text really was. */
  private wrong(item: Item, back: () => void): HTMLElement {
    const { say, actions } = this;
    this.asking = true;
    this.pinned = true;
    this.status.textContent = '';
    let said: Note['said'] | null = null;
    const comment = el('textarea', { maxlength: 1000 });
    const done = () => {
      this.asking = false;
      back();
      this.element.focus({ preventScroll: true });
      // What has become known meanwhile is shown now.
      if (this.item) this.update(this.item, this.verdict);
    };
    const keep = actions.button(say.t('wrong_keep'), 'primary', () => {
      if (!said || keep.disabled) return;
      keep.disabled = true;
      this.surroundings.note(item, said, comment.value.trim()).then(() => {
        if (this.item !== item && this.item?.id !== item.id) return;
        done();
        this.status.textContent = say.t('wrong_thanks');
      }, () => {
        keep.disabled = false;
        this.status.textContent = say.t('wrong_failed');
      });
    });
    keep.disabled = true;
    const choices = (['human', 'ai', 'other'] as const).map((one) => {
      const choice = actions.button(say.t(`wrong_${one}`), 'quiet', () => {
        said = one;
        keep.disabled = false;
        for (const other of choices) other.setAttribute('aria-pressed', String(other === choice));
      }, { 'aria-pressed': 'false' });
      return choice;
    });
    return el('div', { class: 'wrong' }, el('h3', { id: 'wrong' }, say.t('wrong_title')),
      el('div', { class: 'foot-row', role: 'group', 'aria-labelledby': 'wrong' }, ...choices),
      el('label', {}, say.t('wrong_comment'), comment), el('p', { class: 'muted small' }, say.t('wrong_note')),
      el('div', { class: 'foot-row' }, keep, actions.button(say.t('cancel'), 'quiet', done)));
  }
}
