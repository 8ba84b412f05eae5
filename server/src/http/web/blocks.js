// @ts-check
// Text into blocks of a size that can be judged, as `bonafide score` cuts it, and places in a text.
//
// The page cuts plain text itself, because a report holds spans and not the text that they index.

/** Fewer words than this are put together with their neighbours. */
const MIN_WORDS = 80;
/** A block of grouped paragraphs is kept near or below this. */
const MAX_WORDS = 250;
/** A single paragraph may be this long. */
const MAX_WHOLE_WORDS = 600;
/** No block is longer than this, in UTF-16 units, however few words it counts. */
const MAX_LENGTH = 9600;
/** Longer runs than this without white space are cut, in UTF-16 units. */
const MAX_RUN = 2000;

const IDEOGRAPHS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/gu;

/**
 * About how many words: white space separates them, and every ideograph is one.
 * @param {string} text
 */
export function countWords(text) {
  const ideographs = text.match(IDEOGRAPHS)?.length ?? 0;
  const rest = ideographs === 0 ? text : text.replace(IDEOGRAPHS, ' ');
  return ideographs + (rest.match(/[\p{L}\p{N}][^\s]*/gu)?.length ?? 0);
}

/**
 * Cuts a text at its empty lines and puts short paragraphs together, evenly.
 * @param {string} text
 * @returns {string[]}
 */
export function cut(text) {
  const parts = text
    .replace(/\r\n?/g, '\n')
    .split(/\n[^\S\n\ufeff]*(?:\n[^\S\n\ufeff]*)+/)
    .map(trim)
    .filter((part) => part !== '')
    .flatMap(splitLong)
    .map((part) => ({ text: part, words: countWords(part) }));
  const total = parts.reduce((sum, part) => sum + part.words, 0);
  const target = total / Math.max(1, Math.ceil(total / MAX_WORDS));
  /** @type {{text: string, words: number}[]} */
  const blocks = [];
  for (const part of parts) {
    const open = blocks.at(-1);
    if (open && open.text.length + part.text.length < MAX_LENGTH && joins(open.words, part.words, target)) {
      open.text += '\n\n' + part.text;
      open.words += part.words;
    } else {
      blocks.push({ ...part });
    }
  }
  const last = blocks.at(-1);
  const before = blocks.at(-2);
  if (last && before && last.words < MIN_WORDS && before.words + last.words <= MAX_WHOLE_WORDS
    && before.text.length + last.text.length < MAX_LENGTH) {
    before.text += '\n\n' + last.text;
    blocks.pop();
  }
  return blocks.map((block) => block.text);
}

/**
 * Without white space around it. The space without width that scripts call white is none, and may hide a message.
 * @param {string} text
 */
function trim(text) {
  const blank = (/** @type {string} */ unit) => unit !== '\ufeff' && unit.trim() === '';
  let [from, to] = [0, text.length];
  while (from < to && blank(text.charAt(from))) from += 1;
  while (to > from && blank(text.charAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

/**
 * @param {number} open
 * @param {number} words
 * @param {number} target
 */
function joins(open, words, target) {
  const joined = open + words;
  const fits = joined <= MAX_WORDS || open < MIN_WORDS / 2;
  const closer = Math.abs(joined - target) <= Math.abs(open - target) || open < MIN_WORDS;
  return fits && closer && joined <= MAX_WHOLE_WORDS;
}

/**
 * A very long paragraph in parts: at line ends and sentence ends, else between words, else anywhere.
 * @param {string} text
 * @returns {string[]}
 */
function splitLong(text) {
  const words = countWords(text);
  if (words <= MAX_WHOLE_WORDS && text.length <= MAX_LENGTH) return [text];
  const target = words / Math.ceil(words / MAX_WHOLE_WORDS) || MAX_WHOLE_WORDS;
  const parts = [];
  let open = '';
  let count = 0;
  for (const unit of units(text)) {
    const own = countWords(unit);
    if (open !== '' && (count + own > target * 1.125 || open.length + unit.length > MAX_LENGTH)) {
      parts.push(trim(open));
      open = '';
      count = 0;
    }
    open += unit;
    count += own;
  }
  parts.push(trim(open));
  return parts.filter((part) => part !== '');
}

/**
 * @param {string} text
 * @returns {string[]}
 */
function units(text) {
  return (text.match(/[^\n.!?。！？…]*(?:[.!?…。！？]+["”’」』)]*\s*|\n+|$)/gu) ?? [])
    .filter((unit) => unit !== '')
    .flatMap((sentence) => (countWords(sentence) <= MAX_WHOLE_WORDS / 2 ? [sentence] : sentence.match(/\s*\S+\s*/gu) ?? []))
    .flatMap((run) => (run.length <= MAX_RUN ? [run] : chunks(run)));
}

/**
 * @param {string} run
 * @returns {string[]}
 */
function chunks(run) {
  const parts = [];
  for (let start = 0; start < run.length; ) {
    let end = Math.min(start + MAX_RUN, run.length);
    const unit = run.charCodeAt(end - 1);
    // Never between the halves of a surrogate pair.
    if (end < run.length && unit >= 0xd800 && unit < 0xdc00) end -= 1;
    parts.push(run.slice(start, end));
    start = end;
  }
  return parts;
}

/**
 * What a reader of a Markdown file reads: no code, no tables, no marks.
 * @param {string} source
 */
export function plainMarkdown(source) {
  const lines = [];
  let fence = '';
  const body = source.replace(/\r\n?/g, '\n').replace(/^---\n[^]*?\n(?:---|\.\.\.)(?:\n|$)/, '');
  for (const line of body.split('\n')) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]?.slice(0, 3) ?? '';
    if (fence !== '' || mark !== '') {
      if (fence === '') fence = mark;
      else if (mark === fence) fence = '';
      continue;
    }
    if (/^\s*\|/.test(line) || /^ {0,3}([-*_=] *){3,}$/.test(line)) {
      lines.push('');
      continue;
    }
    const heading = /^ {0,3}#{1,6}\s/.test(line);
    const bare = line
      .replace(/^ {0,3}(?:#{1,6}\s+|(?:>\s?)+)/, '')
      .replace(/^\s*(?:[-*+]|\d{1,9}[.)])\s+(?:\[[ xX]\]\s+)?/, '')
      .replace(/!\[[^\]]*\]\([^)]*\)/g, '')
      .replace(/\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, '$1')
      .replace(/<\/?[a-zA-Z][^>]*>|<!--.*?-->/g, '')
      .replace(/(\*\*|__)(?=\S)(.+?)\1/g, '$2')
      .replace(/(?<![\p{L}\p{N}])([*_])(?=\S)(.+?)\1(?![\p{L}\p{N}])/gu, '$2')
      .replace(/`([^`]*)`/g, '$1')
      .trimEnd();
    lines.push(bare);
    if (heading) lines.push('');
  }
  return lines.join('\n').replace(/\n{3,}/g, '\n\n').trim();
}

/**
 * The UTF-16 index of every code point of a text, and its length at the end.
 * @param {string} text
 */
export function places(text) {
  const found = new Uint32Array(text.length + 1);
  let count = 0;
  for (let index = 0; index < text.length; count += 1) {
    found[count] = index;
    index += /** @type {number} */ (text.codePointAt(index)) > 0xffff ? 2 : 1;
  }
  found[count] = text.length;
  return found.subarray(0, count + 1);
}
