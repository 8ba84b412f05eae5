// The words of a message as the scam engine reads them: as they stand, with whatever was put between them to evade a filter.

import { isBlock } from '../find/roles.js';
import { firstOf, nameOf, nextOf } from '../nodes.js';

/** A longer message tells no more, and no message to the background holds it. */
const MOST_UNITS = 8_000;
const SILENT = new Set(['script', 'style', 'noscript', 'template', 'textarea', 'input', 'select', 'svg']);

/** What stands in `text`, without the elements in `except`; an emoji that is drawn as a picture is itself again. */
export function wordsOf(text: Element, except: readonly Element[]): string {
  const skipped = new Set(except);
  let said = '';
  const walk = (node: Node): void => {
    if (said.length > MOST_UNITS) return;
    if (node.nodeType === Node.TEXT_NODE) {
      said += node.nodeValue ?? '';
      return;
    }
    if (node.nodeType !== Node.ELEMENT_NODE || skipped.has(node as Element)) return;
    const name = nameOf(node as Element);
    if (SILENT.has(name)) return;
    if (name === 'br') said += '\n';
    if (name === 'img') said += (node as Element).getAttribute('alt') ?? '';
    const apart = node !== text && isBlock(name) && said !== '' && !said.endsWith('\n');
    if (apart) said += '\n';
    for (let child = firstOf(node); child; child = nextOf(child)) walk(child);
    if (apart) said += '\n';
  };
  walk(text);
  const cut = said.length > MOST_UNITS ? said.slice(0, MOST_UNITS) : said;
  return cut.toWellFormed().trim();
}
