// The one element in the page that everything is drawn in. It stands there from the beginning whatever is found, so
// its presence tells the page nothing of results; its root is closed, and it has no attribute.

import { STYLE } from './style.js';

/** How often the element is put back if the page takes it away; then it stays away. */
const RESTORED = 3;

export interface Host {
  readonly element: HTMLElement;
  readonly root: ShadowRoot;
  /** What lies over the page and moves with it. Its corner is the origin of all places. */
  readonly layer: HTMLElement;
  remove(): void;
}

export function createHost(page: Document, mode: ShadowRootMode, label: string, language: string): Host {
  const element = page.createElement('div');
  const root = element.attachShadow({ mode });
  style(page, root);
  const layer = page.createElement('div');
  layer.className = 'layer';
  for (const [name, value] of [['role', 'region'], ['aria-label', label], ['lang', language], ['dir', 'ltr']] as const) {
    layer.setAttribute(name, value);
  }
  root.append(layer);
  page.documentElement.append(element);

  let restored = 0;
  // Two nodes' children only, none of which change on a page that is being read.
  const watcher = new MutationObserver(() => {
    if (element.isConnected || restored >= RESTORED || !page.documentElement) return;
    restored += 1;
    page.documentElement.append(element);
    watch();
  });
  const watch = () => {
    watcher.disconnect();
    watcher.observe(page, { childList: true });
    watcher.observe(page.documentElement, { childList: true });
  };
  watch();
  return {
    element, root, layer,
    remove() {
      watcher.disconnect();
      element.remove();
    },
  };
}

/** A constructed sheet, which no policy of the page can forbid. Firefox lets no content script adopt one. */
function style(page: Document, root: ShadowRoot): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
  } catch {
    const sheet = page.createElement('style');
    sheet.textContent = STYLE;
    root.append(sheet);
  }
}
