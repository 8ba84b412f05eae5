// Work in slices, so that the page never waits for us: a task is a generator that may be left at each `yield`.

/** The longest slice, in milliseconds. A step between two yields comes on top of it. */
const SLICE = 5;

interface Scheduler {
  postTask?(task: () => void, options: { priority: 'user-visible' | 'background' }): Promise<void>;
}

export type Urgency = 'user-visible' | 'background';

/** How long tasks have run, for whoever measures. */
export interface Cost { total: number; longest: number; slices: number }

export class Slices {
  readonly cost: Cost = { total: 0, longest: 0, slices: 0 };
  private stopped = false;

  /** Runs a task to its end, and gives its result; never settles once stopped. */
  run<T>(task: Generator<void, T>, urgency: Urgency = 'user-visible'): Promise<T> {
    return new Promise((resolve, reject) => {
      const slice = () => {
        if (this.stopped) return;
        const start = performance.now();
        try {
          for (;;) {
            const step = task.next();
            if (step.done) {
              this.note(performance.now() - start);
              resolve(step.value);
              return;
            }
            if (performance.now() - start >= SLICE) break;
          }
        } catch (error) {
          reject(error);
          return;
        }
        this.note(performance.now() - start);
        soon(slice, urgency);
      };
      soon(slice, urgency);
    });
  }

  /** Stops all tasks. */
  stop(): void {
    this.stopped = true;
  }

  private note(spent: number): void {
    this.cost.total += spent;
    this.cost.longest = Math.max(this.cost.longest, spent);
    this.cost.slices += 1;
  }
}

/** Calls after the page has had its turn. */
function soon(call: () => void, urgency: Urgency): void {
  const scheduler = (globalThis as { scheduler?: Scheduler }).scheduler;
  if (scheduler?.postTask) {
    // A page that is left aborts its tasks: nothing is lost by that.
    scheduler.postTask(call, { priority: urgency }).catch(() => undefined);
    return;
  }
  const channel = new MessageChannel();
  channel.port1.onmessage = () => {
    channel.port1.close();
    call();
  };
  channel.port2.postMessage(null);
}
