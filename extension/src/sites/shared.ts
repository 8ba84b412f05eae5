// What the adapters have in common. Nothing here throws, and layout is read only where the structure says nothing.

import type { Turn } from './types.js';

/** A message as its row tells of it. */
export interface Draft {
  element: Element;
  text: Element | null;
  side: Turn['side'];
  name: string | null;
  /** What stands inside `text` without being its words. */
  except?: string;
  id?: string | null;
  at?: number | null;
  /** Perhaps no message at all but a notice; only a place on one side shows that it is one. */
  weak?: boolean;
}

/** What most sites write answers in. */
export const COMPOSER = '[role="textbox"][contenteditable="true"]';
const FIELD = 'textarea, input, [contenteditable]:not([contenteditable="false"])';
const APART = `header, footer, nav, button, [role="button"], [role="banner"], [role="navigation"], style, script, ${FIELD}`;
/** How far from the middle a bubble must be, as a share of the width, to tell a side; notices stand in the middle. */
const OFF_CENTRE = 0.06;
/** So many pieces of text does a conversation have at the least; an empty one has its notices only. */
const PIECES = 6;

/** Also for nodes of another frame, which are no instances of this one's classes. */
export function isElement(node: Node | ParentNode): node is Element {
  return (node as Node).nodeType === Node.ELEMENT_NODE;
}

/** What fits under `root`, and what `root` is part of: rows are often filled only after they were added. */
export function rows(root: ParentNode, selector: string): Element[] {
  const found = [...root.querySelectorAll(selector)];
  let around = isElement(root) ? root.closest(selector) : null;
  for (; around; around = around.parentElement?.closest(selector) ?? null) found.unshift(around);
  return found;
}

/** The first element for the first selector that has one outside of `not`; robust selectors come first. */
export function first(from: ParentNode, selectors: string[], not?: string): Element | null {
  for (const selector of selectors) {
    for (const element of from.querySelectorAll(selector)) {
      if (!not || !inside(element, not, from)) return element;
    }
  }
  return null;
}

/** Whether `element` is, or is inside, something that fits and stands under `top`. */
export function inside(element: Element, selector: string, top: ParentNode): boolean {
  const around = element.closest(selector);
  return around !== null && around !== top && top.contains(around);
}

/** Text in one line; null for none. */
export function line(element: Element | null | undefined): string | null {
  const text = (element?.textContent ?? '').replace(/\s+/gu, ' ').trim();
  return text && text.length <= 80 ? text : null;
}

export function pageOf(root: ParentNode): Document {
  return root.ownerDocument ?? (root as Document);
}

/** The address of the page; null if it is shown nowhere. */
export function address(root: ParentNode): URL | null {
  const href = pageOf(root).defaultView?.location.href;
  return href && URL.canParse(href) ? new URL(href) : null;
}

/** The part of the path that names the conversation, if the address has one. */
export function inPath(root: ParentNode, pattern: RegExp): string | null {
  return pattern.exec(address(root)?.pathname ?? '')?.[1] ?? null;
}

/** Where messages should be: there is a field to answer in, and much more text than an empty conversation has. */
export function talked(root: ParentNode, areas: string[], composer?: string): boolean {
  const page = pageOf(root);
  if (composer && !page.querySelector(composer)) return false;
  const area = first(page, areas) ?? page.body;
  if (!area) return false;
  let pieces = 0;
  const walker = page.createTreeWalker(area, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, (node) => {
    if (isElement(node)) return node.matches(APART) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_SKIP;
    return node.nodeValue?.trim() ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP;
  });
  while (pieces < PIECES && walker.nextNode()) pieces += 1;
  return pieces >= PIECES;
}

/**
 * Turns out of drafts: those with words, once each, none from a field. Sides that the structure leaves open are read off
 * the place in the nearest `lane`. Where a list may be drawn from its end upwards (`inverted`), the place gives the order.
 */
export function finish(drafts: Iterable<Draft | null>, lane?: string, inverted = false): Turn[] {
  const turns: Turn[] = [];
  const weak = new Set<Turn>();
  const texts = new Set<Element>();
  for (const draft of drafts) {
    if (!draft?.text || texts.has(draft.text)) continue;
    const { element, text, side, name } = draft;
    if (text.closest(FIELD) || text.querySelector(FIELD)) continue;
    const except = draft.except ? [...text.querySelectorAll(draft.except)] : [];
    if (!speaks(text, except)) continue;
    texts.add(text);
    const turn: Turn = { element, text, except, side, name, id: draft.id || null, at: draft.at ?? null };
    turns.push(turn);
    if (draft.weak) weak.add(turn);
  }
  if (lane) byPlace(turns, lane);
  const sure = turns.filter((turn) => !weak.has(turn) || turn.side !== 'unknown');
  return inverted ? inTime(sure) : sure;
}

/** Whether there is a letter, or an emoji that is drawn as a picture. */
function speaks(text: Element, except: Element[]): boolean {
  const walker = text.ownerDocument.createTreeWalker(text, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, (node) => {
    if (!isElement(node)) return node.nodeValue?.trim() ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP;
    if (except.includes(node) || node.matches('script, style')) return NodeFilter.FILTER_REJECT;
    const drawn = node.localName === 'img' && /\p{Extended_Pictographic}|^:[\w~-]+:$/u.test(node.getAttribute('alt') ?? '');
    return drawn ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP;
  });
  return walker.nextNode() !== null;
}

/** Own messages stand at the end of the line, others' at its beginning. All boxes are read before anything is decided. */
function byPlace(turns: Turn[], selector: string): void {
  const open = turns.filter((turn) => turn.side === 'unknown');
  const lanes = new Map<Element, { box: DOMRect; mirrored: boolean }>();
  const places = open.map((turn) => {
    const element = turn.element.closest(selector);
    if (!element) return null;
    let lane = lanes.get(element);
    if (!lane) {
      const style = element.ownerDocument.defaultView?.getComputedStyle(element);
      lane = { box: element.getBoundingClientRect(), mirrored: style?.direction === 'rtl' };
      lanes.set(element, lane);
    }
    return { lane, box: turn.text.getBoundingClientRect() };
  });
  open.forEach((turn, at) => {
    const place = places[at];
    if (!place || place.box.width === 0 || place.lane.box.width === 0) return;
    const { lane, box } = place;
    const offset = (box.left - lane.box.left - (lane.box.right - box.right)) / lane.box.width;
    if (Math.abs(offset) < OFF_CENTRE) return;
    turn.side = (offset > 0) === lane.mirrored ? 'them' : 'me';
  });
}

/** The newest message may come first in the document; two boxes tell, and only then all are read. */
function inTime(turns: Turn[]): Turn[] {
  const [one, last] = [turns[0], turns.at(-1)];
  if (!one || !last || one === last) return turns;
  if (last.element.getBoundingClientRect().top >= one.element.getBoundingClientRect().top) return turns;
  const tops = new Map(turns.map((turn) => [turn, turn.element.getBoundingClientRect().top]));
  return turns.sort((a, b) => (tops.get(a) ?? 0) - (tops.get(b) ?? 0));
}

/** A group shows its sender once: what an earlier row of the same list says, unless someone else has begun there. */
export function before<Found>(row: Element, look: (earlier: Element) => Found | null): Found | null {
  let at: Element | null = row;
  for (let steps = 0; at && steps < 60; steps += 1, at = at.previousElementSibling) {
    const found = look(at);
    if (found !== null) return found;
  }
  return null;
}

/** Seconds since 1970 as a site writes them, in milliseconds; null for none, or for what is no time in this century. */
export function seconds(written: string | null | undefined): number | null {
  const at = Math.round(Number(written || Number.NaN) * 1000);
  return at > 946_684_800_000 && at < 4_102_444_800_000 ? at : null;
}

/** How sites call the reader, by the language of the page. */
const YOU: Record<string, string[]> = {
  ar: ['أنت'], de: ['Du', 'Sie', 'Ich'], en: ['You'], es: ['Tú', 'Tu', 'Usted'], fr: ['Vous', 'Toi', 'Moi'],
  he: ['את/ה', 'אתה', 'את'], hi: ['आप'], id: ['Anda', 'Kamu'], it: ['Tu'], ja: ['あなた', '自分'], ko: ['나', '회원님'],
  nl: ['Jij', 'Je', 'Jou', 'U'], pl: ['Ty'], pt: ['Você', 'Tu'], ru: ['Вы', 'Ты'], th: ['คุณ'], tr: ['Sen', 'Siz'],
  uk: ['Ви', 'Ти'], vi: ['Bạn'], zh: ['你', '您', '我'],
};

/** Whether this is the site's word for the reader; a trailing colon is the label's. */
export function isReader(name: string, root: ParentNode): boolean {
  const language = pageOf(root).documentElement?.lang.split(/[-_]/u)[0]?.toLowerCase() ?? '';
  const bare = name.replace(/\s*[:：]\s*$/u, '').trim();
  return [...(YOU[language] ?? []), 'You'].includes(bare);
}
