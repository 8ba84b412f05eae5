// Where the main content of a page is: by its structure if it has one, else by where the paragraphs are.

import { SECRET_FIELDS } from './roles.js';

/** The main content must hold at least this share of the page's prose, or the wrong part was picked. */
const LEAST_SHARE = 0.3;
/** A paragraph with fewer characters may be a label: it doesn't count when parts of a page are compared. */
const PROSE = 60;
/** A page whose main content beside a form for secrets is shorter than this is about that form. */
const BESIDE_SECRETS = 800;
/** More paragraphs than these tell nothing new. */
const MOST_PARAGRAPHS = 400;

const STRUCTURE = [
  'main, [role="main"]',
  'article, [role="article"], [role="feed"], [role="log"]',
];
const CHROME = 'nav, footer, aside, header, [role="navigation"], [role="banner"], [role="contentinfo"], [role="complementary"]';
const LOGIN = /(?:^|[/._-])(?:log-?in|sign-?in|sign-?up|logon|checkout|payment|e?-?banking|onlinebanking)(?:$|[/._?-])/i;

export interface Scope {
  /** Text outside of these is left out, unless it is a comment or a post. */
  roots: ReadonlySet<Element>;
  /** Several articles are posts; a single one is the page's. */
  severalArticles: boolean;
}

export function scopeOf(body: Element): Scope {
  return { roots: new Set(rootsOf(body)), severalArticles: hasSeveralArticles(body) };
}

function rootsOf(body: Element): Element[] {
  const paragraphs = paragraphsOf(body);
  const total = paragraphs.reduce((sum, { length }) => sum + length, 0);
  for (const selector of STRUCTURE) {
    const candidates = [...body.querySelectorAll(selector)].filter((element) => !element.closest('[hidden], nav, footer, aside'));
    const outer = candidates.filter((element) => !element.parentElement?.closest(selector));
    if (outer.length === 0) continue;
    const inside = paragraphs.reduce((sum, { element, length }) => (element.closest(selector) ? sum + length : sum), 0);
    if (total === 0 ? outer.some((element) => (element.textContent ?? '').length > PROSE) : inside >= LEAST_SHARE * total) return outer;
  }
  const densest = densestOf(paragraphs, body);
  return densest.length > 0 ? densest : [body];
}

interface Prose { element: Element; length: number }

function paragraphsOf(body: Element): Prose[] {
  const found: Prose[] = [];
  for (const element of body.getElementsByTagName('p')) {
    if (found.length >= MOST_PARAGRAPHS) break;
    const length = (element.textContent ?? '').length;
    if (length >= PROSE && !element.closest(CHROME)) found.push({ element, length });
  }
  return found;
}

/** The element around most of the prose, as Readability finds it: paragraphs speak for their parents and a bit for theirs. */
function densestOf(paragraphs: Prose[], body: Element): Element[] {
  const scores = new Map<Element, number>();
  const add = (element: Element | null | undefined, score: number) => {
    if (element && body.contains(element)) scores.set(element, (scores.get(element) ?? 0) + score);
  };
  let total = 0;
  for (const { element, length } of paragraphs) {
    const score = 1 + commas(element.textContent ?? '') + Math.min(3, Math.floor(length / 100));
    total += length;
    add(element.parentElement, score);
    add(element.parentElement?.parentElement, score / 2);
    add(element.parentElement?.parentElement?.parentElement, score / 6);
  }
  let best: Element | null = null;
  let most = 0;
  for (const [element, score] of scores) {
    if (score > most) [best, most] = [element, score];
  }
  if (best === null || best === body) return [];
  // Parts of one text often stand in several boxes beside each other.
  const beside = [...(best.parentElement?.children ?? [])].filter((one) => one === best || (scores.get(one) ?? 0) >= most / 5);
  const inside = paragraphs.reduce((sum, { element, length }) => (beside.some((one) => one.contains(element)) ? sum + length : sum), 0);
  return inside >= LEAST_SHARE * total ? beside : [];
}

function commas(text: string): number {
  return Math.min(10, text.split(/[,،﹐︐、，]/, 11).length - 1);
}

function hasSeveralArticles(body: Element): boolean {
  let count = 0;
  for (const article of body.querySelectorAll('article, [role="article"]')) {
    if (article.parentElement?.closest('article, [role="article"], nav, footer, aside')) continue;
    count += 1;
    if (count > 1) return true;
  }
  return false;
}

/** Whether a page is about a password, a payment or a bank, so that nothing of it is read. */
export function isSensitive(document: Document, address: string): boolean {
  const fields = document.querySelectorAll(SECRET_FIELDS);
  if (fields.length === 0) return false;
  if (LOGIN.test(address)) return true;
  const body = document.body;
  let beside = 0;
  for (const { element, length } of body ? paragraphsOf(body) : []) {
    if (![...fields].some((field) => field.closest('form')?.contains(element))) beside += length;
  }
  return beside < BESIDE_SECRETS;
}
