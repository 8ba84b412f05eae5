// @ts-check
// A daemon without a model, for what a real one can't be made to say on demand: every verdict, every limit, errors,
// waiting, and hostile text in every field. It serves the real page under the real content security policy.
//
// The first word of a block in square brackets names its verdict, as in `[likely_ai] Once upon a time …`.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { MockDesk } from './mockdesk.mjs';
import { found } from './mockevidence.mjs';

const WEB = new URL('../../server/src/http/web/', import.meta.url);
const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8' };
const HEADERS = {
  'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    + "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};
export const CODE = 'one-time-code';
export const HOSTILE = '<img src=x onerror="globalThis.hacked=1"><script>globalThis.hacked=1</script>';

const VERDICTS = ['human_signed', 'likely_human', 'unclear', 'mixed', 'likely_ai', 'declared_ai'];
export const model = { name: 'smollm2-135m', sha256: '0'.repeat(64), architecture: 'llama', backend: 'cpu-f32' };
export const calibration = { version: '1', target_false_positive_rate: 0.01, measured_false_positive_rate: 0.0093 };

/**
 * A finding.
 * @param {string} code
 * @param {string} points_to
 * @param {number} strength
 * @param {string} message
 * @param {Record<string, string>} [values]
 * @param {{start: number, end: number}} [span]
 */
const finding = (code, points_to, strength, message, values = {}, span = undefined) =>
  ({ kind: 'model', code, strength, points_to, message, values, ...(span ? { span } : {}) });

/** @param {{id: string, text: string}} block */
export function judge({ id, text }) {
  const points = [...text];
  const words = text.split(/\s+/).filter(Boolean).length;
  const wanted = /^\s*\[(\w+)\]/.exec(text)?.[1] ?? '';
  const short = words < 40;
  const beside = found(text);
  const declares = beside.some(({ kind, strength }) => ['declared', 'watermark'].includes(kind) && strength === 1);
  const verdict = declares ? 'declared_ai' : short || !VERDICTS.includes(wanted) ? 'unclear' : wanted;
  const centre = { likely_ai: 0.93, declared_ai: 0.9, likely_human: 0.06, human_signed: 0.1, mixed: 0.5, unclear: 0.52 }[verdict] ?? 0.5;
  const sentences = cut(points, /[.!?。！？]/);
  const reports = sentences.map((span, index) => {
    const swing = verdict === 'mixed' ? (index < sentences.length / 2 ? -0.42 : 0.42) : Math.sin(index * 2.3) * 0.2;
    return { span, tokens: 9, mean_logprob: -2.9, probability: short ? null : Math.min(0.98, Math.max(0.02, centre + swing)) };
  });
  const tokens = tokenSpans(points).map((span, index) => {
    const seed = Math.abs(Math.sin(index * 12.9898) * 43758.5453) % 1;
    const rank = Math.max(1, Math.floor(Math.exp(seed * seed * 9.5)));
    return { span, logprob: index === 0 ? null : -0.2 - Math.log(rank) * 0.9, rank: index === 0 ? null : rank,
      entropy: index === 0 ? null : 1 + seed * 4 };
  });
  const last = sentences.at(-1);
  const evidence = short
    ? [finding('too_short', 'neither', 1, `This text is too short to judge: it counts ${words} words, and below 40 chance decides too much.`,
      { words: String(words), minimum: '40' }),
    finding('plain_numbers', 'neither', 0, 'Plain numbers.', { perplexity: '18.2', percent: '61' })]
    : [...verdict === 'unclear'
      ? [finding('between_thresholds', 'neither', 1, 'The numbers don’t settle it: up to 31 % of comparable human texts look at least this much like a model’s (at most 1 % are allowed), and up to 44 % of comparable generated texts look at least this human (at most 5 %).',
        { percent_human: '31', percent_ai: '44', limit_human: '1.0', limit_ai: '5' })]
      : [finding('combined_ai', verdict.includes('human') ? 'human' : 'ai', 0.93, 'Taken together, the numbers look like a model’s text: at most 4 in 1000 comparable human texts look as much like one. Estimated probability: 93 %.',
        { per_thousand: '4', probability: '93' })],
    finding('predictability_ai', 'ai', 0.46, 'The model found the words (perplexity 8.1) easy to predict, as it does a model’s text; only 3 % of human texts go as far.', { perplexity: '8.1', percent: '3' }),
    finding('evenness_usual', 'neither', 0.1, 'Plain and surprising words vary as much as is usual for both humans and models.'),
    finding('of_tomorrow', 'human', 0.2, text.includes('<img') ? HOSTILE : 'A finding that has no translation yet.'),
    ...last ? [finding('sentence_ai', 'ai', 0.4, 'This sentence and the words around it look most like a model’s text (estimated probability of a model: 91 %).', { probability: '91' }, last)] : [],
    finding('caveat', 'neither', 0, 'This compares statistics and proves nothing: in the test, 10 in 1000 human texts were taken for a model’s, and formal, formulaic or often-copied writing is at greater risk.', { per_thousand: '10' })];
  return {
    id, verdict, probability: short ? null : centre, p_value: short ? null : { likely_ai: 0.004 }[verdict] ?? 0.31, evidence: [...beside, ...evidence], sentences: reports,
    words, token_count: tokens.length, language: /\p{Script=Han}/u.test(text) ? 'zh' : 'en',
    detectors: { mean_logprob: -2.91, log_rank: -1.4, lrr: 1.9, fast_detectgpt: 2.07, curvature: 0.12, lastde: 3.1, top_10: 0.71, [HOSTILE]: 1 }, tokens,
  };
}

/**
 * @param {string[]} points
 * @param {RegExp} end
 */
function cut(points, end) {
  const spans = [];
  let start = 0;
  for (let index = 0; index < points.length; index += 1) {
    const closes = end.test(points[index] ?? '') && /\s|^$/.test(points[index + 1] ?? '');
    if (!closes && index < points.length - 1 && points[index] !== '\n') continue;
    if (index + 1 > start && points.slice(start, index + 1).join('').trim() !== '') spans.push({ start, end: index + 1 });
    start = index + 1;
    while (/\s/.test(points[start] ?? '')) start += 1;
    index = Math.max(index, start - 1);
  }
  return spans;
}

/** @param {string[]} points */
function tokenSpans(points) {
  const spans = [];
  for (let start = 0; start < points.length;) {
    if (/\s/.test(points[start] ?? '')) { start += 1; continue; }
    let end = start + 1;
    const letter = (/** @type {string|undefined} */ point) => /[\p{L}\p{N}]/u.test(point ?? '') && !/\p{Script=Han}/u.test(point ?? '');
    while (letter(points[start]) && letter(points[end]) && end - start < 9) end += 1;
    spans.push({ start, end });
    // An emoji takes several tokens of one place, as byte-level vocabularies have it.
    if ((points[start]?.length ?? 0) > 1) spans.push({ start, end });
    start = end;
  }
  return spans;
}

/**
 * Starts the mock on a free port.
 * @returns {Promise<{url: string, link: string, desk: MockDesk, requests: {path: string, body: any, authorization: string|undefined}[],
 *   answers: ((path: string, response: import('node:http').ServerResponse) => boolean)[], close: () => void}>}
 */
export async function mock(port = 0) {
  /** @type {Awaited<ReturnType<typeof mock>>['requests']} */
  const requests = [];
  /** One-off replies that go before the usual ones.
   * @type {Awaited<ReturnType<typeof mock>>['answers']} */
  const answers = [];
  const desk = new MockDesk();
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://mock');
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = text === '' ? null : JSON.parse(text);
    const { authorization } = request.headers;
    const reply = (/** @type {number} */ status, /** @type {unknown} */ value) => json(response, status, value);
    if (pathname.startsWith('/v1/')) requests.push({ path: pathname, body, authorization });
    if (answers[0]?.(pathname, response)) return void answers.shift();
    const known = authorization === 'Bearer mock-token';
    if (pathname === '/v1/session') {
      return body?.code === CODE ? reply(200, { token: 'mock-token', expires_in: 3600 })
        : reply(401, fail('wrong_code', 'this link was used already, is too old, or is from an earlier start', '`bonafide token link` prints a new one'));
    }
    if (pathname.startsWith('/v1/') && !known) return reply(401, fail('no_token', 'a token is required'));
    if (pathname === '/v1/health') return reply(200, { status: 'ok', version: '0.1.0', uptime_seconds: 1, model, calibration });
    if (pathname === '/v1/score') {
      const cutHere = typeof body.html === 'string';
      const blocks = cutHere ? body.html.replace(/<[^>]*>/g, '').split(/\n\n+/).filter((/** @type {string} */ part) => part.trim() !== '')
        .map((/** @type {string} */ part, /** @type {number} */ index) => ({ id: String(index + 1), text: part.trim() })) : body.blocks;
      const judged = blocks.map((/** @type {{id: string, text: string}} */ block) => ({ ...judge(block), ...(cutHere ? { text: block.text } : {}) }));
      return reply(200, { blocks: judged, model, calibration, version: '0.1.0' });
    }
    const [status, value] = desk.answer(pathname, body, request.method) ?? [];
    if (status !== undefined) return reply(status, value);
    const name = { '/': 'index.html', '/sign': 'sign.html', '/pair': 'pair.html' }[pathname] ?? pathname.slice(1);
    if (!/^[a-z0-9]+\.(html|js|css)$/.test(name)) return reply(404, fail('not_found', 'there is nothing at this address'));
    const type = TYPES[/** @type {keyof typeof TYPES} */ (name.split('.')[1])];
    response.writeHead(200, { ...HEADERS, 'content-type': type }).end(await readFile(new URL(name, WEB)));
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : port}`;
  return { url, link: `${url}/?k=${CODE}`, desk, requests, answers, close: () => void server.close() };
}

/**
 * @param {string} code
 * @param {string} message
 * @param {string} [hint]
 */
export const fail = (code, message, hint) => ({ error: { code, message, ...(hint ? { hint } : {}) } });

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {unknown} value
 * @param {Record<string, string>} [headers]
 */
export function json(response, status, value, headers = {}) {
  response.writeHead(status, { ...HEADERS, 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

if (process.argv[1] === new URL(import.meta.url).pathname) console.log((await mock(8018)).link);
