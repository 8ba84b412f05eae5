// The background: content scripts, popup and options ask here, and this alone asks the daemon. It is stopped when nothing
// has happened for a while and started by the next event, so all listeners are set at once and nothing that could not be made
// anew is kept in memory.

import type { Answer, Asks, Commands, Daemon } from '../protocol.js';
import { ASKS, COMMANDS, isOurPage, isOurScript, opened } from './asks.js';
import { forgetState, post, Refusal, score as askModel, sign, Silence, standingOf } from './daemon.js';
import { fingerprint, look, statements } from './judge.js';
import * as menus from './menus.js';
import { keep, notes } from './notes.js';
import * as pairing from './pairing.js';
import * as chats from './scam.js';
import { save, settings, takeSynced } from './settings.js';
import { isList, isRecord } from './shape.js';
import * as sites from './sites.js';
import { shut } from './store.js';
import * as tallies from './tally.js';
import { isWanted, known } from './trust.js';
import * as watch from './watch.js';
import { words } from './words.js';

type Sender = chrome.runtime.MessageSender;
type Answers<T extends { [name: string]: { ask: unknown; reply: unknown } }> = {
  [Name in keyof T]: (ask: T[Name]['ask'], sender: Sender) => Promise<T[Name]['reply']>;
};

/** What content scripts ask. */
const toScripts: Answers<{ [Name in keyof Asks]: Asks[Name] }> = {
  settings: async (_, sender) => {
    const [tab, frame] = [sender.tab?.id ?? -1, sender.frameId ?? 0];
    chats.forget(tab, frame === 0 ? undefined : frame);
    if (!(await sites.labels(sender))) {
      if (frame === 0) await tallies.forgetTab(tab);
      return null;
    }
    await tallies.begin(tab, frame, documentOf(sender));
    return { settings: await settings(), daemon: await watch.standingAtOnce() };
  },
  look: async (reading) => ({ blocks: await look(reading) }),
  score: async (reading) => {
    try {
      const judged = await askModel(reading.blocks);
      return { ...judged, blocks: await look(reading, judged.blocks) };
    } catch (error) {
      const state = standingOf(error);
      if (state) return { daemon: await watch.learnt(state) };
      throw error;
    }
  },
  signatures: async (source) => {
    const gather = async (wants: string) => {
      const wanted: unknown = JSON.parse(wants);
      return JSON.stringify(isList(wanted, 10_000, isWanted) ? await known(wanted) : []);
    };
    const reply: unknown = JSON.parse(await statements(source, gather, (page, facts) => page.report(facts, Date.now() / 1_000)));
    return { statements: isRecord(reply) && Array.isArray(reply['statements']) ? reply['statements'] : [] };
  },
  scam: async (said, sender) => {
    if (!(await settings()).scam) throw new Saying(words(await settings()).t('scamOff'));
    return chats.follow(sender.tab?.id ?? -1, sender.frameId ?? 0, said);
  },
  note: async (note, sender) => {
    await keep(note, sites.senderHost(sender) ?? '');
    return null;
  },
  tally: async (summary, sender) => {
    await tallies.tally(sender.tab?.id ?? -1, sender.frameId ?? 0, documentOf(sender), summary, words(await settings()));
    return null;
  },
};

/** What popup and options ask. */
const toPages: Answers<{ [Name in keyof Commands]: Commands[Name] }> = {
  daemon: () => watch.standing(true),
  glance: async ({ tab }) => {
    await sweep(tab);
    return tallies.glance(tab);
  },
  pair: () => pairing.pair(),
  paired: async () => {
    const state = await pairing.paired();
    if (state === 'paired') await watch.standing();
    return state;
  },
  unpair: async () => {
    await watch.tellAll(await settings(), await pairing.unpair());
    return null;
  },
  save: async (changes) => {
    const before = await settings();
    const made = await save(changes);
    if (!made.scam) chats.forgetAll();
    if (changes.port !== undefined && changes.port !== before.port) await forgetState();
    await settled(changes.off !== undefined, changes.language !== undefined);
    return made;
  },
  load: () => settings(),
  notes: () => notes(),
  erase: async () => {
    await post('/v1/pair/end', {}).catch(() => undefined);
    await chrome.storage.local.clear();
    await chrome.storage.session.clear();
    await chrome.storage.sync.clear();
    await chrome.alarms.clearAll();
    chats.forgetAll();
    await settled(true, true);
    return null;
  },
  fingerprint: async ({ key }) => {
    try {
      return await fingerprint(key);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw error;
      throw new Saying(words(await settings()).t('notAKey'));
    }
  },
  sign: async ({ text }) => {
    try {
      return { url: await sign(text) };
    } catch (error) {
      const state = standingOf(error);
      if (state) return { daemon: await watch.learnt(state) };
      throw error;
    }
  },
  site: ({ host, origin }) => sites.site(host, origin),
  once: async ({ tab }) => {
    await sites.once(tab);
    return null;
  },
};

/** An error whose sentence is for the user as it stands. */
class Saying extends Error {}

chrome.runtime.onMessage.addListener((message: unknown, sender, respond: (answer: Answer<unknown>) => void) => {
  const answer = isOurScript(sender) ? answered(toScripts, opened(ASKS, message), sender)
    : isOurPage(sender) ? answered(toPages, opened(COMMANDS, message), sender) : null;
  if (!answer) return false;
  answer.then(respond, () => respond({ error: 'The extension failed.' }));
  return true;
});

async function answered<T>(answers: T, message: { name: keyof T; ask: unknown } | null, sender: Sender): Promise<Answer<unknown>> {
  try {
    if (!message) throw new Saying(words(await settings()).t('misshapen'));
    const answer = answers[message.name] as (ask: unknown, sender: Sender) => Promise<unknown>;
    return { ok: await answer(message.ask, sender) };
  } catch (error) {
    return { error: await sentence(error) };
  }
}

/** What went wrong, and what can be done. */
async function sentence(error: unknown): Promise<string> {
  const say = words(await settings());
  if (error instanceof Saying) return error.message;
  if (error instanceof Silence) {
    return say.t(error.why === 'slow' ? 'slow' : error.why === 'strange' ? 'strange' : 'away');
  }
  if (error instanceof Refusal) {
    if (error.status === 429) return say.t(error.code === 'too_many_pairings' ? 'tooManyPairings' : 'busy');
    if (error.status === 413) return say.t('tooLong');
    return say.t('refused', { message: error.message });
  }
  return say.t('failed', { message: error instanceof Error ? error.message : String(error) });
}

/** Firefox knows no names of documents; there the frame's address has to do. */
function documentOf(sender: Sender): string {
  return sender.documentId ?? sender.url ?? '';
}

async function sweep(tab: number): Promise<void> {
  await tallies.sweep(tab, (frame) => sites.listens(tab, frame), words(await settings()));
}

/** Settings have changed. */
async function settled(where: boolean, language: boolean): Promise<void> {
  if (where) await sites.register();
  if (language) await menus.make();
  const state: Daemon = await watch.standingAtOnce();
  await watch.tellAll(await settings(), state);
}

/** Work that an event begins. Nobody waits for it, and no failure of it may take anything else along. */
function quietly(work: Promise<unknown>): void {
  work.catch((error: unknown) => console.warn('bonafide:', error));
}

chrome.runtime.onInstalled.addListener(() => quietly(Promise.all([
  // Pages that were open before an update have scripts that are cut off from the extension as it is now.
  sites.register().then(async () => sites.startGranted(await sites.granted())), menus.make(),
])));
chrome.runtime.onStartup.addListener(() => quietly(sites.register()));
chrome.permissions.onAdded.addListener(({ origins }) => {
  quietly(sites.register().then(() => sites.startGranted(origins ?? [])));
});
chrome.permissions.onRemoved.addListener(() => quietly(sites.register().then(() => settled(false, false))));
chrome.tabs.onRemoved.addListener((tab) => {
  chats.forget(tab);
  quietly(Promise.all([tallies.forgetTab(tab), sites.endOnce(tab)]));
});
chrome.tabs.onUpdated.addListener((tab, { status }) => {
  // The state alone is told without any permission. Within a page it changes too, so who answers is asked.
  if (status === undefined) return;
  quietly(sweep(tab).then(async () => {
    if (status === 'complete' && !(await sites.listens(tab, 0))) await sites.endOnce(tab);
  }));
});
chrome.alarms.onAlarm.addListener(({ name }) => {
  if (name === pairing.ALARM) quietly(toPages.paired({}, {}));
  if (name === watch.ALARM) quietly(watch.look());
});
chrome.storage.onChanged.addListener((_, area) => {
  if (area !== 'sync') return;
  quietly(takeSynced().then((changed) => (changed ? settled(false, false) : undefined)));
});
chrome.contextMenus.onClicked.addListener((info, tab) => {
  quietly(menus.run(info.menuItemId, tab, info.frameId, info.selectionText));
});
chrome.commands.onCommand.addListener((command, tab) => quietly(menus.run(command, tab)));
quietly(shut());
