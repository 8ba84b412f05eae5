// Takes the elements of a text out of sight, and brings them back exactly as they were.

interface Kept {
  element: HTMLElement | SVGElement;
  /** The whole attribute before, and as it was left. */
  before: string | null;
  after: string | null;
  /** Whether a strict policy of the page had made the attribute mean nothing. */
  dead: boolean;
  /** Each property that was set: what it was before. */
  properties: Map<string, { value: string; priority: string; ours: string }>;
}

/** Height of what is left of a collapsed text. */
export const LINE = 32;

export type Way = 'collapse' | 'hide';

/** A text that was taken out of sight. */
export class Hidden {
  private readonly kept: Kept[] = [];

  constructor(readonly way: Way, elements: Element[]) {
    let first = true;
    for (const element of elements) {
      if (!(element instanceof HTMLElement || element instanceof SVGElement)) continue;
      this.kept.push(set(element, way === 'collapse' && first ? collapsed(element) : { display: 'none' }));
      first = false;
    }
  }

  /** Whether the page has left our properties in place. */
  isWhole(): boolean {
    return this.kept.every(({ element, properties }) => [...properties].every(
      ([name, { ours }]) => isOurs(element, name, ours),
    ));
  }

  /** Whether it holds these very elements. */
  holds(elements: Element[]): boolean {
    return this.kept.length === elements.length && this.kept.every(({ element }, place) => element === elements[place]);
  }

  restore(): void {
    for (const one of this.kept.splice(0)) unset(one);
  }
}

/**
 * The element stays as high as one line; nothing in it is drawn, read aloud or reached by keys. No short forms: each
 * property is kept and restored by itself.
 */
function collapsed(element: Element): Record<string, string> {
  const { display } = getComputedStyle(element);
  return {
    ...(display === 'inline' || display === 'contents' ? { display: 'block' } : {}),
    'visibility': 'hidden', 'content-visibility': 'hidden', 'overflow-x': 'hidden', 'overflow-y': 'hidden',
    'box-sizing': 'border-box',
    'height': `${LINE}px`, 'min-height': '0px', 'max-height': `${LINE}px`, 'padding-top': '0px', 'padding-bottom': '0px',
  };
}

function set(element: HTMLElement | SVGElement, wanted: Record<string, string>): Kept {
  const before = element.getAttribute('style');
  const dead = element.style.length === 0;
  const properties: Kept['properties'] = new Map();
  for (const [name, value] of Object.entries(wanted)) {
    const old = { value: element.style.getPropertyValue(name), priority: element.style.getPropertyPriority(name) };
    element.style.setProperty(name, value, 'important');
    const ours = element.style.getPropertyValue(name);
    // What the browser does not know is not kept.
    if (ours !== '') properties.set(name, { ...old, ours });
  }
  return { element, before, after: element.getAttribute('style'), dead, properties };
}

function isOurs(element: HTMLElement | SVGElement, name: string, value: string): boolean {
  return element.style.getPropertyValue(name) === value && element.style.getPropertyPriority(name) === 'important';
}

function unset({ element, before, after, dead, properties }: Kept): void {
  if (element.getAttribute('style') === after) {
    if (before === null) return element.removeAttribute('style');
    element.setAttribute('style', before);
    // Where the policy is against attributes, scripts may still set what one says.
    if (!dead && element.style.length === 0) element.style.cssText = before;
    return;
  }
  // Somebody else has written to it meanwhile: theirs stays, ours goes.
  for (const [name, { value, priority, ours }] of properties) {
    if (!isOurs(element, name, ours)) continue;
    if (value === '') element.style.removeProperty(name);
    else element.style.setProperty(name, value, priority);
  }
  if (before === null && element.getAttribute('style') === '') element.removeAttribute('style');
}
