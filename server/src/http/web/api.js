// @ts-check
// The daemon as the page knows it: its shapes, the page's token, and requests that wait when the daemon says so.

/**
 * @typedef {{start: number, end: number}} Span Code points of the block's text.
 * @typedef {'human_signed'|'likely_human'|'unclear'|'mixed'|'likely_ai'|'declared_ai'} Verdict
 * @typedef {{kind: string, code: string, strength: number, points_to: 'ai'|'human'|'neither', span?: Span,
 *   message: string, values?: Record<string, string>}} Evidence
 * @typedef {{span: Span, tokens: number, mean_logprob: number|null, probability: number|null}} Sentence
 * @typedef {{span: Span, logprob: number|null, rank: number|null, entropy: number|null}} Token
 * @typedef {{id: string, verdict: Verdict, probability: number|null, p_value: number|null, evidence: Evidence[],
 *   sentences: Sentence[], words: number, token_count: number, language: string|null, calibration?: string,
 *   detectors: Record<string, number>, tokens?: Token[], text?: string}} BlockReport
 * @typedef {{name: string, sha256: string, architecture: string, backend: string}} Model
 * @typedef {{version: string, languages?: string[], target_false_positive_rate: number,
 *   measured_false_positive_rate: number}} Calibration
 * @typedef {{blocks: BlockReport[], model: Model, calibration: Calibration|null, calibrations?: Calibration[],
 *   version: string}} Report
 * @typedef {{id: string, text: string}} Block
 * @typedef {{status: 'ok'|'loading', version?: string, model?: Model, calibration?: Calibration|null}} Health
 */

const TOKEN = 'bonafide-token';
/** How often a request is sent again when the daemon is busy; while it loads its model there is no limit. */
const BUSY_TRIES = 6;

/** A failure in the daemon's one error shape, or of the connection (`unreachable`). */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   * @param {string} [hint]
   */
  constructor(status, code, message, hint) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint ?? '';
  }
}

/** Whether the page has a token. */
export function hasToken() {
  return sessionStorage.getItem(TOKEN) !== null;
}

/** Forgets a token that the daemon does not know. */
export function forgetToken() {
  sessionStorage.removeItem(TOKEN);
}

/**
 * Turns the code of a one-time link into the page's token, and takes it out of the address bar and the history.
 * An old token stays if the code turns out to be used up.
 */
export async function enter() {
  const address = new URL(location.href);
  const code = address.searchParams.get('k');
  if (code === null) return;
  address.searchParams.delete('k');
  history.replaceState(null, '', address.pathname + address.search + address.hash);
  const reply = await request('POST', '/v1/session', { code }, undefined, false);
  sessionStorage.setItem(TOKEN, /** @type {{token: string}} */ (reply).token);
}

/** @returns {Promise<Health>} */
export async function health() {
  return /** @type {Promise<Health>} */ (request('GET', '/v1/health'));
}

/**
 * Scores, waiting and trying again while the daemon is loading its model or is busy.
 * @param {{blocks: Block[]}|{html: string}} input
 * @param {AbortSignal} signal
 * @param {(code: 'loading'|'overloaded') => void} onWait
 * @returns {Promise<Report>}
 */
export async function score(input, signal, onWait) {
  for (let busy = 0; ; ) {
    try {
      return /** @type {Report} */ (await request('POST', '/v1/score', { ...input, tokens: true }, signal));
    } catch (error) {
      if (!(error instanceof Waiting)) throw error;
      if (error.code !== 'loading' && ++busy >= BUSY_TRIES) throw error;
      onWait(error.code === 'loading' ? 'loading' : 'overloaded');
      await pause(error.seconds * 1000, signal);
    }
  }
}

/** A refusal that says when to come again. */
class Waiting extends ApiError {
  /**
   * @param {ApiError} error
   * @param {number} seconds
   */
  constructor(error, seconds) {
    super(error.status, error.code, error.message, error.hint);
    this.seconds = seconds;
  }
}

/**
 * One request; the page's token goes with it.
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {AbortSignal} [signal]
 * @param {boolean} [withToken]
 * @returns {Promise<unknown>}
 */
export async function request(method, path, body, signal, withToken = true) {
  /** @type {Record<string, string>} */
  const headers = {};
  const token = sessionStorage.getItem(TOKEN);
  if (withToken && token !== null) headers['authorization'] = `Bearer ${token}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  let response;
  let reply;
  try {
    response = await fetch(path, {
      method, headers, cache: 'no-store', credentials: 'omit', referrerPolicy: 'no-referrer',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }), ...(signal ? { signal } : {}),
    });
    reply = await response.text();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'unreachable', 'The daemon does not answer.');
  }
  const parsed = parse(reply);
  if (response.ok) return parsed;
  const said = /** @type {{error?: {code?: string, message?: string, hint?: string}}|null} */ (parsed)?.error;
  const error = new ApiError(response.status, said?.code ?? 'unknown', said?.message ?? response.statusText, said?.hint);
  if (response.status !== 429 && response.status !== 503) throw error;
  const seconds = Number(response.headers.get('retry-after') ?? 2);
  throw new Waiting(error, Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), 30) : 2);
}

/**
 * @param {string} text
 * @returns {unknown}
 */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new DOMException('aborted', 'AbortError'));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve(undefined);
    }, milliseconds);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
}
