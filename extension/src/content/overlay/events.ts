// What the user does, before the page hears of it.
//
// Badges let every pointer through, so that a page which asks what is at a point never finds one; where they are is
// compared here. What happens in a card (keys, words of a comment, focus) is the user's and not the page's, so it is
// stopped at the window. Events that a script made up are left alone: a page must not feel for badges with them.

import type { Actions } from './actions.js';
import type { Host } from './host.js';
import type { Point } from './place.js';

export interface Listener {
  /** Whether something can be found under a pointer now. */
  attentive(): boolean;
  /** Does what a click at a point does, if something is there. */
  hit(at: Point, touch: boolean): (() => void) | null;
  /** The pointer is here; `inner` is what of ours is under it, if it takes pointers. */
  hover(at: Point, inner: Element | null): void;
  /** Something of the page was pressed. */
  outside(): void;
  escape(): boolean;
  /** The focus is on something of ours, or of the page. */
  focus(inner: Element | null, outer: EventTarget | null): void;
}

/** What the page is not told of if it happens in the overlay. */
const PRIVATE = [
  'keydown', 'keyup', 'keypress', 'beforeinput', 'input', 'compositionstart', 'compositionupdate', 'compositionend',
  'paste', 'copy', 'cut', 'pointerdown', 'pointerup', 'pointermove', 'pointerover', 'pointerout', 'mousedown', 'mouseup',
  'mousemove', 'mouseover', 'mouseout', 'click', 'dblclick', 'auxclick', 'contextmenu', 'focusin', 'focusout', 'focus',
  'blur',
] as const;

function place({ clientX: x, clientY: y }: MouseEvent): Point {
  return { x, y };
}

function isEscape(event: KeyboardEvent): boolean {
  return event.type === 'keydown' && event.key === 'Escape' && !event.isComposing;
}

export function listen(host: Host, actions: Actions, listener: Listener): () => void {
  let armed: (() => void) | null = null;
  let pressed: (() => void) | undefined;
  let latest: PointerEvent | null = null;

  const within = ({ clientX, clientY }: MouseEvent) => host.root.elementFromPoint(clientX, clientY);
  const hide = (event: Event) => event.stopImmediatePropagation();

  const hovered = () => {
    const event = latest;
    latest = null;
    if (!event || !listener.attentive()) return;
    const inner = event.target === host.element ? within(event) : null;
    listener.hover(place(event), inner);
  };

  const pointer = (event: MouseEvent, ours: boolean) => {
    const touch = event instanceof PointerEvent && event.pointerType === 'touch';
    switch (event.type) {
      case 'pointermove':
        if (touch || !listener.attentive()) return;
        if (!latest) requestAnimationFrame(hovered);
        latest = event as PointerEvent;
        return;
      case 'pointerdown':
        pressed = ours ? actions.of(within(event)) : undefined;
        armed = null;
        if (!ours && event.button === 0 && listener.attentive()) armed = listener.hit(place(event), touch);
        if (!ours && !armed) listener.outside();
        break;
      case 'click': {
        const action = armed;
        armed = null;
        if (ours) {
          // A key or a screen reader has no place; it has the focus.
          const inner = event.detail === 0 ? host.root.activeElement : within(event);
          const found = actions.of(inner);
          if (found && (event.detail === 0 || found === pressed)) found();
        } else if (action) {
          event.preventDefault();
          hide(event);
          action();
        }
        return;
      }
    }
    if (!armed) return;
    // Neither a link under a badge, nor the focus, nor a selection.
    if (event.type === 'mousedown') event.preventDefault();
    if (event.type.endsWith('down') || event.type.endsWith('up')) hide(event);
  };

  const handle = (event: Event) => {
    if (!event.isTrusted) return;
    try {
      const ours = event.target === host.element;
      if (event instanceof MouseEvent) pointer(event, ours);
      else if (event instanceof KeyboardEvent && isEscape(event) && listener.escape()) {
        event.preventDefault();
        hide(event);
      } else if (event.type === 'focusin') listener.focus(ours ? host.root.activeElement : null, event.target);
      if (ours) hide(event);
    } catch (error) {
      // Whatever fails here must not take the user's click or key from the page.
      console.debug(error);
    }
  };

  // Focus that moves from one of our elements to another never gets to the window.
  const moved = () => listener.focus(host.root.activeElement, host.element);

  for (const type of PRIVATE) window.addEventListener(type, handle, { capture: true });
  host.root.addEventListener('focusin', moved);
  return () => {
    host.root.removeEventListener('focusin', moved);
    for (const type of PRIVATE) window.removeEventListener(type, handle, { capture: true });
  };
}
