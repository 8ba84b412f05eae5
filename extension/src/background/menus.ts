// What can be done with a selection: from the context menu and from the keyboard.

import { order } from '../messages.js';
import { sign as askToSign, standingOf } from './daemon.js';
import { settings } from './settings.js';
import { start } from './sites.js';
import { learnt, standingAtOnce } from './watch.js';
import { words, type Name } from './words.js';

const ITEMS: [id: string, title: Name][] = [
  ['score-selection', 'menu_score'], ['verify-selection', 'menu_verify'], ['sign-selection', 'menu_sign'],
];

/** The browser keeps them; they are made again when the language is another. */
export async function make(): Promise<void> {
  const say = words(await settings());
  await chrome.contextMenus.removeAll();
  for (const [id, title] of ITEMS) chrome.contextMenus.create({ id, title: say.t(title), contexts: ['selection'] });
}

export async function run(id: string | number, tab: chrome.tabs.Tab | undefined, frame?: number, text?: string): Promise<void> {
  if (tab?.id === undefined) return;
  try {
    if (id === 'score-selection' || id === 'verify-selection') {
      // It does nothing where it runs already.
      await start(tab.id);
      const what = id === 'score-selection' ? 'score' : 'verify';
      const standing = { settings: await settings(), daemon: await standingAtOnce() };
      if (!(await order(tab.id, 'selection', { what, ...standing }, frame))) await complain(tab.id, 'menu_nothing');
    } else if (id === 'sign-selection') {
      await sign(tab.id, frame, text ?? '');
    }
  } catch {
    await complain(tab.id, 'menu_impossible');
  }
}

async function sign(tab: number, frame: number | undefined, told: string): Promise<void> {
  // The menu tells a selection without its line breaks.
  const target = frame === undefined ? { tabId: tab, allFrames: true } : { tabId: tab, frameIds: [frame] };
  const exact = await chrome.scripting.executeScript({ target, func: selected })
    .then((all) => all.map(({ result }) => result).find((one) => typeof one === 'string' && one.trim() !== ''), () => undefined);
  const text = exact ?? told;
  if (text.trim() === '') return complain(tab, 'menu_nothing');
  try {
    await chrome.tabs.create({ url: await askToSign(text) });
  } catch (error) {
    const state = standingOf(error);
    if (state) await learnt(state);
    await complain(tab, state ? 'menu_no_daemon' : 'menu_not_signed');
  }
}

/** Runs in the page, and may use nothing but what is in it. */
function selected(): string {
  const at = document.activeElement;
  if (at instanceof HTMLTextAreaElement) return at.value.slice(at.selectionStart, at.selectionEnd);
  return getSelection()?.toString() ?? '';
}

/** There is no window of ours to say it in: a sign in the toolbar, and the popup where the browser lets it open. */
async function complain(tab: number, what: Name): Promise<void> {
  const say = words(await settings());
  try {
    await chrome.action.setBadgeText({ tabId: tab, text: '!' });
    await chrome.action.setBadgeBackgroundColor({ tabId: tab, color: '#5d5a63' });
    await chrome.action.setTitle({ tabId: tab, title: say.t(what) });
    await chrome.action.openPopup?.();
  } catch {
    // The tab is gone, or the browser wants a click first.
  }
}
