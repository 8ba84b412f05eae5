// The daemon as popup and options show it: how it is, what to do about it, and pairing.

import { ask } from '../messages.js';
import type { Daemon } from '../protocol.js';
import { announce, button, command, el, message, type Say } from './ui.js';

const EVERY_MS = 1_500;
/** While it is not there or not ready it is asked again. */
const AGAIN_MS = 4_000;

export class Service {
  state: Daemon | null = null;
  private pairing: { code: string; url: string; ends: number } | null = null;
  private said: string | null = null;
  private timer = 0;

  constructor(
    private readonly box: HTMLElement, private readonly say: Say, private readonly changed: () => void = () => undefined,
  ) {}

  /** Asks how it is, and shows that from then on. */
  async begin(): Promise<void> {
    await this.refresh();
    if (this.state?.state !== 'unpaired') return;
    // One that was begun before may wait still, or have been confirmed a moment ago.
    const how = await ask('paired', {}).catch(() => 'ended' as const);
    if (how === 'waiting') await this.pair();
    if (how === 'paired') await this.refresh();
  }

  async refresh(): Promise<void> {
    try {
      this.state = await ask('daemon', {});
      this.said = null;
    } catch (error) {
      this.said = message(error);
    }
    this.show();
    this.changed();
    const settled = this.state?.state === 'ready' || this.state?.state === 'unpaired';
    if (!this.pairing) this.later(() => this.refresh(), settled ? 0 : AGAIN_MS);
  }

  private async pair(): Promise<void> {
    this.said = null;
    try {
      const reply = await ask('pair', {});
      if ('code' in reply) {
        this.pairing = reply;
        this.later(() => this.poll(), EVERY_MS);
      } else {
        this.state = reply.daemon;
      }
    } catch (error) {
      this.said = message(error);
    }
    this.show();
    this.box.querySelector<HTMLElement>('[data-first]')?.focus();
  }

  private async poll(): Promise<void> {
    const how = await ask('paired', {}).catch(() => 'waiting' as const);
    if (how === 'waiting') return this.later(() => this.poll(), EVERY_MS);
    this.pairing = null;
    await this.refresh();
    this.said = this.say.t(how === 'paired' ? 'paired' : how === 'refused' ? 'pairRefused' : 'pairEnded');
    this.show();
    announce(this.said);
  }

  private later(what: () => Promise<void>, milliseconds: number): void {
    clearTimeout(this.timer);
    if (milliseconds > 0) this.timer = window.setTimeout(() => void what(), milliseconds);
  }

  private show(): void {
    const held = this.box.contains(document.activeElement) ? document.activeElement?.getAttribute('data-name') : null;
    this.box.replaceChildren(...this.parts());
    if (held) this.box.querySelector<HTMLElement>(`[data-name="${held}"]`)?.focus();
  }

  private parts(): Node[] {
    const { say, state, pairing } = this;
    if (!state) return [el('p', { class: this.said ? 'error' : 'muted' }, this.said ?? say.t('asking'))];
    const head = el('p', { class: 'row' }, el('span', { class: 'dot', 'data-state': state.state, 'aria-hidden': true }),
      el('strong', { 'data-state': state.state }, say.t(pairing ? 'state_pairing' : `state_${state.state}`)));
    const said = this.said ? [el('p', { class: 'small' }, this.said)] : [];
    if (pairing) return [head, ...this.pairingParts(pairing)];
    switch (state.state) {
      case 'ready': {
        const { name, backend } = state.model;
        const line = [el('p', { class: 'muted small' }, say.t('engine', { model: name, backend, version: state.version }))];
        if (state.calibrations.length === 0) line.push(el('p', { class: 'small' }, say.t('noCalibration')));
        return [head, ...line, ...said];
      }
      case 'loading':
        return [head, el('p', { class: 'muted small' }, say.t('loadingText')), ...said];
      case 'unpaired': {
        const pair = this.named(button(say.t('pair'), () => void this.pair(), 'primary'), 'pair');
        return [head, ...said, el('p', { class: 'muted small' }, say.t('unpairedText')), pair];
      }
      case 'refused': {
        const pair = this.named(button(say.t('pairAgain'), () => void this.pair(), 'primary'), 'pair');
        return [head, ...said, el('p', { class: 'muted small' }, say.t('refusedText')), pair];
      }
      case 'away':
        return [head, ...said, el('p', { class: 'small' }, say.t('awayText')), command('bonafide serve', say),
          el('p', { class: 'muted small' }, say.t('still'))];
      case 'wrong_version':
        return [head, ...said,
          el('p', { class: 'small' }, say.t(state.version === '?' ? 'strangeText' : 'versionText', { version: state.version })),
          command('bonafide --version', say), el('p', { class: 'muted small' }, say.t('still'))];
    }
  }

  private pairingParts({ code, url }: { code: string; url: string }): Node[] {
    const { say } = this;
    const open = button(say.t('openPair'), () => void chrome.tabs.create({ url }), 'primary');
    open.setAttribute('data-first', '');
    return [
      el('p', { class: 'small' }, say.t('pairText')),
      el('p', { class: 'code', 'aria-label': say.t('codeIs', { code: [...code].join(' ') }), role: 'img' }, code),
      this.named(open, 'open'),
      el('p', { class: 'muted small' }, say.t('pairCommand')), command('bonafide pair', say),
    ];
  }

  private named<T extends Element>(element: T, name: string): T {
    element.setAttribute('data-name', name);
    return element;
  }
}
