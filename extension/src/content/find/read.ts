// Reads the text of a block, once it matters: only then is it asked what style sheets say.

import { NodeMap, textOf, type Paragraph } from '../textmap.js';
import type { Entry } from './claims.js';
import { parentOf } from './roles.js';

/** A text that is longer is no prose, and no message to the background can hold it. */
const MOST_CHARACTERS = 60_000;

interface Visible { checkVisibility?(options: { visibilityProperty: boolean; contentVisibilityAuto: boolean }): boolean }

/** The text of a block as it is shown; nothing if it is not. */
export function readEntry(entry: Entry): NodeMap | null {
  const seen = new Map<Element, boolean>();
  const paragraphs = entry.draft.pieces.map(({ parts }): Paragraph => parts.filter((part) => part === null || isShown(part.node, seen)));
  const map = textOf(paragraphs, keepsLines);
  return map.text.length > 0 && map.text.length <= MOST_CHARACTERS ? map : null;
}

/** Whether a text is shown; `seen` keeps what is known of the elements around texts. */
export function isShown(node: Text, seen: Map<Element, boolean>): boolean {
  const parent = parentOf(node);
  if (!parent || !node.isConnected) return false;
  let shown = seen.get(parent);
  if (shown === undefined) {
    // What is only not painted yet, because it is far away, is shown.
    shown = (parent as Visible).checkVisibility?.({ visibilityProperty: true, contentVisibilityAuto: false }) ?? true;
    seen.set(parent, shown);
  }
  return shown;
}

/** Whether line feeds in a text are shown as such, as in most messages. */
export function keepsLines(node: Text): boolean {
  const parent = parentOf(node);
  const style = parent?.ownerDocument.defaultView?.getComputedStyle(parent);
  return style !== undefined && style.whiteSpace !== 'normal' && style.whiteSpace !== 'nowrap';
}
