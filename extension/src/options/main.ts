// The options: everything that the user can set, and everything that is kept.

import en from '../_locales/en/options.json' with { type: 'json' };
import zh from '../_locales/zh_CN/options.json' with { type: 'json' };
import { ask } from '../messages.js';
import { Service } from '../pages/service.js';
import { announce, byId, el, message, speak, translate } from '../pages/ui.js';
import type { Settings } from '../protocol.js';
import { data } from './data.js';
import { Desk } from './desk.js';
import { contacts, pins } from './people.js';
import { Rules } from './rules.js';
import { sites } from './sites.js';

const field = (id: string): HTMLInputElement => byId(id) as HTMLInputElement;

async function main(): Promise<void> {
  const settings = await ask('load', {});
  const desk = new Desk(speak({ en, zh_CN: zh }, settings), settings);
  translate(desk.say);
  document.title = desk.say.t('heading');
  const service = program(desk);
  shown(desk);
  new Rules(desk);
  contacts(desk);
  pins(desk);
  language(desk);
  await Promise.all([sites(desk), data(desk), service.begin()]);
  document.documentElement.dataset['ready'] = '';
}

function program(desk: Desk): Service {
  const { say } = desk;
  const port = field('port');
  const service: Service = new Service(byId('service'), say, () => {
    const state = service.state?.state;
    byId('unpair-part').hidden = state !== 'ready' && state !== 'loading';
  });
  desk.show(() => { if (document.activeElement !== port) port.value = String(desk.settings.port); });
  byId('port-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const typed = Number(port.value.trim());
    const right = Number.isInteger(typed) && typed >= 1 && typed <= 65_535;
    port.setAttribute('aria-invalid', String(!right));
    if (!right) return desk.tell(say.t('portWrong'));
    void desk.save({ port: typed }).then(() => {
      announce(say.t('saved'));
      return service.refresh();
    });
  });
  byId('unpair').addEventListener('click', () => {
    ask('unpair', {}).then(() => service.refresh()).then(() => {
      desk.tell(say.t('unpaired'));
      byId('service').querySelector('button')?.focus();
    }, (error: unknown) => desk.tell(message(error)));
  });
  return service;
}

function shown(desk: Desk): void {
  const { say } = desk;
  const strictness = field('strictness');
  const said = byId('strictness-said');
  const tell = (): void => {
    const percent = Number(strictness.value);
    const text = percent <= 50 ? say.t('strictnessNone') : say.t('strictnessSome', { n: percent });
    said.textContent = text;
    strictness.setAttribute('aria-valuetext', text);
  };
  desk.show(() => {
    strictness.value = String(Math.max(50, Math.round(desk.settings.strictness * 100)));
    tell();
  });
  strictness.addEventListener('input', tell);
  strictness.addEventListener('change', () => {
    const percent = Number(strictness.value);
    void desk.save({ strictness: percent <= 50 ? 0 : percent / 100 });
  });
  for (const [id, name] of [['show-unclear', 'showUnclear'], ['signed-only', 'signedOnly'], ['scam', 'scam'], ['sync', 'sync']] as const) {
    const box = field(id);
    desk.show(() => { box.checked = desk.settings[name]; });
    box.addEventListener('change', () => void desk.save({ [name]: box.checked }));
  }
}

function language(desk: Desk): void {
  const choice = byId('language') as HTMLSelectElement;
  choice.value = desk.settings.language;
  choice.addEventListener('change', () => {
    void desk.save({ language: choice.value as Settings['language'] }).then(() => location.reload());
  });
}

main().catch((error: unknown) => {
  document.body.append(el('p', { class: 'error', role: 'alert' }, message(error)));
});
