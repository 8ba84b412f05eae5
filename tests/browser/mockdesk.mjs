// @ts-check
// The mock daemon's signatures: keys, requests that wait, and results of every kind; and extensions that ask to be paired.
//
// The first word of a text in square brackets names the result of checking it, as in `[trusted] My words.`

import { fail, HOSTILE } from './mock.mjs';

/** @typedef {import('../../server/src/http/web/desk.js').Waiting} Waiting */
/** @typedef {import('../../server/src/http/web/desk.js').OwnKey} OwnKey */
/** @typedef {import('../../server/src/http/web/pairing.js').Pending} Pending */
/** @typedef {import('../../server/src/http/web/desk.js').Statement} Statement */

export const PASSPHRASE = 'open sesame';

/**
 * @param {string} name
 * @param {Partial<OwnKey>} [other]
 * @returns {OwnKey}
 */
export const key = (name, other = {}) => ({
  name, fingerprint: `SHA256:${name}`, public_key: 'ssh-ed25519 AAAA', author: { name: 'Ada', identity: 'https://ada.example' },
  default: name === 'ada', source: 'file', has_passphrase: true, hardware: false, ...other,
});

/**
 * @param {{text: string, language?: string, assistance?: string, written_here?: any}} wish
 * @param {OwnKey} by
 * @returns {Statement}
 */
export const statement = (wish, by) => ({
  type: 'generated-by-human/1', canonicalization: 'bonafide-text-1',
  text: { length: wish.text.length, sha256: '0'.repeat(64), words: wish.text.split(/\s+/).filter(Boolean).length, paragraphs: [] },
  language: wish.language ?? 'en', author: by.author, date: '2026-11-25T08:00:00Z', assistance: wish.assistance ?? 'none',
  ...(wish.written_here ? { written_here: wish.written_here } : {}),
});

export class MockDesk {
  keys = [key('ada'), key('bare', { has_passphrase: false }), key('stick', { has_passphrase: false, source: 'agent', hardware: true })];
  /** @type {Waiting[]} */
  waiting = [];
  wrong = 0;
  made = 0;
  /** @type {Pending[]} */
  pairing = [];
  /** What was answered to extensions.
   * @type {[string, string][]} */
  paired = [];

  /**
   * A request to sign.
   * @param {string|null} from
   * @param {any} wish
   */
  add(from, wish) {
    const by = this.keys.find((one) => one.name === wish.key) ?? key('ada');
    this.made += 1;
    const id = this.made.toString(16).padStart(32, '0');
    const one = { id, from, text: wish.text, form: wish.form, statement: statement(wish, by), key: by, expires_in: 600 };
    this.waiting.push(one);
    return one;
  }

  /**
   * @param {string} path
   * @param {any} body
   * @param {string|undefined} method
   * @returns {[number, unknown]|null}
   */
  answer(path, body, method) {
    if (path === '/v1/keys') return [200, { own: this.keys, contacts: [] }];
    if (path === '/v1/verify') return [200, verify(body.text)];
    if (path === '/v1/sign' && method === 'GET') return [200, { requests: this.waiting }];
    if (path === '/v1/sign') {
      if (body.text.includes('\u202e')) {
        return [422, fail('signature', 'the text can’t be signed: it holds the bidirectional control U+202E')];
      }
      return [202, { id: this.add(null, body).id, confirm_url: '/sign', expires_in: 600 }];
    }
    if (path === '/v1/pair') return [200, { requests: this.pairing }];
    const [, said] = /^\/v1\/pair\/(confirm|refuse)$/.exec(path) ?? [];
    if (said !== undefined) return this.#pair(said, body.id);
    const [, id, action] = /^\/v1\/sign\/(\w+)\/(confirm|refuse)$/.exec(path) ?? [];
    if (id === undefined) return null;
    const one = this.waiting.find((waiting) => waiting.id === id);
    if (!one) return [409, fail('request_over', 'this request was answered already, or waited too long')];
    const end = () => { this.waiting = this.waiting.filter((waiting) => waiting !== one); };
    if (action === 'refuse') {
      end();
      return [200, { state: 'refused' }];
    }
    if (one.key.has_passphrase && body.passphrase !== PASSPHRASE) {
      this.wrong += 1;
      if (this.wrong < 3) return [422, fail('wrong_passphrase', 'the passphrase is wrong')];
      end();
      return [422, fail('wrong_passphrases', 'the passphrase was wrong three times, so this request is refused')];
    }
    end();
    return [200, { state: 'signed', output: `${one.text} human1mock`, form: one.form, statement: one.statement }];
  }

  /**
   * @param {string} said
   * @param {string} id
   * @returns {[number, unknown]}
   */
  #pair(said, id) {
    const left = this.pairing.filter((one) => one.id !== id);
    if (left.length === this.pairing.length) return [409, fail('pairing_over', 'this extension does not wait any more, or has asked again since', 'pair again from the extension\'s popup, and compare the new code')];
    this.pairing = left;
    this.paired.push([said, id]);
    return [200, { state: said === 'confirm' ? 'confirmed' : 'refused' }];
  }
}

/** @param {string} text */
function verify(text) {
  const result = /\[(\w+)\]/.exec(text)?.[1];
  if (!result) return { statements: [], verified: false };
  const by = key(text.includes('mine') ? 'ada' : 'other', text.includes('<img') ? { author: { name: HOSTILE } } : {});
  const points = [...text];
  const green = result === 'trusted' || result === 'published';
  const found = result === 'excerpt' ? [2] : [1];
  const end = points.indexOf('|');
  return {
    verified: green,
    statements: [{
      result, message: `[${result}] in the daemon’s words`, carrier: 'token', quotes: text.startsWith('>') ? 1 : 0,
      ...(result === 'malformed' ? {} : { key: { fingerprint: by.fingerprint, public_key: by.public_key, touched: true }, statement: statement({ text }, by) }),
      paragraphs: { found, total: 3 },
      spans: result === 'malformed' || result === 'altered' ? [] : [{ start: 0, end: end < 0 ? points.length : end }],
      ...(result === 'trusted' ? { contact: text.includes('mine') ? 'ada' : 'Ada of the library' } : {}),
      ...(result === 'revoked' ? { revoked: { at: '2026-01-01T00:00:00Z', reason: 'compromised' } } : {}),
    }],
  };
}
