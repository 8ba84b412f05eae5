// @ts-check
// The page: takes a text, has it scored batch by batch, and keeps the text pane and the report in step.

import * as api from './api.js';
import { countWords, cut, plainMarkdown } from './blocks.js';
import { byId } from './dom.js';
import { announce, letIn, lock, tellError } from './frame.js';
import { number, plural, t } from './i18n.js';
import { Watch } from './pairing.js';
import { Reading, legend } from './reading.js';
import { render, summary } from './report.js';
import { translate, wireSettings } from './settings.js';

/** @typedef {import('./reading.js').Passage} Passage */
/** @typedef {import('./report.js').Meta} Meta */

const MAX_FILE = 5_000_000;
/** Words in the first request, so that something is seen soon, and in those after it. */
const FIRST_WORDS = 300;
const BATCH_WORDS = 1500;
const BATCH_BLOCKS = 100;

const input = byId('input', HTMLTextAreaElement);
const results = byId('results', HTMLElement);
const progress = byId('progress', HTMLElement);
const progressBar = byId('progress-bar', HTMLProgressElement);
const progressLabel = byId('progress-label', HTMLElement);
const cancel = byId('cancel', HTMLButtonElement);
const main = byId('main', HTMLElement);
const reading = new Reading(byId('reading', HTMLElement), (index) => select(index, false));

const state = {
  /** @type {Passage[]} */
  passages: [],
  selected: 0,
  /** @type {Meta|null} */
  meta: null,
  /** An HTML file to be judged instead of the text area.
   * @type {{name: string, html: string}|null} */
  file: null,
  /** @type {AbortController|null} */
  running: null,
  /** What went wrong last, so that it can be said in another language.
   * @type {{code: string, message: string, hint: string}|null} */
  error: null,
  /** @type {() => string} */
  progressText: () => '',
  /** @type {() => string} */
  engineText: () => '',
  detectorsOpen: false,
};

function localise() {
  translate();
  input.placeholder = t('placeholder');
  byId('shortcut', HTMLElement).textContent = /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘ ↵' : 'Ctrl ↵';
  byId('engine', HTMLElement).textContent = state.engineText();
  progressLabel.textContent = state.progressText();
  showCount();
  showError(state.error);
  if (main.dataset['phase'] !== 'read') return;
  reading.show(state.passages);
  reading.select(state.selected);
  showView();
  showReport();
}

/** @returns {'sentences'|'words'} */
function view() {
  return document.querySelector('input[name="view"][value="words"]:checked') ? 'words' : 'sentences';
}

function showView() {
  byId('reading', HTMLElement).dataset['view'] = view();
  byId('legend', HTMLElement).replaceChildren(...legend(view()));
  reading.watch();
}

// ---- input ----

function showCount() {
  const reads = main.dataset['phase'] === 'read';
  const words = reads ? state.passages.reduce((sum, one) => sum + countWords(one.text), 0) : countWords(input.value);
  let said = words === 0 ? '' : plural('words', words);
  if (reads && state.passages.length > 1) said += ` · ${t('passages', { n: number(state.passages.length) })}`;
  byId('count', HTMLElement).textContent = said;
  byId('clear', HTMLElement).hidden = input.value === '' && state.file === null;
}

/** @param {File} file */
async function open(file) {
  if (file.size > MAX_FILE) return showError({ code: 'fileLarge', message: '', hint: '' });
  const text = decode(await file.arrayBuffer());
  if (text === null) return showError({ code: 'notText', message: '', hint: '' });
  showError(null);
  write();
  const html = /\.x?html?$/i.test(file.name) || file.type === 'text/html';
  state.file = html ? { name: file.name, html: text } : null;
  input.value = html ? '' : /\.(md|markdown)$/i.test(file.name) ? plainMarkdown(text) : text;
  input.hidden = html;
  byId('file-card', HTMLElement).hidden = !html;
  byId('file-name', HTMLElement).textContent = file.name;
  byId('file-size', HTMLElement).textContent =
    number(file.size / 1000, { style: 'unit', unit: 'kilobyte', maximumFractionDigits: 0 });
  showCount();
  byId('score', HTMLButtonElement).focus();
}

/**
 * UTF-8, or UTF-16 where the file says so; nothing for anything else.
 * @param {ArrayBuffer} bytes
 */
function decode(bytes) {
  const [first, second] = new Uint8Array(bytes);
  const wide = first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  try {
    const text = new TextDecoder(wide, { fatal: true }).decode(bytes);
    return text.includes('\0') || text.startsWith('%PDF-') ? null : text;
  } catch {
    return null;
  }
}

function clear() {
  input.value = '';
  input.hidden = false;
  state.file = null;
  byId('file-card', HTMLElement).hidden = true;
  showError(null);
  showCount();
  input.focus();
}

/** @param {'write'|'read'} phase */
function enter(phase) {
  const reads = phase === 'read';
  main.dataset['phase'] = phase;
  byId('writing', HTMLElement).hidden = reads;
  byId('write-actions', HTMLElement).hidden = reads;
  byId('reading-pane', HTMLElement).hidden = !reads;
  byId('read-actions', HTMLElement).hidden = !reads;
  byId('welcome', HTMLElement).hidden = reads;
  if (!reads) results.hidden = true;
  showCount();
}

function write() {
  state.running?.abort();
  reading.show([]);
  state.passages = [];
  enter('write');
}

// ---- scoring ----

async function start() {
  if (state.running || main.dataset['phase'] === 'read') return;
  const { file } = state;
  const blocks = file ? [] : cut(input.value);
  if (!file && blocks.length === 0) {
    showError({ code: 'empty', message: '', hint: '' });
    return input.focus();
  }
  state.passages = blocks.map((text, index) => ({ id: String(index + 1), text, report: null }));
  state.selected = 0;
  state.meta = null;
  enter('read');
  reading.show(state.passages);
  showView();
  await run();
}

/** Scores what has no report yet. */
async function run() {
  const running = new AbortController();
  state.running = running;
  showError(null);
  progress.hidden = false;
  cancel.focus();
  try {
    if (state.file && state.passages.length === 0) await readFile(state.file.html, running.signal);
    else await readPassages(running.signal);
    announce(t('done', { verdict: summary(state.passages) }));
  } catch (error) {
    failed(error);
  } finally {
    if (state.running === running) state.running = null;
    const follow = progress.contains(document.activeElement) || document.activeElement === document.body;
    progress.hidden = true;
    if (follow && !results.hidden) document.getElementById('verdict')?.focus();
  }
}

/** @param {AbortSignal} signal */
async function readPassages(signal) {
  const all = state.passages.map((passage) => countWords(passage.text));
  const total = all.reduce((sum, words) => sum + words, 0);
  for (;;) {
    const first = state.passages.findIndex((passage) => passage.report === null);
    if (first < 0) return;
    const done = all.slice(0, first).reduce((sum, words) => sum + words, 0);
    showProgress(() => t('working', { done: number(done), all: number(total) }), total === 0 ? 0 : done / total);
    let last = first + 1;
    let words = all[first] ?? 0;
    const budget = first === 0 ? FIRST_WORDS : BATCH_WORDS;
    while (last < state.passages.length && last - first < BATCH_BLOCKS && words + (all[last] ?? 0) <= budget) {
      words += all[last] ?? 0;
      last += 1;
    }
    const blocks = state.passages.slice(first, last).map(({ id, text }) => ({ id, text }));
    take(await api.score({ blocks }, signal, waiting), first, signal);
  }
}

/**
 * @param {string} html
 * @param {AbortSignal} signal
 */
async function readFile(html, signal) {
  showProgress(() => t('workingFile'));
  const report = await api.score({ html }, signal, waiting);
  state.passages = report.blocks.map((block) => ({ id: block.id, text: block.text ?? '', report: null }));
  reading.show(state.passages);
  take(report, 0, signal);
  showCount();
  showView();
}

/**
 * @param {api.Report} report
 * @param {number} first The passage that its first block belongs to.
 * @param {AbortSignal} signal
 */
function take(report, first, signal) {
  // A reply that came just as the reader went back to writing belongs to no passage any more.
  signal.throwIfAborted();
  const { blocks, ...meta } = report;
  state.meta = meta;
  for (const [offset, block] of blocks.entries()) {
    const passage = state.passages[first + offset];
    if (!passage) continue;
    passage.report = block;
    reading.update(first + offset);
  }
  engine(meta.model, meta.version);
  reading.select(state.selected);
  reading.watch();
  showReport();
}

/** @param {'loading'|'overloaded'} why */
function waiting(why) {
  showProgress(() => t(`waiting_${why}`));
  announce(t(`waiting_${why}`));
}

/**
 * @param {() => string} text
 * @param {number} [share] Absent if nobody knows how long it takes.
 */
function showProgress(text, share) {
  state.progressText = text;
  progressLabel.textContent = text();
  if (share === undefined) progressBar.removeAttribute('value');
  else progressBar.value = share;
}

/** @param {unknown} error */
function failed(error) {
  if (error instanceof DOMException && error.name === 'AbortError') {
    const some = reports().length > 0;
    announce(t(some ? 'cancelledSome' : 'cancelled'));
    if (!some && main.dataset['phase'] === 'read') backToWriting();
    return;
  }
  if (!(error instanceof api.ApiError)) throw error;
  if (error.status === 401) lock();
  if (reports().length === 0) backToWriting();
  showError(error);
}

function backToWriting() {
  write();
  input.focus();
}

/** @returns {api.BlockReport[]} */
function reports() {
  return state.passages.flatMap((passage) => passage.report ?? []);
}

// ---- what is shown ----

/** @param {{code: string, message: string, hint: string}|null} error */
function showError(error) {
  state.error = error;
  tellError(error);
  byId('retry', HTMLElement).hidden = !state.passages.some((passage) => passage.report === null);
}

function showReport() {
  if (!state.meta || reports().length === 0) return;
  reading.unpoint(true);
  const focused = results.contains(document.activeElement) ? document.activeElement : null;
  const parts = render(state.passages, state.selected, state.meta, {
    select: (index) => select(index, true),
    locate: (span) => reading.reveal(state.selected, span),
    point: (span) => (span ? reading.point(state.selected, span) : reading.unpoint(false)),
    copy,
  });
  const name = focused ? nameOf(focused) : '';
  results.replaceChildren(...parts);
  results.hidden = false;
  const details = results.querySelector('details');
  if (details) {
    details.open = state.detectorsOpen;
    details.addEventListener('toggle', () => { state.detectorsOpen = details.open; });
  }
  if (!focused) return;
  const same = [...results.querySelectorAll('button, a, summary, h2')].find((one) => nameOf(one) === name);
  const target = same instanceof HTMLButtonElement && same.disabled ? null : same;
  if (target instanceof HTMLElement) target.focus();
  else document.getElementById('verdict')?.focus();
}

/** @param {Element} element */
function nameOf(element) {
  return element.id || element.getAttribute('aria-label') || element.textContent;
}

/**
 * @param {number} index
 * @param {boolean} reveal
 */
function select(index, reveal) {
  if (!state.passages[index]) return;
  state.selected = index;
  reading.select(index);
  if (reveal) reading.reveal(index);
  showReport();
}

async function copy() {
  if (!state.meta) return;
  // The tokens are a hundred times the rest; whoever needs them asks the daemon.
  const blocks = reports().map(({ tokens: _, text: __, ...block }) => block);
  try {
    await navigator.clipboard.writeText(JSON.stringify({ blocks, ...state.meta }, null, 2));
    said('copied');
  } catch {
    said('notCopied');
  }
}

/** @param {'copied'|'notCopied'} key */
function said(key) {
  announce(t(key));
  const button = results.querySelector('.copy');
  if (button) button.textContent = t(key);
}

/**
 * @param {api.Model} model
 * @param {string} version
 */
function engine(model, version) {
  state.engineText = () => t('engine', { model: model.name, backend: model.backend, version });
  byId('engine', HTMLElement).textContent = state.engineText();
}

// ---- beginning ----

function wire() {
  wireSettings(localise);
  const file = byId('file', HTMLInputElement);
  file.addEventListener('change', () => {
    const [first] = file.files ?? [];
    if (first) void open(first);
    file.value = '';
  });
  on('open', () => file.click());
  on('clear', clear);
  on('file-remove', clear);
  on('score', () => void start());
  on('cancel', () => state.running?.abort());
  on('retry', () => void run());
  on('edit', backToWriting);
  on('new', () => {
    write();
    clear();
  });
  input.addEventListener('input', showCount);
  for (const radio of document.querySelectorAll('input[name="view"]')) radio.addEventListener('change', showView);
  results.addEventListener('click', (event) => {
    const part = event.target instanceof Element ? event.target.closest('[data-index]') : null;
    if (part instanceof HTMLElement) select(Number(part.dataset['index']), true);
  });
  addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void start();
    }
  });
  wireDrop();
}

/**
 * @param {string} id
 * @param {() => void} action
 */
function on(id, action) {
  byId(id, HTMLButtonElement).addEventListener('click', action);
}

function wireDrop() {
  const veil = byId('drop', HTMLElement);
  const carriesFile = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes('Files') ?? false;
  addEventListener('dragover', (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    veil.hidden = false;
  });
  addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) veil.hidden = true;
  });
  addEventListener('drop', (event) => {
    veil.hidden = true;
    const [file] = event.dataTransfer?.files ?? [];
    if (!file) return;
    event.preventDefault();
    void open(file);
  });
}

/** Says so when a browser extension waits to be let in. */
const pairing = new Watch((all, arrived) => {
  byId('pairing', HTMLElement).hidden = all.length === 0;
  if (arrived) announce(t('pairWaiting'));
});

/** Exchanges the link's code, and finds out whether the page may ask and what will answer. */
async function connect() {
  await letIn(showError);
  if (!api.hasToken()) return lock();
  void pairing.start();
  try {
    const { status, model, version } = await api.health();
    if (model && version) return engine(model, version);
    if (status !== 'loading') return;
    state.engineText = () => t('engineLoading');
    byId('engine', HTMLElement).textContent = state.engineText();
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    if (error.status === 401) lock();
    else showError(error);
  }
}

wire();
localise();
input.focus();
await connect();
document.documentElement.dataset['ready'] = 'true';
