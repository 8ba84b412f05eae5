// @ts-check
// The steps in which numbers are shown as colours and underlines.

/** @typedef {'ai2'|'ai1'|'mid'|'human1'|'human2'|'none'} Level */

/** @type {Level[]} */
export const LEVELS = ['human2', 'human1', 'mid', 'ai1', 'ai2'];
export const RANKS = /** @type {const} */ (['1', '10', '100', '1000', 'more']);

/**
 * How much the words around a sentence look like a model's. The outermost levels are those that the reasons name.
 * @param {number|null} probability
 * @returns {Level}
 */
export function level(probability) {
  if (probability === null) return 'none';
  if (probability > 0.8) return 'ai2';
  if (probability > 0.6) return 'ai1';
  if (probability >= 0.4) return 'mid';
  return probability >= 0.2 ? 'human1' : 'human2';
}

/**
 * The step of a rank, in powers of ten (GLTR).
 * @param {number} rank
 */
export function rankName(rank) {
  return rank <= 1000 ? RANKS[Math.ceil(Math.log10(Math.max(rank, 1)) - 1e-9)] ?? 'more' : 'more';
}
