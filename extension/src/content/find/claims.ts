// Blocks that were found, and which nodes of the page are theirs.

import type { Turn } from '../../sites/types.js';
import type { NodeMap } from '../textmap.js';
import type { Item } from '../types.js';
import type { Owner, Piece } from './group.js';
import { isBlock, parentOf } from './roles.js';
import type { Draft } from './scan.js';

/** A block from the moment it is found; its text is read once it is near the viewport. */
export interface Entry {
  draft: Draft;
  turn?: Turn;
  item: Item | null;
  /** Its text, once it has been read. */
  map: NodeMap | null;
  /** Its elements that are near the viewport, whether there are any, and how far from the viewport in pixels. */
  seen: Set<Element>;
  near: boolean;
  distance: number;
  alive: boolean;
}

export class Claims {
  readonly all = new Set<Entry>();
  private readonly texts = new WeakMap<Text, Entry>();
  private readonly owners = new WeakMap<Element, Set<Entry>>();
  private readonly frames = new WeakMap<Element, Set<Entry>>();

  add(entry: Entry): void {
    this.all.add(entry);
    for (const node of textsOf(entry)) this.texts.set(node, entry);
    for (const { element } of ownersOf(entry)) put(this.owners, element, entry);
    if (entry.draft.frame) put(this.frames, entry.draft.frame, entry);
  }

  remove(entry: Entry): void {
    entry.alive = false;
    this.all.delete(entry);
    for (const node of textsOf(entry)) {
      if (this.texts.get(node) === entry) this.texts.delete(node);
    }
    for (const { element } of ownersOf(entry)) this.owners.get(element)?.delete(entry);
    if (entry.draft.frame) this.frames.get(entry.draft.frame)?.delete(entry);
  }

  ofText(node: Text): Entry | undefined {
    return this.texts.get(node);
  }

  /** The blocks whose text stands right in an element. */
  ofOwner(element: Element): Entry[] {
    return [...this.owners.get(element) ?? []];
  }

  /** The blocks that are a post or comment, or parts of it. */
  ofFrame(element: Element): Entry[] {
    return [...this.frames.get(element) ?? []];
  }
}

function put(map: WeakMap<Element, Set<Entry>>, element: Element, entry: Entry): void {
  const entries = map.get(element);
  if (entries) entries.add(entry);
  else map.set(element, new Set([entry]));
}

export function* textsOf({ draft }: Entry): Generator<Text> {
  for (const { parts } of draft.pieces) {
    for (const part of parts) if (part) yield part.node;
  }
}

export function ownersOf({ draft }: Entry): Owner[] {
  return [...new Set(draft.pieces.flatMap(({ owners }) => owners))];
}

/** The elements that hold the text of a block, and whether they hold other text too. */
export function elementsOf(entry: Entry, map: NodeMap): { elements: Element[]; loose: boolean } {
  const pieces = entry.draft.pieces;
  const isRead = ({ parts }: Piece) => parts.some((part) => part !== null && map.holds(part.node));
  const owners = [...new Set(pieces.filter(isRead).flatMap((piece) => piece.owners))];
  const elements: Element[] = [];
  let loose = false;
  for (const owner of owners) {
    const here = pieces.filter((piece) => piece.owners.some(({ element }) => owner.element.contains(element)));
    const count = here.reduce((sum, piece) => sum + piece.owners.filter(({ element }) => owner.element.contains(element)).length, 0);
    if (count >= owner.total) elements.push(owner.element);
    else loose = true;
  }
  if (loose) {
    // Text that stands right beside other blocks: at least the elements in its lines are its own.
    const own = new Set<Element>();
    let isComplete = true;
    for (const node of textsOf(entry)) {
      const parent = map.holds(node) ? parentOf(node) : null;
      if (parent && isBlock(parent.localName)) {
        if (!elements.some((element) => element.contains(parent)) && /\S/.test(node.data)) isComplete = false;
      } else if (parent && !elements.some((element) => element.contains(parent))) {
        own.add(parent);
      }
    }
    elements.push(...own);
    loose = !isComplete;
    if (loose) return { elements: owners.map(({ element }) => element), loose };
  }
  // The outermost are enough.
  const outer = elements.filter((one) => !elements.some((other) => other !== one && other.contains(one)));
  return { elements: outer, loose };
}
