/** Time that the page's own code spends on the main thread, including callbacks it schedules. */

export class Meter {
  /** Milliseconds since the last reset. */
  spent = 0;
  /** Start of the running callback; null while no page code runs. */
  private since: number | null = null;

  /**
   * Wrap the scheduling functions so that callbacks count too. Call it before the page schedules anything.
   */
  install() {
    const frame = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (call) => frame((now) => this.run(() => call(now)));
    const later = window.setTimeout.bind(window);
    window.setTimeout = ((call: () => void, wait?: number) =>
      later(() => this.run(call), wait)) as typeof setTimeout;
    const run = <T>(call: () => T) => this.run(call);
    window.Worker = class extends Worker {
      override set onmessage(call: (this: Worker, event: MessageEvent) => unknown) {
        this.addEventListener("message", (event) => run(() => call.call(this, event)));
      }
    };
  }

  /** Restart the count. */
  reset() {
    this.spent = 0;
  }

  /** Call a function and count its time; nested calls count once. */
  run<T>(call: () => T): T {
    if (this.since !== null) return call();
    this.since = performance.now();
    try {
      return call();
    } finally {
      this.spent += performance.now() - this.since;
      this.since = null;
    }
  }
}
