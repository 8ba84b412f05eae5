// What the user has selected, as a block: only where it is the page's text, never what somebody is writing.

import english from '../_locales/en/selection.json';
import chinese from '../_locales/zh_CN/selection.json';
import { language, Translator } from '../i18n.js';
import type { Settings } from '../protocol.js';
import { isShown, keepsLines } from './find/read.js';
import { isBlock, isEditor, parentOf, roleOf, SECRET_FIELDS } from './find/roles.js';
import { textOf, type NodeMap, type Paragraph, type Part } from './textmap.js';

/** Longer selections are cut. */
const MOST_CHARACTERS = 60_000;

export interface Selected { map: NodeMap; elements: Element[] }

interface Composed { getComposedRanges?(options: { shadowRoots: ShadowRoot[] }): StaticRange[] }

/** The selection of a frame. Fails with a sentence. */
export function selected(document: Document, roots: Iterable<ShadowRoot>, settings: Settings): Selected {
  const translator = new Translator(language(settings.language, navigator.language), { en: english, zh_CN: chinese });
  const range = rangeOf(document, [...roots]);
  if (!range) {
    const active = document.activeElement;
    const isField = active !== null && (active.matches('input, textarea, select') || isEditor(active));
    throw new Error(translator.t(isField ? 'field' : 'nothing'));
  }
  const around = range.commonAncestorContainer;
  for (let element = around instanceof Element ? around : parentOf(around); element; element = parentOf(element)) {
    if (isEditor(element) || element.matches('input, textarea, select')
      || (element.localName === 'form' && element.querySelector(SECRET_FIELDS))) throw new Error(translator.t('field'));
  }
  const { paragraphs, elements } = paragraphsOf(range);
  const map = textOf(paragraphs, keepsLines);
  if (map.text === '') throw new Error(translator.t('nothing'));
  return { map, elements };
}

function rangeOf(document: Document, roots: ShadowRoot[]): Range | null {
  const selection = document.getSelection();
  if (!selection) return null;
  const composed = (selection as Composed).getComposedRanges?.({ shadowRoots: roots })[0];
  if (composed && !composed.collapsed && composed.startContainer.getRootNode() instanceof ShadowRoot) {
    const range = document.createRange();
    range.setStart(composed.startContainer, composed.startOffset);
    range.setEnd(composed.endContainer, composed.endOffset);
    return range.collapsed ? null : range;
  }
  if (selection.isCollapsed || selection.rangeCount === 0) return null;
  return selection.getRangeAt(0);
}

/** The texts of a range, parted where a block begins or ends. */
function paragraphsOf(range: Range): { paragraphs: Paragraph[]; elements: Element[] } {
  const paragraphs: (Part | null)[][] = [];
  const elements: Element[] = [];
  let open: (Part | null)[] = [];
  let block: Element | null = null;
  let room = MOST_CHARACTERS;
  const seen = new Map<Element, boolean>();
  const document = range.startContainer.ownerDocument ?? globalThis.document;
  const walker = document.createTreeWalker(range.commonAncestorContainer, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT, (node) => {
    if (!range.intersectsNode(node)) return NodeFilter.FILTER_REJECT;
    if (!(node instanceof Element)) return NodeFilter.FILTER_ACCEPT;
    const isCode = node.localName === 'pre' || node.localName === 'button';
    return (roleOf(node.localName) === 'hidden' && !isCode) || isEditor(node) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT;
  });
  // A range within one text has that as its root, which a walker does not tell again.
  for (let node: Node | null = walker.root; node && room > 0; node = walker.nextNode()) {
    if (node instanceof Element && node.localName === 'br') open.push(null);
    if (!(node instanceof Text)) continue;
    const from = node === range.startContainer ? range.startOffset : 0;
    const to = Math.min(node === range.endContainer ? range.endOffset : node.data.length, from + room);
    if (to <= from || !isShown(node, seen)) continue;
    let around = parentOf(node);
    while (around && !isBlock(around.localName)) around = parentOf(around);
    if (around !== block) {
      if (open.length > 0) paragraphs.push(open);
      open = [];
      block = around;
    }
    if (/\S/.test(node.data.slice(from, to)) && around && !elements.includes(around)) elements.push(around);
    open.push({ node, from, to });
    room -= to - from;
  }
  paragraphs.push(open);
  return { paragraphs, elements };
}
