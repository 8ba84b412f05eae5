// How pages stand: what each frame has told, summed over a tab, and the sum's sign in the toolbar.

import type { Summary, Verdict } from '../protocol.js';
import { isCount, isList, isRecord, isText, oneOf, RISKS, VERDICTS } from './shape.js';
import { forget, inTurn, read, readAll, write } from './store.js';
import type { Words } from './words.js';

/** What is known of a tab: by frame, and of which document of it. */
interface Page { frames: Record<string, { document: string; summary: Summary | null }> }

const key = (tab: number): string => `tab:${tab}`;
/** From the most serious on; the sign in the toolbar has the colour of the first that occurs. */
const GRAVITY: readonly Verdict[] = ['declared_ai', 'likely_ai', 'mixed', 'likely_human', 'human_signed'];
const COLOURS: Partial<Record<Verdict, string>> = {
  declared_ai: '#94155c', likely_ai: '#a8480a', mixed: '#6d4a9c', likely_human: '#1d5cb0', human_signed: '#1d5cb0',
};

export function isSummary(value: unknown): value is Summary {
  if (!isRecord(value) || !isRecord(value['verdicts'])) return false;
  const { verdicts, adapter, scam } = value;
  return VERDICTS.every((verdict) => isCount(verdicts[verdict], 1_000_000))
    && isCount(value['pending'], 1_000_000) && isCount(value['hidden'], 1_000_000) && isList(value['statements'], 500, isStatement)
    && (adapter === null || (isRecord(adapter) && isText(adapter['name'], 100) && typeof adapter['found'] === 'boolean'
      && isCount(adapter['messages'], 1_000_000)))
    && (scam === null || (isRecord(scam) && oneOf(scam['risk'], RISKS) && typeof scam['hushed'] === 'boolean'));
}

function isStatement(value: unknown): value is Summary['statements'][number] {
  return isRecord(value) && isText(value['result'], 40) && isText(value['message'], 5_000)
    && (value['statement'] === undefined || value['statement'] === null || isRecord(value['statement']));
}

export function empty(): Summary {
  return {
    verdicts: { human_signed: 0, likely_human: 0, unclear: 0, mixed: 0, likely_ai: 0, declared_ai: 0 },
    pending: 0, hidden: 0, statements: [], adapter: null, scam: null,
  };
}

/** A frame begins. The page's own frame begins the page: what was known of the page before it is over. */
export async function begin(tab: number, frame: number, document: string): Promise<void> {
  await change(tab, (page) => {
    const known = frame === 0 && page.frames['0']?.document !== document ? { frames: {} } : page;
    return { frames: { ...known.frames, [frame]: { document, summary: known.frames[frame]?.summary ?? null } } };
  });
}

export async function tally(tab: number, frame: number, document: string, summary: Summary, words: Words): Promise<void> {
  const page = await change(tab, (known) => ({ frames: { ...known.frames, [frame]: { document, summary } } }));
  await sign(tab, sum(page), words);
}

/** All frames of a tab together. */
export async function glance(tab: number): Promise<Summary | null> {
  const page = pageOf(await read('session', key(tab)));
  return Object.keys(page.frames).length === 0 ? null : sum(page);
}

function sum({ frames }: Page): Summary {
  const total = empty();
  for (const { summary } of Object.values(frames)) {
    if (!summary) continue;
    for (const verdict of VERDICTS) total.verdicts[verdict] += summary.verdicts[verdict];
    total.pending += summary.pending;
    total.hidden += summary.hidden;
    total.statements.push(...summary.statements);
    // One that has found its messages speaks for the page.
    if (summary.adapter && (!total.adapter || (summary.adapter.found && !total.adapter.found))) total.adapter = summary.adapter;
    // The gravest, should several frames hold a conversation.
    if (summary.scam && (!total.scam || RISKS.indexOf(summary.scam.risk) > RISKS.indexOf(total.scam.risk))) total.scam = summary.scam;
  }
  return total;
}

export async function forgetTab(tab: number): Promise<void> {
  await inTurn(key(tab), () => forget('session', key(tab)));
}

/** Forgets frames in which nobody answers any more. */
export async function sweep(tab: number, listens: (frame: number) => Promise<boolean>, words: Words): Promise<void> {
  const frames = Object.entries(pageOf(await read('session', key(tab))).frames);
  if (frames.length === 0) return;
  const gone: [string, string][] = [];
  for (const [frame, { document }] of frames) {
    if (!(await listens(Number(frame)))) gone.push([frame, document]);
  }
  if (gone.length === 0) return;
  const page = await change(tab, (known) => ({
    // A frame that has begun anew meanwhile stays.
    frames: Object.fromEntries(Object.entries(known.frames)
      .filter(([frame, { document }]) => !gone.some(([name, old]) => name === frame && old === document))),
  }));
  await sign(tab, sum(page), words);
}

/** Tabs in which content scripts have begun. */
export async function liveTabs(): Promise<number[]> {
  return Object.keys(await readAll('session')).flatMap((name) => (/^tab:\d+$/.test(name) ? [Number(name.slice(4))] : []));
}

async function change(tab: number, how: (page: Page) => Page): Promise<Page> {
  return inTurn(key(tab), async () => {
    const page = how(pageOf(await read('session', key(tab))));
    if (Object.keys(page.frames).length > 0) await write('session', { [key(tab)]: page });
    else await forget('session', key(tab));
    return page;
  });
}

function pageOf(value: unknown): Page {
  // Only the background writes here, and the browser empties it when it starts.
  return isRecord(value) && isRecord(value['frames']) ? value as unknown as Page : { frames: {} };
}

async function sign(tab: number, summary: Summary, words: Words): Promise<void> {
  const labelled = GRAVITY.reduce((count, verdict) => count + summary.verdicts[verdict], 0);
  const gravest = GRAVITY.find((verdict) => summary.verdicts[verdict] > 0);
  const parts = GRAVITY.filter((verdict) => summary.verdicts[verdict] > 0)
    .map((verdict) => words.t(`of_${verdict}`, { n: summary.verdicts[verdict] }));
  const title = parts.length === 0 ? words.t('title') : words.t('titleOf', { list: parts.join(words.t('separator')) });
  try {
    await chrome.action.setBadgeText({ tabId: tab, text: labelled === 0 ? '' : labelled > 999 ? '999+' : String(labelled) });
    if (gravest) {
      await chrome.action.setBadgeBackgroundColor({ tabId: tab, color: COLOURS[gravest] ?? '#5d5a63' });
      await chrome.action.setBadgeTextColor({ tabId: tab, color: '#ffffff' });
    }
    await chrome.action.setTitle({ tabId: tab, title });
  } catch {
    // The tab was closed meanwhile.
  }
}
