// Checks of values from outside: messages, storage, the daemon. Each gives the value with its type, or nothing.

import type { BlockReport, Calibration, Model, Risk, ScamReport, Stage, Verdict } from '../protocol.js';

export const VERDICTS: readonly Verdict[] = ['human_signed', 'likely_human', 'unclear', 'mixed', 'likely_ai', 'declared_ai'];

export const RISKS: readonly Risk[] = ['none', 'caution', 'danger'];
const STAGES: readonly Stage[] = ['contact', 'trust', 'hook', 'ask', 'drain'];

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isText(value: unknown, most = 1_000): value is string {
  return typeof value === 'string' && value.length <= most;
}

export function isCount(value: unknown, most = Number.MAX_SAFE_INTEGER): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most;
}

export function isList<T>(value: unknown, most: number, one: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.length <= most && value.every(one);
}

export function oneOf<T extends string>(value: unknown, all: readonly T[]): value is T {
  return typeof value === 'string' && (all as readonly string[]).includes(value);
}

export function isMoment(value: unknown): value is string {
  return isText(value, 40) && !Number.isNaN(Date.parse(value));
}

/** A host name as browsers write it: lower case, punycode, an address perhaps in brackets; no port. One that is none would spoil the browser's list. */
export function isHost(value: unknown): value is string {
  return isText(value, 253) && /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])$/.test(value)
    && URL.canParse(`http://${value}/`);
}

function isShare(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && value >= 0 && value <= 1);
}

/** What readers of a report rely on. Findings and sentences are checked again where they are drawn. */
export function isReport(value: unknown): value is BlockReport {
  return isRecord(value) && isText(value['id']) && oneOf(value['verdict'], VERDICTS) && isShare(value['probability'])
    && isShare(value['p_value']) && isCount(value['words']) && isCount(value['token_count'])
    && (value['calibration'] === undefined || isText(value['calibration']))
    && isList(value['evidence'], 1_000, isFinding) && isList(value['sentences'], 100_000, isSentence);
}

function isFinding(value: unknown): value is BlockReport['evidence'][number] {
  return isRecord(value) && isText(value['kind']) && isText(value['code']) && isText(value['message'], 20_000)
    && typeof value['strength'] === 'number' && oneOf(value['points_to'], ['ai', 'human', 'neither'])
    && (value['span'] === undefined || value['span'] === null || isSpan(value['span']))
    && (value['values'] === undefined || isRecord(value['values']));
}

function isSentence(value: unknown): value is BlockReport['sentences'][number] {
  return isRecord(value) && isSpan(value['span']) && isShare(value['probability']);
}

/** What a report on a conversation of so many turns must hold. */
export function isScamReport(value: unknown, turns: number): value is ScamReport {
  return isRecord(value) && oneOf(value['risk'], RISKS) && typeof value['probability'] === 'number'
    && (value['stage'] === null || oneOf(value['stage'], STAGES)) && (value['pattern'] === null || isText(value['pattern'], 100))
    && isList(value['evidence'], 500, (one): one is ScamReport['evidence'][number] => isScamFinding(one, turns))
    && (value['advice'] === null || isAdvice(value['advice'])) && value['turns'] === turns && isText(value['model']);
}

function isScamFinding(value: unknown, turns: number): value is ScamReport['evidence'][number] {
  return isRecord(value) && isText(value['code'], 100) && oneOf(value['stage'], STAGES) && typeof value['strength'] === 'number'
    && isText(value['message'], 5_000)
    && isList(value['places'], 1_000, (one): one is ScamReport['evidence'][number]['places'][number] => isRecord(one)
      && isCount(one['turn']) && one['turn'] < turns
      && (one['span'] === undefined || one['span'] === null || isSpan(one['span'])));
}

function isAdvice(value: unknown): value is NonNullable<ScamReport['advice']> {
  const hotline = isRecord(value) ? value['hotline'] : undefined;
  return isRecord(value) && isText(value['message'], 5_000)
    && (hotline === undefined || hotline === null
      || (isRecord(hotline) && isText(hotline['region'], 10) && isText(hotline['number'], 200) && isText(hotline['name'], 500)));
}

export function isSpan(value: unknown): value is { start: number; end: number } {
  return isRecord(value) && isCount(value['start']) && isCount(value['end']) && value['start'] <= value['end'];
}

export function isModel(value: unknown): value is Model {
  return isRecord(value) && ['name', 'sha256', 'architecture', 'backend'].every((name) => isText(value[name]));
}

export function isCalibration(value: unknown): value is Calibration {
  return isRecord(value) && isText(value['version'])
    && typeof value['target_false_positive_rate'] === 'number' && typeof value['measured_false_positive_rate'] === 'number';
}
