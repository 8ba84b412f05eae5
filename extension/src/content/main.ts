// The content script of a frame: finds text, has it judged, and shows what is known. Nothing of it can be seen by the page.

import english from '../_locales/en/content.json';
import chinese from '../_locales/zh_CN/content.json';
import { language, Translator } from '../i18n.js';
import { ask } from '../messages.js';
import type { Answer } from '../protocol.js';
import { Frame, type Order } from './frame.js';
import { createOverlay } from './overlay/index.js';

/** A script may be put into a frame twice; the second one finds the first in the world that both share. */
const RUNS = Symbol.for('bonafide');

interface World { [RUNS]?: { frame: Frame; isAlive(): boolean } }

function start(): Promise<void> {
  const world = globalThis as World;
  const running = world[RUNS];
  if (running?.isAlive()) return running.frame.start();
  running?.frame.stop();
  const isAlive = () => chrome.runtime?.id !== undefined;
  const frame = new Frame(document, {
    ask, isAlive,
    overlay: (page, surroundings, settings) => createOverlay(
      page, surroundings, new Translator(language(settings.language, navigator.language), { en: english, zh_CN: chinese }),
    ),
  });
  world[RUNS] = { frame, isAlive };
  chrome.runtime.onMessage.addListener((order: Order, sender, answer: (answer: Answer<null>) => void) => {
    // Only the extension itself gives orders; a selection concerns the frame in which it is.
    if (sender.id !== chrome.runtime.id || (order.name === 'selection' && !isChosen())) return false;
    frame.obey(order).then(
      () => answer({ ok: null }),
      (error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) }),
    );
    return true;
  });
  return frame.start();
}

/** Whether something is selected here, or could be: the user is in this frame and not in one within. */
function isChosen(): boolean {
  if (document.getSelection()?.isCollapsed === false) return true;
  return document.hasFocus() && !(document.activeElement instanceof HTMLIFrameElement);
}

if (document.documentElement instanceof HTMLElement) {
  try {
    start().catch((error: unknown) => console.debug('bonafide:', error));
  } catch (error) {
    console.debug('bonafide:', error);
  }
}
