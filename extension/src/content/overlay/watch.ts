// Notices when what is drawn may have to move. Nothing here polls, and nothing runs while the page stands still.

/** Calls back before the next frame, once however much has happened. */
export class Watch {
  private readonly resizes: ResizeObserver;
  private readonly nearness: IntersectionObserver;
  private readonly shifts: PerformanceObserver | null;
  private waiting = false;
  private ended = false;
  private readonly soon = () => this.request();

  /**
   * `frame` moves everything; `resized` and `neared` tell of a watched element. `busy` is false while there is nothing
   * to move.
   */
  constructor(
    private readonly page: Document, private readonly frame: () => void, private readonly busy: () => boolean,
    resized: (element: Element) => void, neared: (element: Element, near: boolean) => void,
  ) {
    this.resizes = new ResizeObserver((entries) => {
      for (const { target } of entries) resized(target);
      this.request();
    });
    this.nearness = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) neared(target, isIntersecting);
      this.request();
    }, { rootMargin: '160px' });
    this.shifts = shiftObserver(this.soon);
    for (const element of [page.documentElement, page.body]) if (element) this.resizes.observe(element);
    window.addEventListener('resize', this.soon, { passive: true });
    // Images, scrollers, transitions and folded parts do not bubble, or are anywhere.
    for (const type of MOVERS) window.addEventListener(type, this.soon, { passive: true, capture: true });
    page.fonts?.addEventListener('loadingdone', this.soon);
  }

  request(): void {
    if (this.waiting || this.ended || !this.busy()) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      if (!this.ended) this.frame();
    });
  }

  near(element: Element): void {
    this.nearness.observe(element);
  }

  size(element: Element, wanted: boolean): void {
    if (wanted) this.resizes.observe(element);
    else this.resizes.unobserve(element);
  }

  forget(element: Element): void {
    this.nearness.unobserve(element);
    this.resizes.unobserve(element);
  }

  end(): void {
    this.ended = true;
    this.resizes.disconnect();
    this.nearness.disconnect();
    this.shifts?.disconnect();
    window.removeEventListener('resize', this.soon);
    for (const type of MOVERS) window.removeEventListener(type, this.soon, { capture: true });
    this.page.fonts?.removeEventListener('loadingdone', this.soon);
  }
}

const MOVERS = ['scroll', 'load', 'transitionend', 'animationend', 'toggle', 'click', 'keyup'] as const;

/** Where the browser itself tells that something moved in a box whose size stays. */
function shiftObserver(moved: () => void): PerformanceObserver | null {
  if (!PerformanceObserver.supportedEntryTypes.includes('layout-shift')) return null;
  const observer = new PerformanceObserver(moved);
  observer.observe({ type: 'layout-shift' });
  return observer;
}
