// What happens when something that is drawn is clicked or pressed. Events in the overlay are stopped before the page's
// listeners, and with them before listeners on the elements themselves, so what to do is looked up by element.

import { el } from '../../../../server/src/http/web/dom.js';

export class Actions {
  private readonly all = new WeakMap<Element, () => void>();

  on(element: Element, action: () => void): void {
    this.all.set(element, action);
  }

  /** The action of an element, or of the nearest one around it. */
  of(element: Element | null): (() => void) | undefined {
    for (let at = element; at; at = at.parentElement) {
      const found = this.all.get(at);
      if (found) return found;
    }
    return undefined;
  }

  button(label: string, className: string, action: () => void, more: Record<string, string> = {}): HTMLButtonElement {
    const made = el('button', { type: 'button', class: className, ...more }, label);
    this.on(made, action);
    return made;
  }
}

/** Puts an element at a place. A transform is no layout shift, whatever it moves. */
export function move(element: HTMLElement | SVGElement, x: number, y: number): void {
  element.style.setProperty('transform', `translate(${Math.round(x)}px, ${Math.round(y)}px)`);
}

export function size(element: HTMLElement | SVGElement, width: number, height: number): void {
  element.style.setProperty('width', `${Math.round(width)}px`);
  element.style.setProperty('height', `${Math.round(height)}px`);
}

export { el };
