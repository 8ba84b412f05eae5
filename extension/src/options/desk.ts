// What all parts of the options share: the settings, how they are changed, and the way back from a deletion.

import type en from '../_locales/en/options.json';
import { ask } from '../messages.js';
import { announce, button, byId, el, message, type Say } from '../pages/ui.js';
import type { Settings } from '../protocol.js';

export type OptionsSay = Say<keyof typeof en>;

const TOAST_MS = 12_000;

export class Desk {
  private readonly parts: (() => void)[] = [];
  private timer = 0;

  constructor(readonly say: OptionsSay, public settings: Settings) {}

  /** A part that shows settings, now and whenever they have changed. */
  show(part: () => void): void {
    this.parts.push(part);
    part();
  }

  refresh(): void {
    for (const part of this.parts) part();
  }

  async save(changes: Partial<Settings>): Promise<boolean> {
    try {
      this.settings = await ask('save', changes);
      this.refresh();
      return true;
    } catch (error) {
      this.tell(message(error));
      this.refresh();
      return false;
    }
  }

  /** Saves, and offers to take it back. */
  async remove(changes: Partial<Settings>, said: string): Promise<void> {
    const names = Object.keys(changes) as (keyof Settings)[];
    const before = Object.fromEntries(names.map((name) => [name, this.settings[name]])) as Partial<Settings>;
    if (await this.save(changes)) this.tell(said, () => void this.save(before));
  }

  /** Says something for a while, and what can be done about it. */
  tell(said: string, undo?: () => void): void {
    const toast = byId('toast');
    const close = (): void => {
      toast.hidden = true;
      toast.replaceChildren();
    };
    const box = el('div', {}, el('span', {}, said));
    if (undo) {
      box.append(button(this.say.t('undo'), () => {
        close();
        undo();
        announce(this.say.t('undone'));
      }, 'link'));
    }
    toast.replaceChildren(box);
    toast.hidden = false;
    announce(said);
    clearTimeout(this.timer);
    // Whoever is on their way to the button is not hurried.
    const later = (): void => {
      this.timer = window.setTimeout(() => (toast.contains(document.activeElement) ? later() : close()), TOAST_MS);
    };
    later();
  }
}
