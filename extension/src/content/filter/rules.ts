// What the user's rules make of a text. Plain functions: nothing here draws.

import type { Action, Kind, Rule, Settings, Verdict } from '../../protocol.js';
import type { Item } from '../types.js';

type Judged = Pick<Item, 'kind' | 'state' | 'report' | 'loose'>;

/** Actions by how much they take away. */
const STRENGTH: Record<Action, number> = { nothing: 0, badge: 1, dim: 2, collapse: 3, hide: 4 };

/** A verdict as the user wants it: one below the user's own threshold is none. */
export function verdictOf(item: Judged, { strictness }: Pick<Settings, 'strictness'>): Verdict | null {
  const { report } = item;
  if (!report || item.state === 'waiting') return null;
  const weak = report.verdict === 'likely_ai' && report.probability !== null && report.probability < strictness;
  return weak ? 'unclear' : report.verdict;
}

/** What happens to a text on a site. */
export function actionFor(item: Judged, settings: Settings, host: string): Action {
  const verdict = verdictOf(item, settings);
  if (verdict === null) return 'nothing';
  // The user has chosen this very text, and wants to see it.
  if (item.kind === 'selection') return 'badge';
  const rule = settings.rules.find((one) => fits(one, verdict, item.kind, host));
  const ruled = rule?.action ?? 'badge';
  // With such a text others would go that nothing was said of.
  const action = item.loose && STRENGTH[ruled] > STRENGTH.dim ? 'dim' : ruled;
  const dims = settings.signedOnly && verdict !== 'human_signed';
  return dims && STRENGTH[action] < STRENGTH.dim ? 'dim' : action;
}

/** Whether a rule speaks of a text. */
function fits(rule: Rule, verdict: Verdict, kind: Kind, host: string): boolean {
  if (!rule.on) return false;
  // Nothing is known of such a text, so only a rule that means exactly those takes one away.
  if (verdict === 'unclear' && rule.verdicts === undefined && STRENGTH[rule.action] > STRENGTH.dim) return false;
  if (rule.verdicts && !rule.verdicts.includes(verdict)) return false;
  if (rule.kinds && !rule.kinds.includes(kind)) return false;
  return rule.sites === undefined || rule.sites.some((site) => isOn(site, host));
}

/** Whether a host is a site or one of its subdomains. */
function isOn(site: string, host: string): boolean {
  const name = site.trim().toLowerCase().replace(/^\*?\./, '').replace(/\.$/, '');
  const here = host.toLowerCase().replace(/\.$/, '');
  return name !== '' && (here === name || here.endsWith(`.${name}`));
}
