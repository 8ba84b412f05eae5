// Sites: which may be labelled, and which are switched off.

import { announce, button, byId, el, message } from '../pages/ui.js';
import type { Desk } from './desk.js';

const ALL = ['http://*/*', 'https://*/*'];

/** A granted origin as a person reads it. */
function named(origin: string, desk: Desk): string {
  const [, scheme, host] = /^(\*|https?):\/\/([^/]+)\//.exec(origin) ?? [];
  if (host === undefined) return origin;
  if (host === '*') return desk.say.t(scheme === 'http' ? 'allHttp' : scheme === 'https' ? 'allHttps' : 'allSites');
  return scheme === 'http' ? `http://${host}` : host;
}

export async function sites(desk: Desk): Promise<void> {
  const { say } = desk;
  const list = byId('granted');
  const off = byId('off');
  const all = byId('all');

  async function show(): Promise<void> {
    const { origins = [] } = await chrome.permissions.getAll();
    const own = chrome.runtime.getManifest().host_permissions ?? [];
    const granted = origins.filter((origin) => !own.includes(origin)).sort();
    byId('all-part').hidden = ALL.every((origin) => granted.includes(origin)) || granted.includes('*://*/*');
    list.replaceChildren(...granted.map((origin) => {
      const name = named(origin, desk);
      const revoke = button(say.t('revoke'), () => {
        chrome.permissions.remove({ origins: [origin] }).then(() => {
          announce(say.t('revoked', { site: name }));
          list.querySelector('button')?.focus();
        }, (error: unknown) => desk.tell(message(error)));
      });
      revoke.setAttribute('aria-label', say.t('revokeWhat', { site: name }));
      return el('li', {}, el('span', { class: 'grow' }, name), revoke);
    }));
    if (granted.length === 0) list.append(el('li', { class: 'muted' }, say.t('grantedNone')));
  }

  desk.show(() => {
    const hosts = desk.settings.off;
    off.replaceChildren(...hosts.map((host) => {
      const on = button(say.t('onAgain'), () => {
        void desk.remove({ off: hosts.filter((one) => one !== host) }, say.t('isOn', { site: host }));
      });
      on.setAttribute('aria-label', say.t('onAgainWhat', { site: host }));
      return el('li', {}, el('span', { class: 'grow' }, host), on);
    }));
    if (hosts.length === 0) off.append(el('li', { class: 'muted' }, say.t('offNone')));
  });
  // The browser asks only if this follows the click at once.
  all.addEventListener('click', () => {
    chrome.permissions.request({ origins: ALL }).catch((error: unknown) => desk.tell(message(error)));
  });
  chrome.permissions.onAdded.addListener(() => void show());
  chrome.permissions.onRemoved.addListener(() => void show());
  await show();
}
