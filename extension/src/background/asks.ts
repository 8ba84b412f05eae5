// Messages as they come: each is checked before anything is done with it.

import type { Asks, Block, Commands, Reading, ScamTurn, Settings, Step } from '../protocol.js';
import { isNote } from './notes.js';
import { understood } from './settings.js';
import { isTab } from './sites.js';
import { isCount, isList, isRecord, isText, oneOf } from './shape.js';
import { isSummary } from './tally.js';

const KINDS = ['article', 'post', 'comment', 'message', 'selection'] as const;
const LONGEST = 1_000_000;
const MOST_BLOCKS = 1_000;
const MOST_STEPS = 2_000_000;
const MOST_TURNS = 5_000;
/** A character takes three bytes at most for each unit of JavaScript's, and the module takes 64 KiB. */
const LONGEST_TURN = 20_000;

type Checks<T extends { [name: string]: { ask: unknown } }> = { [Name in keyof T]: (ask: unknown) => ask is T[Name]['ask'] };

export const ASKS: Checks<{ [Name in keyof Asks]: Asks[Name] }> = {
  settings: (ask): ask is { host: string } => isRecord(ask),
  look: isReading,
  score: isReading,
  signatures: (ask): ask is { walk: Step[] } | { text: string } =>
    isRecord(ask) && (isText(ask['text'], LONGEST) || isList(ask['walk'], MOST_STEPS, isStep)),
  scam: isConversation,
  note: isNote,
  tally: isSummary,
};

export const COMMANDS: Checks<{ [Name in keyof Commands]: Commands[Name] }> = {
  daemon: isNothing, pair: isNothing, paired: isNothing, unpair: isNothing, load: isNothing, notes: isNothing, erase: isNothing,
  glance: isTab,
  once: isTab,
  save: (ask): ask is Partial<Settings> => isRecord(ask) && understood(ask).whole,
  fingerprint: (ask): ask is { key: string } => isRecord(ask) && isText(ask['key'], 10_000),
  sign: (ask): ask is { text: string } => isRecord(ask) && isText(ask['text'], LONGEST),
  site: (ask): ask is { host: string; origin: string } => isRecord(ask) && isText(ask['host']) && isText(ask['origin'], 10_000),
};

/** The name of a message of a table, and what it asks if that has the right shape. */
export function opened<T extends object>(checks: T, message: unknown): { name: keyof T; ask: unknown } | null {
  if (!isRecord(message) || typeof message['name'] !== 'string' || !Object.hasOwn(checks, message['name'])) return null;
  const name = message['name'] as keyof T;
  const check = checks[name] as (ask: unknown) => boolean;
  return check(message['ask']) ? { name, ask: message['ask'] } : null;
}

/** A content script of ours, in a page. */
export function isOurScript(sender: chrome.runtime.MessageSender): boolean {
  return sender.id === chrome.runtime.id && sender.tab?.id !== undefined && sender.frameId !== undefined && !isOurs(sender);
}

/** Popup or options. Whoever controls a page can't give it this address. */
export function isOurPage(sender: chrome.runtime.MessageSender): boolean {
  return sender.id === chrome.runtime.id && isOurs(sender);
}

function isOurs(sender: chrome.runtime.MessageSender): boolean {
  const own = chrome.runtime.getURL('');
  return sender.url?.startsWith(own) === true && (sender.origin === undefined || `${sender.origin}/` === own);
}

function isNothing(ask: unknown): ask is Record<string, never> {
  return isRecord(ask);
}

function isConversation(ask: unknown): ask is Asks['scam']['ask'] {
  if (!isRecord(ask) || !isRecord(ask['setting'])) return false;
  const { new_contact: stranger, profile_link: link, ...others } = ask['setting'];
  return isText(ask['key'], 500) && isCount(ask['before'], 1_000_000) && isList(ask['turns'], MOST_TURNS, isTurn)
    && isText(ask['language'], 35) && (stranger === undefined || typeof stranger === 'boolean')
    && (link === undefined || isText(link, 2_000)) && Object.keys(others).length === 0;
}

function isTurn(value: unknown): value is ScamTurn {
  return isRecord(value) && oneOf(value['side'], ['them', 'me']) && isText(value['text'], LONGEST_TURN)
    && (value['at'] === null || (Number.isSafeInteger(value['at']) && Math.abs(Number(value['at'])) <= 8.64e15))
    && Object.keys(value).length === 3;
}

function isReading(ask: unknown): ask is Reading {
  if (!isRecord(ask) || !isList(ask['blocks'], MOST_BLOCKS, isBlock)) return false;
  const document = ask['document'];
  if (document === undefined) return true;
  return isRecord(document) && isText(document['begins'], LONGEST) && isText(document['ends'], LONGEST)
    && isRecord(document['metadata']) && isList(document['metadata']['meta'], 10_000, isPair)
    && isList(document['metadata']['json_ld'], 1_000, isLong);
}

function isBlock(value: unknown): value is Block {
  return isRecord(value) && isText(value['id'], 200) && oneOf(value['kind'], KINDS) && isLong(value['text'])
    && typeof value['part'] === 'boolean'
    && (value['signed'] === undefined
      || (isRecord(value['signed']) && isRecord(value['signed']['statement']) && typeof value['signed']['whole'] === 'boolean'));
}

/** The details are read again, and strictly, in the judgement itself. */
function isStep(value: unknown): value is Step {
  return Array.isArray(value) && value.length >= 1 && value.length <= 3 && value.every((part) => part === null || isLong(part));
}

function isPair(value: unknown): value is [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((part) => isLong(part));
}

function isLong(value: unknown): value is string {
  return isText(value, LONGEST);
}
