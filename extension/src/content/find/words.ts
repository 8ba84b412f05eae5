// How many words a text has, near enough to the count of the core to group paragraphs as the daemon does.

/** A Chinese character is two thirds of a word, a Thai one a quarter; sums are kept in twelfths. */
const WORD = 12;
const IDEOGRAPH = 8;
const SOUTH_EAST_ASIAN = 3;

/** Counts the words of a text that comes in several nodes: a word may go on from one into the next. */
export class WordCounter {
  private twelfths = 0;
  private open = false;
  /** A mark such as an apostrophe stands behind a word that is open. */
  private joined = false;

  add(text: string): void {
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (isLetter(code)) {
        if (!this.open) this.twelfths += WORD;
        this.open = true;
        this.joined = false;
      } else if (code < 0x80) {
        // The marks that stand within words: ' . : , ; but a second one ends the word.
        const joins = code === 0x27 || code === 0x2e || code === 0x3a || code === 0x2c || code === 0x3b;
        if (this.open && joins && !this.joined && goesOn(text, at, code)) this.joined = true;
        else this.end();
      } else {
        const weight = weightOf(code);
        if (weight > 0) {
          this.twelfths += weight;
          this.end();
        } else if (code !== 0x2019 || !this.open || this.joined || !goesOn(text, at, code)) {
          // Marks that combine belong to their letter.
          if (!(code >= 0x300 && code < 0x370)) this.end();
        } else {
          this.joined = true;
        }
      }
    }
  }

  /** Something that is no word stands between this and what follows. */
  end(): void {
    this.open = false;
    this.joined = false;
  }

  get count(): number {
    return Math.ceil(this.twelfths / WORD);
  }
}

/** The words of a text. */
export function words(text: string): number {
  const counter = new WordCounter();
  counter.add(text);
  return counter.count;
}

/** Commas join digits, colons letters, full stops and apostrophes both. */
function goesOn(text: string, at: number, mark: number): boolean {
  const before = text.charCodeAt(at - 1);
  const after = text.charCodeAt(at + 1);
  if (isDigit(before) !== isDigit(after)) return false;
  if (mark === 0x2c || mark === 0x3b) return isDigit(before);
  if (mark === 0x3a) return !isDigit(before) && isLetter(after);
  return isLetter(after);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isLetter(code: number): boolean {
  if (code < 0x80) return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || isDigit(code) || code === 0x5f;
  if (code < 0xc0) return code === 0xaa || code === 0xb5 || code === 0xba;
  if (code === 0xd7 || code === 0xf7) return false;
  if (code < 0x0e00) return !(code >= 0x300 && code < 0x370) && !(code >= 0x60c && code <= 0x61f) && code !== 0x964;
  if (code < 0x2000) return weightOf(code) === 0;
  // Katakana and Hangul stay together in words.
  return (code >= 0x30a1 && code <= 0x30fe) || (code >= 0xac00 && code <= 0xd7af) || (code >= 0x2c00 && code <= 0x2dff)
    || (code >= 0xff10 && code <= 0xff19) || (code >= 0xff21 && code <= 0xff3a) || (code >= 0xff41 && code <= 0xff5a)
    || (code >= 0xff66 && code <= 0xff9d);
}

function weightOf(code: number): number {
  if (code === 0x3005 || code === 0x3007 || (code >= 0x3041 && code <= 0x309f) || (code >= 0x3400 && code <= 0x4dbf)
    || (code >= 0x4e00 && code <= 0x9fff) || (code >= 0xf900 && code <= 0xfaff)
    // The first halves of the pairs for plane 2.
    || (code >= 0xd840 && code <= 0xd87f)) return IDEOGRAPH;
  if ((code >= 0x0e00 && code <= 0x0e30) || (code >= 0x0e40 && code <= 0x0e46) || (code >= 0x0e80 && code <= 0x0eb0)
    || (code >= 0x1000 && code <= 0x102a) || (code >= 0x1780 && code <= 0x17b3)) return SOUTH_EAST_ASIAN;
  return 0;
}
