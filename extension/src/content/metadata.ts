// What the head of a page says, within bounds: a page can say anything at any length.

import type { Metadata } from '../protocol.js';

const MOST_META = 200;
const LONGEST_META = 2000;
const MOST_JSON = 8;
const LONGEST_JSON = 64_000;

export function metadataOf(document: Document): Metadata {
  const metadata: Metadata = { meta: [], json_ld: [] };
  for (const element of document.getElementsByTagName('meta')) {
    if (metadata.meta.length >= MOST_META) break;
    // Not `itemprop`, which may be about any picture on the page.
    const name = element.getAttribute('name') ?? element.getAttribute('property');
    const content = element.getAttribute('content');
    if (name !== null && content !== null && name.length + content.length <= LONGEST_META) metadata.meta.push([name, content]);
  }
  let room = LONGEST_JSON;
  for (const script of document.querySelectorAll('script[type="application/ld+json" i]')) {
    const json = script.textContent ?? '';
    if (metadata.json_ld.length >= MOST_JSON) break;
    if (json.length > room) continue;
    room -= json.length;
    metadata.json_ld.push(json);
  }
  return metadata;
}
