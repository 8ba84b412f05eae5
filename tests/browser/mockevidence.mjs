// @ts-check
// What the mock finds beside the statistics: the signs of it in a text are plain, and so are the findings.

/** @typedef {import('../../server/src/http/web/api.js').Evidence} Evidence */

export const LABEL = '（本文由AI生成）';
/** “hi!” in two characters without width. */
export const PAYLOAD = [...'hi!'].flatMap((letter) => [...letter.charCodeAt(0).toString(2).padStart(8, '0')])
  .map((bit) => (bit === '1' ? '\u200c' : '\u200b')).join('');
export const LINK = 'https://shop.example/?utm_source=chatgpt.com';
export const MARKED = 'Here begins what was marked, and here it ends.';

/**
 * @param {string} text
 * @param {string} part
 */
function spanOf(text, part) {
  const start = [...text.slice(0, text.indexOf(part))].length;
  return { start, end: start + [...part].length };
}

/**
 * Strongest first.
 * @param {string} text
 * @returns {Evidence[]}
 */
export function found(text) {
  /** @type {[string, Omit<Evidence, 'span'>][]} */
  const known = [
    [MARKED, { kind: 'watermark', code: 'watermark', strength: 1, points_to: 'ai',
      message: 'This carries the watermark of the key "acme": chance makes as much of at most 1 in 4 million unmarked texts (80 tokens, z = 7.1, 2 keys tried).',
      values: { key: 'acme', who: '', scheme: 'kgw', p: '2.2e-7', one_in: '1 in 4 million', z: '7.1', tokens: '80', keys: '2' } }],
    [LABEL, { kind: 'declared', code: 'label_visible', strength: 1, points_to: 'ai',
      message: `This text says itself that it was generated: “${LABEL}”.`, values: { label: LABEL, extent: 'whole' } }],
    [PAYLOAD, { kind: 'hidden_characters', code: 'hidden_message', strength: 0.5, points_to: 'neither',
      message: 'This text holds characters that can’t be seen and that spell a message: “hi!\u202e”. Who put it there, and why, is not known.',
      values: { encoding: 'bits', message: 'hi!\u202e', bytes: '3' } }],
    [LINK, { kind: 'leftover', code: 'leftover_link', strength: 0.3, points_to: 'ai',
      message: `A link in this text was copied from a chatbot’s answer (“${LINK}”). That says where the link was found, and little of who wrote the text.`,
      values: { kind: 'link_source', product: 'ChatGPT', example: LINK, count: '1' } }],
  ];
  return known.filter(([part]) => text.includes(part)).map(([part, evidence]) => ({ ...evidence, span: spanOf(text, part) }));
}
