// What is kept on this machine: to see, to take along, to bring back, to erase.

import { understood } from '../background/settings.js';
import { ask } from '../messages.js';
import { announce, byId, el, message } from '../pages/ui.js';
import type { Note } from '../protocol.js';
import type { Desk } from './desk.js';

export async function data(desk: Desk): Promise<void> {
  const { say } = desk;
  let notes: Note[] = [];
  let damaged: Record<string, unknown> = {};
  const file = byId('import-file') as HTMLInputElement;
  const dialog = byId('erase-dialog') as HTMLDialogElement;

  async function read(): Promise<void> {
    notes = await ask('notes', {});
    const stored = Object.entries(await chrome.storage.local.get(null));
    damaged = Object.fromEntries(stored.filter(([key]) => key.startsWith('damaged:')));
    desk.refresh();
  }

  desk.show(() => {
    const { rules, contacts, pins, off } = desk.settings;
    const rows: [string, number][] = [
      [say.t('countRules'), rules.length], [say.t('countContacts'), contacts.length],
      [say.t('countPins'), Object.keys(pins).length], [say.t('countOff'), off.length], [say.t('countNotes'), notes.length],
    ];
    const kept = Object.keys(damaged).length;
    if (kept > 0) rows.push([say.t('countDamaged'), kept]);
    byId('counts').replaceChildren(...rows.map(([name, n]) =>
      el('div', {}, el('dt', {}, name), el('dd', { class: 'number' }, say.t('number', { n })))));
    byId('notes-part').hidden = notes.length === 0;
    byId('notes').replaceChildren(table(notes));
  });

  function table(all: Note[]): HTMLElement {
    const heads = [say.t('noteAt'), say.t('noteHost'), say.t('noteVerdict'), say.t('noteSaid'), say.t('noteComment')];
    const when = new Intl.DateTimeFormat(say.language === 'en' ? 'en' : 'zh-CN', { dateStyle: 'medium', timeStyle: 'short' });
    return el('table', {},
      el('thead', {}, el('tr', {}, ...heads.map((head) => el('th', { scope: 'col' }, head)))),
      el('tbody', {}, ...all.toReversed().map(({ at, host, verdict, said, comment }) => el('tr', {},
        el('td', {}, when.format(new Date(at))), el('td', {}, host), el('td', {}, say.t(`chip_${verdict}`)),
        el('td', {}, say.t(`said_${said}`)), el('td', { dir: 'auto' }, comment)))));
  }

  byId('export').addEventListener('click', () => {
    const kept = { bonafide: chrome.runtime.getManifest().version, settings: desk.settings, notes, damaged };
    const url = URL.createObjectURL(new Blob([`${JSON.stringify(kept, null, 2)}\n`], { type: 'application/json' }));
    const link = el('a', { href: url, download: 'bonafide.json' });
    link.click();
    // The download has begun by then.
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    announce(say.t('exported'));
  });
  byId('import').addEventListener('click', () => file.click());
  file.addEventListener('change', () => void take());

  async function take(): Promise<void> {
    const wrong = byId('import-error');
    wrong.textContent = '';
    try {
      const [chosen] = file.files ?? [];
      if (!chosen) return;
      const parsed: unknown = JSON.parse(await chosen.text());
      const { fields, whole } = understood((parsed as { settings?: unknown } | null)?.settings);
      if (Object.keys(fields).length === 0) throw new Error(say.t('importNothing'));
      await desk.remove(fields, say.t(whole ? 'imported' : 'importedPart'));
    } catch (error) {
      wrong.textContent = error instanceof SyntaxError ? say.t('importNothing') : message(error);
    } finally {
      file.value = '';
    }
  }

  byId('erase').addEventListener('click', () => {
    dialog.returnValue = '';
    dialog.showModal();
  });
  dialog.addEventListener('close', () => {
    if (dialog.returnValue !== 'yes') return;
    ask('erase', {}).then(() => location.reload(), (error: unknown) => desk.tell(message(error)));
  });
  await read();
}
