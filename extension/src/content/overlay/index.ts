// Everything that is drawn in a page.

import type { Overlay, Surroundings } from '../types.js';
import { PageOverlay } from './overlay.js';
import type { Say } from './texts.js';

export type { Say } from './texts.js';

/** Begins labelling: the host element stands in the page from now on. */
export function createOverlay(document: Document, surroundings: Surroundings, translator: Say): Overlay {
  return new PageOverlay(document, surroundings, translator, 'closed');
}
