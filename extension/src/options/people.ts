// Contacts, whose keys the user knows, and pins, the keys that identities were first seen with.

import { ask } from '../messages.js';
import { button, byId, el, message } from '../pages/ui.js';
import type { Contact } from '../protocol.js';
import type { Desk } from './desk.js';

const fingerprints = new Map<string, Promise<string>>();

/** A key's fingerprint, as soon as it is known. */
function fingerprint(key: string): HTMLElement {
  const shown = el('span', { class: 'muted small number' }, '…');
  const known = fingerprints.get(key) ?? ask('fingerprint', { key });
  fingerprints.set(key, known);
  known.then((print) => { shown.textContent = print; }, (error: unknown) => {
    fingerprints.delete(key);
    shown.textContent = message(error);
  });
  return shown;
}

function named(name: string, keys: string[]): HTMLElement {
  return el('div', { class: 'stack grow' }, el('strong', { dir: 'auto' }, name), ...keys.map(fingerprint));
}

export function contacts(desk: Desk): void {
  const { say } = desk;
  const list = byId('contacts');
  const form = byId('contact-form') as HTMLFormElement;
  const key = byId('contact-key') as HTMLTextAreaElement;
  const name = byId('contact-name') as HTMLInputElement;
  const wrong = byId('contact-error');

  desk.show(() => {
    const all = desk.settings.contacts;
    list.hidden = all.length === 0;
    list.replaceChildren(...all.map((contact) => {
      const remove = button(say.t('remove'), () => {
        const rest = all.filter((one) => one !== contact);
        void desk.remove({ contacts: rest }, say.t('contactRemoved', { name: contact.name })).then(() => key.focus());
      });
      remove.setAttribute('aria-label', say.t('removeWhom', { name: contact.name }));
      return el('li', {}, named(contact.name, [contact.key]), remove);
    }));
  });

  // A line of an OpenSSH file ends with a comment, which is often a name.
  key.addEventListener('input', () => {
    const comment = key.value.trim().split(/\s+/).slice(2).join(' ');
    if (name.value === '' && comment !== '') name.value = comment.slice(0, 200);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void add();
  });

  async function add(): Promise<void> {
    const typed = key.value.trim().split(/\s+/).slice(0, 2).join(' ');
    const called = name.value.trim();
    const problem = await check(typed, called);
    wrong.textContent = problem?.said ?? '';
    if (problem) return problem.at.focus();
    const contact: Contact = { name: called, key: typed, added: new Date().toISOString() };
    if (!(await desk.save({ contacts: [...desk.settings.contacts, contact] }))) return;
    form.reset();
    desk.tell(say.t('contactAdded', { name: called }));
    key.focus();
  }

  async function check(typed: string, called: string): Promise<{ said: string; at: HTMLElement } | null> {
    try {
      await ask('fingerprint', { key: typed });
    } catch (error) {
      return { said: message(error), at: key };
    }
    const known = desk.settings.contacts.find((one) => one.key === typed);
    if (known) return { said: say.t('contactKnown', { name: known.name }), at: key };
    return called === '' ? { said: say.t('contactUnnamed'), at: name } : null;
  }
}

export function pins(desk: Desk): void {
  const { say } = desk;
  const list = byId('pins');
  desk.show(() => {
    const all = Object.entries(desk.settings.pins).sort(([one], [other]) => one.localeCompare(other));
    list.replaceChildren(...all.map(([identity, keys]) => {
      const remove = button(say.t('remove'), () => {
        const rest = Object.fromEntries(all.filter(([one]) => one !== identity));
        void desk.remove({ pins: rest }, say.t('pinRemoved', { name: identity }));
      });
      remove.setAttribute('aria-label', say.t('removeWhom', { name: identity }));
      return el('li', {}, named(identity, keys), remove);
    }));
    if (all.length === 0) list.append(el('li', { class: 'muted' }, say.t('pinsNone')));
  });
}
