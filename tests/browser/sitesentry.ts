// The adapters for messaging sites, for pages that have nothing else of the extension.

import { adapterFor, adapters } from '../../extension/src/sites/index.js';
import { generic } from '../../extension/src/sites/generic.js';
import type { Turn } from '../../extension/src/sites/types.js';

/** The words of a message, as the test pages have them. */
function words({ text, except }: Turn): string {
  const say = (node: Node): string => {
    if (except.includes(node as Element)) return '';
    if (node instanceof Text) return node.data;
    return node instanceof HTMLImageElement ? node.alt : [...node.childNodes].map(say).join('');
  };
  return say(text).replaceAll(':potato:', '🥔').replace(/\s+/gu, ' ').trim();
}

Object.assign(globalThis, { sites: { adapterFor, adapters, generic, words } });
