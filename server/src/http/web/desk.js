// @ts-check
// Signatures as the page knows them: the daemon's shapes, and the requests about them.

import { request } from './api.js';

/**
 * @typedef {import('./api.js').Span} Span
 * @typedef {import('./counter.js').Figures} Figures
 * @typedef {'line'|'armour'|'html'|'side'|'vc'} Form
 * @typedef {'malformed'|'altered'|'revoked'|'expired'|'key_changed'|'unknown_key'|'excerpt'|'trusted'|'published'} Outcome
 * @typedef {{name: string, identity?: string}} Author
 * @typedef {{type: string, canonicalization: string, text: {length: number, sha256: string, words: number, paragraphs: unknown[]},
 *   language: string, author: Author, date: string, assistance: string, written_here?: Figures, expires?: string}} Statement
 * @typedef {{at: string, reason: string}} Revocation
 * @typedef {{name: string, fingerprint: string, public_key: string, author: Author, default: boolean, source: string,
 *   has_passphrase: boolean, hardware: boolean, revoked?: Revocation|null}} OwnKey
 * @typedef {{own: OwnKey[], contacts: {name: string, fingerprint: string, public_key: string}[]}} Keys
 * @typedef {{result: Outcome, message: string, carrier: string, quotes: number,
 *   key?: {fingerprint: string, public_key: string, touched: boolean}, statement?: Statement,
 *   paragraphs?: {found: number[], total: number}, spans: Span[], contact?: string, own_key?: boolean, revoked?: Revocation}} Checked
 * @typedef {{statements: Checked[], verified: boolean, text?: string}} Verified
 * @typedef {{text: string, form: Form, key?: string, language?: string, assistance?: string, written_here?: Figures}} Wish
 * @typedef {{id: string, from: string|null, text: string, form: Form, statement: Statement, key: OwnKey, expires_in: number}} Waiting
 * @typedef {{state: 'waiting'|'signed'|'refused'|'expired', output?: string, form?: Form, statement?: Statement}} Status
 */

/** @returns {Promise<Keys>} */
export async function keys() {
  return /** @type {Promise<Keys>} */ (request('GET', '/v1/keys'));
}

/**
 * @param {string} text
 * @returns {Promise<Verified>}
 */
export async function verify(text) {
  return /** @type {Promise<Verified>} */ (request('POST', '/v1/verify', { text }));
}

/**
 * Asks for a signature; gives what the daemon would sign.
 * @param {Wish} wish
 * @returns {Promise<Waiting|undefined>}
 */
export async function ask(wish) {
  const { id } = /** @type {{id: string}} */ (await request('POST', '/v1/sign', wish));
  return (await waiting()).find((one) => one.id === id);
}

/** @returns {Promise<Waiting[]>} */
export async function waiting() {
  return /** @type {{requests: Waiting[]}} */ (await request('GET', '/v1/sign')).requests;
}

/**
 * @param {string} id
 * @param {string} passphrase Empty for a key in hardware.
 * @returns {Promise<Status>}
 */
export async function confirm(id, passphrase) {
  const body = passphrase === '' ? {} : { passphrase };
  return /** @type {Promise<Status>} */ (request('POST', `/v1/sign/${id}/confirm`, body));
}

/** @param {string} id */
export async function refuse(id) {
  await request('POST', `/v1/sign/${id}/refuse`, {});
}
