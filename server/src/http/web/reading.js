// @ts-check
// The text as the model read it: sentences by colour and underline, and the words of a sentence on demand.
//
// A long text has tens of thousands of words, so a sentence gets its word elements only when somebody looks into it,
// or when words are shown and it is near the window. One element at a time takes part in the Tab order (roving
// focus); arrow keys do the rest.

import { el, icon } from './dom.js';
import { percent, t } from './i18n.js';
import { places } from './blocks.js';
import * as highlight from './highlight.js';
import { LEVELS, RANKS, level, rankName } from './levels.js';
import * as tip from './tip.js';
import { inPlace } from './unseen.js';

/** @typedef {import('./api.js').BlockReport} BlockReport */
/** @typedef {import('./api.js').Sentence} Sentence */
/** @typedef {import('./api.js').Span} Span */
/** @typedef {import('./api.js').Token} Token */
/** @typedef {{id: string, text: string, report: BlockReport|null}} Passage */
/** @typedef {{sentence: Sentence, tokens: Token[], text: string, at: Uint32Array}} Piece */

/** @type {WeakMap<HTMLElement, Piece>} */
const pieces = new WeakMap();
/** @type {WeakMap<HTMLElement, Token>} */
const words = new WeakMap();

export class Reading {
  /**
   * @param {HTMLElement} root
   * @param {(index: number) => void} onSelect Called when the reader moves into another passage.
   */
  constructor(root, onSelect) {
    this.root = root;
    this.onSelect = onSelect;
    /** @type {Passage[]} */
    this.passages = [];
    this.selected = -1;
    /** Whether a marked stretch outlives the pointer's leaving. */
    this.pinned = false;
    /** @type {HTMLElement|null} */
    this.current = null;
    this.near = new IntersectionObserver((entries) => this.#arrived(entries), { rootMargin: '300px' });
    /** Where the pointer was when it last pressed: a text that appears under a resting pointer is not pointed at. */
    this.rested = { x: -1, y: -1 };
    addEventListener('pointerdown', ({ screenX: x, screenY: y }) => { this.rested = { x, y }; }, { capture: true, passive: true });
    root.addEventListener('keydown', (event) => this.#key(event));
    root.addEventListener('focusin', (event) => this.#enter(event.target, true));
    root.addEventListener('focusout', () => {
      tip.hide();
      this.unpoint(true);
    });
    root.addEventListener('pointerover', (event) => this.#hover(event));
    root.addEventListener('pointerleave', () => tip.leave());
    root.addEventListener('click', (event) => this.#enter(event.target, true));
  }

  /**
   * Shows passages; those without a report yet as plain text.
   * @param {Passage[]} passages
   */
  show(passages) {
    this.near.disconnect();
    tip.hide();
    this.unpoint(true);
    this.passages = passages;
    this.selected = -1;
    this.current = null;
    this.root.setAttribute('aria-label', t('reading'));
    this.root.replaceChildren(...passages.map((passage, index) => this.#article(passage, index)));
    this.#becomeCurrent(this.#sentences()[0] ?? null);
  }

  /**
   * Shows a passage anew, now that it has a report.
   * @param {number} index
   */
  update(index) {
    const passage = this.passages[index];
    const old = this.root.children[index];
    if (!passage || !old) return;
    const had = this.current !== null && old.contains(this.current);
    this.unpoint(true);
    old.replaceWith(this.#article(passage, index));
    if (had || this.current === null) this.#becomeCurrent(this.#sentences()[0] ?? null);
  }

  /**
   * Marks a passage as the one that the report is about.
   * @param {number} index
   */
  select(index) {
    this.selected = index;
    for (const [place, article] of [...this.root.children].entries()) {
      if (place === index) article.setAttribute('aria-current', 'true');
      else article.removeAttribute('aria-current');
    }
  }

  /**
   * Brings a passage, or the first sentence of a stretch of it, before the reader's eyes and focus.
   * @param {number} index
   * @param {Span} [span] The stretch, which stays marked until the focus moves on.
   */
  reveal(index, span) {
    const article = /** @type {HTMLElement|undefined} */ (this.root.children[index]);
    const all = article ? /** @type {NodeListOf<HTMLElement>} */ (article.querySelectorAll('.sentence')) : [];
    const found = span && [...all].find((one) => (pieces.get(one)?.sentence.span.end ?? 0) > span.start);
    (found ?? article)?.scrollIntoView({ block: 'nearest' });
    if (found) {
      this.#becomeCurrent(found);
      found.focus();
    }
    if (!span) return;
    this.point(index, span);
    this.pinned = true;
  }

  /**
   * Marks a stretch of a passage.
   * @param {number} index
   * @param {Span} span
   */
  point(index, span) {
    const text = this.passages[index]?.text;
    const prose = this.root.children[index]?.querySelector('.prose');
    if (text === undefined || !prose) return;
    const at = places(text);
    const unit = (/** @type {number} */ point) => at[point] ?? text.length;
    this.pinned = false;
    highlight.mark(prose, unit(span.start), unit(span.end));
  }

  /**
   * Takes the mark away.
   * @param {boolean} always Even if it was to stay.
   */
  unpoint(always) {
    if (this.pinned && !always) return;
    this.pinned = false;
    highlight.clear();
  }

  /** Builds the words near the window whenever they are what is shown. */
  watch() {
    this.near.disconnect();
    if (this.root.dataset['view'] !== 'words') return;
    for (const sentence of this.#sentences()) this.near.observe(sentence);
  }

  /**
   * @param {Passage} passage
   * @param {number} index
   */
  #article(passage, index) {
    const { report, text } = passage;
    const verdict = report?.verdict ?? 'pending';
    const name = `passage-${index}`;
    const heading = el('h3', { id: name, class: 'chip', 'data-verdict': verdict }, icon(`v-${verdict}`),
      el('span', {}, t(`chip_${verdict}`)));
    // Beside "unclear" a number would be read as the verdict that the numbers don't bear; a declaration has no number.
    if (report?.probability != null && verdict !== 'unclear' && verdict !== 'declared_ai') heading.append(el('span', { class: 'muted number' }, percent(report.probability)));
    const article = el('article', { class: 'passage', 'data-verdict': verdict, 'aria-labelledby': name });
    article.append(heading, report ? this.#sentencesOf(report, text) : el('p', { class: 'prose' }, ...inPlace(text)));
    if (index === this.selected) article.setAttribute('aria-current', 'true');
    return article;
  }

  /**
   * @param {BlockReport} report
   * @param {string} text
   */
  #sentencesOf(report, text) {
    const at = places(text);
    const prose = el('p', { class: 'prose', lang: report.language ?? undefined, dir: 'auto' });
    const tokens = report.tokens ?? [];
    let token = 0;
    let end = 0;
    for (const sentence of report.sentences) {
      const { span } = sentence;
      if (span.start < end || span.end <= span.start) continue;
      prose.append(...stretch(text, at, end, span.start));
      const first = token;
      while (token < tokens.length && /** @type {Token} */ (tokens[token]).span.start < span.end) token += 1;
      const piece = { sentence, tokens: tokens.slice(first, token), text, at };
      prose.append(sentenceElement(piece));
      end = span.end;
    }
    prose.append(...stretch(text, at, end, at.length - 1));
    return prose;
  }

  /** @returns {HTMLElement[]} */
  #sentences() {
    return /** @type {HTMLElement[]} */ ([...this.root.querySelectorAll('.sentence')]);
  }

  /** @param {HTMLElement|null} element */
  #becomeCurrent(element) {
    if (this.current) this.current.tabIndex = -1;
    this.current = element;
    if (element) element.tabIndex = 0;
  }

  /**
   * @param {EventTarget|null} target
   * @param {boolean} stays
   */
  #enter(target, stays) {
    if (!(target instanceof HTMLElement)) return;
    const article = target.closest('.passage');
    const index = article ? [...this.root.children].indexOf(article) : -1;
    if (stays && index >= 0 && index !== this.selected) this.onSelect(index);
    const sentence = /** @type {HTMLElement|null} */ (target.closest('.sentence'));
    if (!sentence) return;
    const word = /** @type {HTMLElement|null} */ (target.closest('.word'));
    if (stays) this.#becomeCurrent(word ?? sentence);
    this.#tell(word, sentence, stays);
  }

  /** @param {PointerEvent} event */
  #hover(event) {
    if (event.pointerType === 'touch' || !(event.target instanceof HTMLElement)) return;
    if (event.screenX === this.rested.x && event.screenY === this.rested.y) return;
    const sentence = /** @type {HTMLElement|null} */ (event.target.closest('.sentence'));
    if (!sentence) return tip.leave();
    build(sentence);
    // The words did not exist when the pointer came.
    const under = document.elementFromPoint(event.clientX, event.clientY);
    this.#tell(/** @type {HTMLElement|null} */ (under?.closest('.word') ?? null), sentence, false);
  }

  /**
   * @param {HTMLElement|null} word
   * @param {HTMLElement} sentence
   * @param {boolean} stays
   */
  #tell(word, sentence, stays) {
    const piece = pieces.get(sentence);
    if (!piece) return;
    tip.show(word ?? sentence, word ? words.get(word) ?? null : null, piece.sentence, word?.textContent ?? '', stays);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #arrived(entries) {
    for (const entry of entries) {
      if (!entry.isIntersecting || !(entry.target instanceof HTMLElement)) continue;
      build(entry.target);
      this.near.unobserve(entry.target);
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = event.target;
    if (!(target instanceof HTMLElement) || event.ctrlKey || event.altKey || event.metaKey) return;
    const sentence = /** @type {HTMLElement|null} */ (target.closest('.sentence'));
    if (!sentence) return;
    const goal = target === sentence ? this.#fromSentence(event.key, sentence) : this.#fromWord(event.key, target, sentence);
    if (event.key === 'Escape' && tip.isShown() && goal === null) {
      tip.hide();
      event.preventDefault();
    }
    if (!goal) return;
    event.preventDefault();
    this.#becomeCurrent(goal);
    goal.focus();
    goal.scrollIntoView({ block: 'nearest' });
  }

  /**
   * @param {string} key
   * @param {HTMLElement} sentence
   * @returns {HTMLElement|null}
   */
  #fromSentence(key, sentence) {
    switch (key) {
      case 'ArrowRight':
      case 'ArrowDown':
        return this.#neighbour(sentence, 1);
      case 'ArrowLeft':
      case 'ArrowUp':
        return this.#neighbour(sentence, -1);
      case 'Home':
        return this.#sentences()[0] ?? null;
      case 'End':
        return this.#sentences().at(-1) ?? null;
      case 'Enter':
      case ' ':
        return build(sentence)[0] ?? null;
      default:
        return null;
    }
  }

  /**
   * @param {string} key
   * @param {HTMLElement} word
   * @param {HTMLElement} sentence
   * @returns {HTMLElement|null}
   */
  #fromWord(key, word, sentence) {
    const all = build(sentence);
    const place = all.indexOf(word);
    switch (key) {
      case 'ArrowRight':
        return all[place + 1] ?? build(this.#neighbour(sentence, 1))[0] ?? null;
      case 'ArrowLeft':
        return all[place - 1] ?? build(this.#neighbour(sentence, -1)).at(-1) ?? null;
      case 'ArrowDown':
        return this.#neighbour(sentence, 1);
      case 'ArrowUp':
      case 'Escape':
        return sentence;
      case 'Home':
        return all[0] ?? null;
      case 'End':
        return all.at(-1) ?? null;
      default:
        return null;
    }
  }

  /**
   * @param {HTMLElement} sentence
   * @param {1|-1} step
   * @returns {HTMLElement|null}
   */
  #neighbour(sentence, step) {
    const all = this.#sentences();
    return all[all.indexOf(sentence) + step] ?? null;
  }
}

/** @param {Piece} piece */
function sentenceElement(piece) {
  const { sentence, text, at } = piece;
  const words = slice(text, at, sentence.span.start, sentence.span.end);
  const grade = level(sentence.probability);
  const said = t(`level_${grade}`);
  const label = sentence.probability === null
    ? t('sentenceLabelNone', { level: said, text: words })
    : t('sentenceLabel', { level: said, p: percent(sentence.probability), text: words });
  const made = el('span', { class: `sentence ${grade}`, role: 'group', tabindex: -1, 'aria-label': label },
    ...stretch(text, at, sentence.span.start, sentence.span.end));
  pieces.set(made, piece);
  return made;
}

/**
 * Gives a sentence its words, if it has none yet.
 * @param {HTMLElement|null} sentence
 * @returns {HTMLElement[]}
 */
function build(sentence) {
  const piece = sentence ? pieces.get(sentence) : undefined;
  if (!sentence || !piece) return [];
  if (!sentence.hasAttribute('data-built')) {
    sentence.setAttribute('data-built', '');
    if (piece.tokens.length > 0) sentence.replaceChildren(...wordNodes(piece));
  }
  return /** @type {HTMLElement[]} */ ([...sentence.querySelectorAll('.word')]);
}

/**
 * Words and what stands between them. Tokens that share a character (parts of an emoji) show as the first of them.
 * @param {Piece} piece
 */
function wordNodes({ sentence, tokens, text, at }) {
  /** @type {(Node|string)[]} */
  const nodes = [];
  let end = sentence.span.start;
  for (const token of tokens) {
    const start = Math.max(token.span.start, end);
    const stop = Math.min(token.span.end, sentence.span.end);
    if (stop <= start) continue;
    nodes.push(...stretch(text, at, end, start));
    const rank = token.rank === null ? '' : ` r${rankName(token.rank)}`;
    const made = el('span', { class: `word${rank}`, role: 'button', tabindex: -1, 'aria-describedby': 'tip' },
      ...stretch(text, at, start, stop));
    words.set(made, token);
    nodes.push(made);
    end = stop;
  }
  nodes.push(...stretch(text, at, end, sentence.span.end));
  return nodes;
}

/**
 * @param {string} text
 * @param {Uint32Array} at
 * @param {number} start
 * @param {number} end
 */
function slice(text, at, start, end) {
  return text.slice(at[start] ?? text.length, at[end] ?? text.length);
}

/**
 * The same, with everything unseen marked.
 * @param {string} text
 * @param {Uint32Array} at
 * @param {number} start
 * @param {number} end
 */
function stretch(text, at, start, end) {
  return inPlace(text, at[start] ?? text.length, at[end] ?? text.length);
}

/**
 * What colours and underlines mean.
 * @param {'sentences'|'words'} view
 */
export function legend(view) {
  const title = el('p', { class: 'muted' }, t(view === 'words' ? 'legendWords' : 'legendSentences'));
  const items = view === 'words'
    ? RANKS.map((rank) => el('li', {}, el('span', { class: `word r${rank}` }, rank === 'more' ? '+' : rank),
      ` ${t(`rank_${rank}`)}`))
    : LEVELS.map((grade) => el('li', {}, el('span', { class: `sentence ${grade}` }, 'Abc'), ` ${t(`level_${grade}`)}`));
  for (const item of items) item.firstElementChild?.setAttribute('aria-hidden', 'true');
  return [title, el('ul', { 'data-view': view }, ...items), el('p', { class: 'muted' }, t('legendHint'))];
}
