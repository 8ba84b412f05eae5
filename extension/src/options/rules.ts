// Rules of the filter: an ordered list, of which the first that fits a text decides.

import { addressOf } from '../address.js';
import { announce, button, byId, el, icon } from '../pages/ui.js';
import type { Action, Kind, Rule, Verdict } from '../protocol.js';
import type { Desk } from './desk.js';

const VERDICTS: Verdict[] = ['declared_ai', 'likely_ai', 'mixed', 'unclear', 'likely_human', 'human_signed'];
const KINDS: Kind[] = ['article', 'post', 'comment', 'message'];
const ACTIONS: Action[] = ['badge', 'dim', 'collapse', 'hide', 'nothing'];

/** What a new rule begins as. */
const PROPOSAL = { on: true, verdicts: ['likely_ai'], action: 'collapse' } satisfies Omit<Rule, 'id'>;

export class Rules {
  private editing: string | null = null;
  private readonly list = byId('rules');
  private readonly fresh = byId('rule-new');
  private readonly adder = byId('rule-add') as HTMLButtonElement;

  constructor(private readonly desk: Desk) {
    this.adder.addEventListener('click', () => this.edit('new'));
    desk.show(() => this.show());
  }

  private get rules(): Rule[] {
    return this.desk.settings.rules;
  }

  private show(): void {
    const { say } = this.desk;
    this.list.hidden = this.rules.length === 0;
    this.list.replaceChildren(...this.rules.map((rule, place) => this.item(rule, place)));
    this.fresh.replaceChildren();
    if (this.editing === 'new') this.fresh.append(this.form({ ...PROPOSAL, id: crypto.randomUUID() }));
    else if (this.rules.length === 0) this.fresh.append(el('p', { class: 'muted' }, say.t('rulesNone')));
    this.adder.hidden = this.editing === 'new';
  }

  private item(rule: Rule, place: number): HTMLElement {
    const { say } = this.desk;
    const said = this.sentence(rule);
    const on = el('input', { type: 'checkbox', 'data-name': `on:${rule.id}` });
    on.checked = rule.on;
    on.addEventListener('change', () => void this.put(place, { ...rule, on: on.checked }).then(() => this.focus(`on:${rule.id}`)));
    const control = (name: string, label: string, text: string, action: () => void, disabled = false): HTMLElement => {
      const made = button(text, action, text.length === 1 ? 'quiet arrow' : 'quiet');
      made.setAttribute('aria-label', say.t('ruleControl', { what: label, rule: said }));
      made.title = label;
      made.setAttribute('data-name', `${name}:${rule.id}`);
      made.disabled = disabled;
      return made;
    };
    const item = el('li', {},
      el('label', { class: 'check grow' }, on, el('span', {}, said)),
      el('div', { class: 'row' },
        control('up', say.t('up'), '↑', () => void this.move(place, -1), place === 0),
        control('down', say.t('down'), '↓', () => void this.move(place, 1), place === this.rules.length - 1),
        control('edit', say.t('edit'), say.t('edit'), () => this.edit(rule.id)),
        control('delete', say.t('delete'), say.t('delete'), () => void this.delete(place))));
    if (this.editing === rule.id) item.append(this.form(rule));
    return item;
  }

  /** A rule in words. */
  private sentence({ verdicts, kinds, sites, action }: Rule): string {
    const { say } = this.desk;
    const either = new Intl.ListFormat(say.language === 'en' ? 'en' : 'zh-CN', { type: 'disjunction' });
    const list = (words: string[]): string => either.format(words);
    const quoted = (verdict: Verdict): string => say.t('quoted', { text: say.t(`chip_${verdict}`) });
    const what = kinds?.length ? list(kinds.map((kind) => say.t(`kind_${kind}`))) : say.t('kind_all');
    const which = verdicts?.length ? say.t('ruleVerdicts', { list: list(verdicts.map(quoted)) }) : '';
    const where = sites?.length ? say.t('ruleSites', { list: list(sites) }) : '';
    const said = say.t('rule', { what, which, where, action: say.t(`action_${action}`) });
    return said.charAt(0).toLocaleUpperCase('en') + said.slice(1);
  }

  private edit(id: string | null): void {
    this.editing = id;
    this.show();
    const form = document.querySelector<HTMLElement>('#rules form input, #rule-new form input');
    if (id !== null) form?.focus();
    else this.adder.focus();
  }

  private form(rule: Rule): HTMLFormElement {
    const { say } = this.desk;
    const boxes = <T extends string>(all: T[], chosen: T[] | undefined, label: (one: T) => string, sign?: (one: T) => string) =>
      all.map((one) => {
        const input = el('input', { type: 'checkbox', value: one });
        input.checked = chosen?.includes(one) ?? false;
        const said = el('span', {}, label(one));
        const words = sign ? el('span', { class: 'row', 'data-verdict': one }, icon(sign(one)), said) : said;
        return { one, input, label: el('label', { class: 'check' }, input, words) };
      });
    const verdicts = boxes(VERDICTS, rule.verdicts, (one) => say.t(`chip_${one}`), (one) => `v-${one}`);
    const kinds = boxes(KINDS, rule.kinds, (one) => say.t(`kind_${one}`));
    const sites = el('input', { class: 'field', id: 'rule-sites', autocomplete: 'off', 'aria-describedby': 'rule-sites-hint' });
    sites.value = (rule.sites ?? []).join(', ');
    const wrong = el('p', { class: 'error small', role: 'alert' });
    const action = el('select', { id: 'rule-action' },
      ...ACTIONS.map((one) => el('option', { value: one }, say.t(`choose_${one}`))));
    action.value = rule.action;
    const group = (title: string, labels: HTMLElement[]): HTMLElement =>
      el('fieldset', {}, el('legend', { class: 'title' }, title), el('div', { class: 'choices' }, ...labels));
    const form = el('form', { class: 'edit', novalidate: true, 'aria-label': say.t('ruleForm') },
      group(say.t('verdictsTitle'), verdicts.map((one) => one.label)), group(say.t('kindsTitle'), kinds.map((one) => one.label)),
      el('div', { class: 'labelled' }, el('label', { class: 'title', for: 'rule-sites' }, say.t('sitesTitle')), sites,
        el('p', { class: 'muted small', id: 'rule-sites-hint' }, say.t('sitesHint')), wrong),
      el('div', { class: 'labelled short' }, el('label', { class: 'title', for: 'rule-action' }, say.t('actionTitle')), action),
      el('div', { class: 'row' }, el('button', { class: 'primary' }, say.t('ruleSave')),
        button(say.t('cancel'), () => this.cancel(rule.id))));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const typed = sites.value.split(/[\s,，、]+/).filter((one) => one !== '');
      const hosts = typed.map(hostOf);
      if (hosts.includes(null)) {
        wrong.textContent = say.t('siteWrong', { site: typed[hosts.indexOf(null)] ?? '' });
        sites.focus();
        return;
      }
      const chosen = <T extends string>(all: { one: T; input: HTMLInputElement }[]): T[] =>
        all.filter(({ input }) => input.checked).map(({ one }) => one);
      const [someVerdicts, someKinds] = [chosen(verdicts), chosen(kinds)];
      void this.store({
        id: rule.id, on: rule.on, action: action.value as Action,
        // All of them is as good as none in particular.
        ...someVerdicts.length % VERDICTS.length === 0 ? {} : { verdicts: someVerdicts },
        ...someKinds.length % KINDS.length === 0 ? {} : { kinds: someKinds },
        ...hosts.length === 0 ? {} : { sites: hosts.filter((host) => host !== null) },
      });
    });
    form.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.cancel(rule.id);
    });
    return form;
  }

  private cancel(id: string): void {
    this.edit(null);
    this.focus(`edit:${id}`);
  }

  private async store(rule: Rule): Promise<void> {
    this.editing = null;
    const known = this.rules.some(({ id }) => id === rule.id);
    await this.desk.save({ rules: known ? this.rules.map((one) => (one.id === rule.id ? rule : one)) : [...this.rules, rule] });
    announce(this.desk.say.t('ruleSaved'));
    this.focus(`edit:${rule.id}`);
  }

  private async put(place: number, rule: Rule): Promise<void> {
    await this.desk.save({ rules: this.rules.map((one, index) => (index === place ? rule : one)) });
  }

  private async move(place: number, by: 1 | -1): Promise<void> {
    const rules = [...this.rules];
    const [rule] = rules.splice(place, 1);
    if (!rule) return;
    rules.splice(place + by, 0, rule);
    await this.desk.save({ rules });
    announce(this.desk.say.t('moved', { n: place + by + 1, all: rules.length }));
    this.focus(`${by < 0 ? 'up' : 'down'}:${rule.id}`, `${by < 0 ? 'down' : 'up'}:${rule.id}`);
  }

  private async delete(place: number): Promise<void> {
    await this.desk.remove({ rules: this.rules.filter((_, index) => index !== place) }, this.desk.say.t('ruleDeleted'));
    const next = this.rules[Math.min(place, this.rules.length - 1)];
    if (next) this.focus(`delete:${next.id}`);
    else this.adder.focus();
  }

  /** Lists are made anew after each change; whoever works with the keyboard stays where they were. */
  private focus(...names: string[]): void {
    for (const name of names) {
      const found = this.list.querySelector<HTMLButtonElement>(`[data-name="${CSS.escape(name)}"]`);
      if (found && !found.disabled) return found.focus();
    }
    this.adder.focus();
  }
}

/** A site as typed, perhaps as an address, as a host name. */
function hostOf(typed: string): string | null {
  const url = addressOf(/^[a-z]+:\/\//i.test(typed) ? typed : `https://${typed.replace(/^\*\./, '')}`);
  return url && url.hostname !== '' && /^[a-z0-9.:[\]_-]+$/.test(url.hostname) ? url.hostname : null;
}
