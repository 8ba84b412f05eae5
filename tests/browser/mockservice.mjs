// @ts-check
// A daemon as the extension meets it: pairing, status, scores, facts. It says whatever a test needs.

import { createServer } from 'node:http';
import { calibration, fail, json, judge, model } from './mock.mjs';

const TOKEN = `bft_${'7'.repeat(64)}`;

/**
 * Starts it on a free port.
 * @param {number} [port]
 */
export async function service(port = 0) {
  const self = {
    port, url: '',
    /** @type {{path: string, body: any, authorization: string|undefined, origin: string|undefined, method: string}[]} */
    requests: [],
    /** One-off replies that go before the usual ones.
     * @type {((path: string, response: import('node:http').ServerResponse) => boolean)[]} */
    answers: [],
    /** What `/v1/status` says. */
    status: /** @type {Record<string, unknown>} */ ({ status: 'ok', api: 1, version: '0.1.0', uptime_seconds: 3, model, calibration }),
    /** @type {{request: string, code: string, state: 'waiting'|'confirmed'|'refused'|'expired', told: boolean}|null} */
    pairing: null,
    /** Whether it knows the token of the extension. */
    paired: false,
    /** What it knows of keys, by key and identity.
     * @type {Map<string, object>} */
    facts: new Map(),
    /** The extension's token, as if it had been paired before. */
    token: TOKEN,
    close: () => new Promise((resolve) => {
      server.close(() => resolve(undefined));
      server.closeAllConnections();
    }),
  };
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://mock');
    let text = '';
    for await (const chunk of request) text += chunk;
    const { authorization, origin } = request.headers;
    const body = text === '' ? null : JSON.parse(text);
    self.requests.push({ path: pathname, body, authorization, origin, method: request.method ?? '' });
    if (self.answers[0]?.(pathname, response)) return void self.answers.shift();
    const [status, value] = answer(pathname, body, authorization);
    json(response, status, value);
  });

  /**
   * @param {string} path
   * @param {any} body
   * @param {string|undefined} authorization
   * @returns {[number, unknown]}
   */
  function answer(path, body, authorization) {
    if (path === '/v1/pair') {
      self.pairing = { request: `bfp_${'5'.repeat(64)}`, code: '482 913', state: 'waiting', told: false };
      return [202, { request: self.pairing.request, code: self.pairing.code, confirm_url: `${self.url}/pair`, expires_in: 300 }];
    }
    if (path === '/v1/pair/state') {
      const { pairing } = self;
      if (!pairing || body.request !== pairing.request) return [200, { state: 'expired' }];
      if (pairing.state !== 'confirmed' || pairing.told) return [200, { state: pairing.state }];
      pairing.told = true;
      self.paired = true;
      return [200, { state: 'confirmed', token: TOKEN, name: 'extension-abcdefgh' }];
    }
    if (!self.paired || authorization !== `Bearer ${TOKEN}`) {
      return self.paired ? [401, fail('wrong_token', 'this token is not known')] : [403, fail('unpaired_extension', 'this extension is not paired')];
    }
    if (path === '/v1/pair/end') {
      self.paired = false;
      return [200, { ended: 'extension-abcdefgh' }];
    }
    if (path === '/v1/status') return [200, self.status];
    if (path === '/v1/score') return [200, { blocks: body.blocks.map(judge), model, calibration, version: '0.1.0' }];
    if (path === '/v1/facts') {
      return [200, { facts: body.keys.map((/** @type {any} */ { public_key, identity = null }) => ({
        public_key, identity,
        facts: self.facts.get(`${public_key} ${identity}`) ?? { contact: null, own: false, publication: 'absent', changed: false, revoked: null },
      })) }];
    }
    if (path === '/v1/sign') return [202, { id: '1'.repeat(32), confirm_url: `${self.url}/sign`, expires_in: 600 }];
    return [404, fail('not_found', 'there is nothing at this address')];
  }

  await new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  self.port = typeof address === 'object' && address ? address.port : port;
  self.url = `http://127.0.0.1:${self.port}`;
  return self;
}
