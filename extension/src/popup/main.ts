// The popup: the page in the tab at a glance, whether its site is labelled, and how the daemon is.

import en from '../_locales/en/popup.json' with { type: 'json' };
import zh from '../_locales/zh_CN/popup.json' with { type: 'json' };
import { addressOf } from '../address.js';
import { ask, order } from '../messages.js';
import { Service } from '../pages/service.js';
import { announce, byId, el, message, speak, translate, type Say } from '../pages/ui.js';
import type { Settings, SiteState, Summary } from '../protocol.js';
import * as glance from './glance.js';

export type PopupSay = Say<keyof typeof en>;

const siteBox = byId('site');
const pageBox = byId('page');
const signatureBox = byId('signatures');
const toggle = byId('label-site') as HTMLInputElement;
const rescan = byId('rescan');

interface Tab { id: number; url: URL | null }

async function main(): Promise<void> {
  let settings = await ask('load', {});
  const say = speak({ en, zh_CN: zh }, settings);
  translate(say);
  const tab = await current();
  const service = new Service(byId('service'), say);
  let state: SiteState = 'impossible';
  let summary: Summary | null = null;

  async function refresh(): Promise<void> {
    if (!tab) return showSite();
    state = tab.url ? await ask('site', { host: tab.url.hostname, origin: tab.url.origin }) : 'impossible';
    summary = await ask('glance', { tab: tab.id });
    showSite();
    showPage();
  }

  function showSite(): void {
    const host = tab?.url?.hostname ?? '';
    byId('switch').hidden = state !== 'on' && state !== 'off';
    byId('host').textContent = say.t('labelHost', { host });
    toggle.checked = state === 'on';
    const held = siteBox.contains(document.activeElement);
    siteBox.hidden = state === 'on';
    siteBox.replaceChildren(...siteParts(host));
    if (held) (siteBox.hidden ? toggle : siteBox.querySelector('button'))?.focus();
  }

  function siteParts(host: string): Node[] {
    const title = (text: string): HTMLElement => el('h2', { class: 'display', id: 'site-title' }, text);
    const text = (name: Parameters<PopupSay['t']>[0]): HTMLElement => el('p', { class: 'muted small' }, say.t(name));
    if (state === 'off') return [title(say.t('offTitle', { host })), text('offText')];
    if (state === 'impossible') return [title(say.t('impossible')), text('impossibleText')];
    const always = el('button', { type: 'button', class: 'primary' }, say.t('always'));
    always.addEventListener('click', () => grant());
    const once = el('button', { type: 'button', class: 'quiet' }, say.t('once'));
    once.addEventListener('click', () => void labelOnce());
    // Once it is labelled for this time, only the lasting permission is left to ask for.
    return [title(say.t(summary ? 'questionAgain' : 'question', { host })), text('questionText'),
      el('div', { class: 'row' }, always, ...summary ? [] : [once])];
  }

  /** The browser asks only if this follows the click at once. */
  function grant(): void {
    if (!tab?.url) return;
    const { protocol, hostname } = tab.url;
    // A site without encryption is likely to move to it, and would have to be asked about again.
    const schemes = protocol === 'https:' ? ['https:'] : ['http:', 'https:'];
    chrome.permissions.request({ origins: schemes.map((scheme) => `${scheme}//${hostname}/*`) })
      .then((given) => (given ? refresh() : announce(say.t('notGranted'))), failed);
  }

  async function labelOnce(): Promise<void> {
    if (!tab) return;
    await ask('once', { tab: tab.id }).then(refresh, failed);
  }

  function showPage(): void {
    pageBox.hidden = summary === null;
    rescan.hidden = summary === null;
    signatureBox.hidden = !summary || summary.statements.length === 0;
    if (!summary) {
      if (state === 'on') {
        pageBox.hidden = false;
        pageBox.replaceChildren(pageTitle(say.t('notYet')), el('p', { class: 'muted small' }, say.t('notYetText')));
      }
      return;
    }
    const held = pageBox.contains(document.activeElement);
    pageBox.replaceChildren(...glance.page(summary, say, () => {
      if (tab) void order(tab.id, 'reveal', {}).then(() => announce(say.t('revealed')));
    }));
    if (held) (pageBox.querySelector('button') ?? rescan).focus();
    if (!signatureBox.hidden) signatureBox.replaceChildren(...glance.signatures(summary.statements, say));
  }

  function pageTitle(text: string): HTMLElement {
    return el('h2', { class: 'display', id: 'page-title' }, text);
  }

  function failed(error: unknown): void {
    pageBox.hidden = false;
    pageBox.replaceChildren(pageTitle(say.t('failedTitle')), el('p', { class: 'error small' }, message(error)));
    announce(message(error));
  }

  toggle.addEventListener('change', () => {
    const host = tab?.url?.hostname;
    if (!tab || host === undefined) return;
    const others = settings.off.filter((one) => one !== host);
    const off = toggle.checked ? others : [...others, host];
    void save({ off }).then(refresh, failed);
  });
  rescan.addEventListener('click', () => {
    if (tab) void order(tab.id, 'rescan', {}).then(() => announce(say.t('rescanned')));
  });
  byId('write').addEventListener('click', () => void chrome.tabs.create({ url: `http://127.0.0.1:${settings.port}/sign` }));
  byId('options').addEventListener('click', () => void chrome.runtime.openOptionsPage());
  if (tab) {
    const key = `tab:${tab.id}`;
    chrome.storage.session.onChanged.addListener((changes) => {
      if (Object.hasOwn(changes, key)) void refresh().catch(failed);
    });
  }

  async function save(changes: Partial<Settings>): Promise<void> {
    settings = await ask('save', changes);
  }

  await Promise.all([refresh().catch(failed), service.begin()]);
  document.documentElement.dataset['ready'] = '';
}

/** The tab that the popup is about. Where a popup fills a tab of its own, its address says which. */
async function current(): Promise<Tab | null> {
  const named = Number(new URLSearchParams(location.search).get('tab') ?? NaN);
  const tab = Number.isInteger(named) ? await chrome.tabs.get(named)
    : (await chrome.tabs.query({ active: true, currentWindow: true }))[0];
  if (tab?.id === undefined) return null;
  const url = addressOf(tab.url);
  return { id: tab.id, url: url && ['http:', 'https:'].includes(url.protocol) ? url : null };
}

main().catch((error: unknown) => {
  document.body.append(el('p', { class: 'error plain', role: 'alert' }, message(error)));
});
