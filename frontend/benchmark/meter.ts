/** How long the page's own code runs on the main thread: what is called, and what it left to be called later. */

export class Meter {
  /** Milliseconds since `begin`. */
  spent = 0;
  /** When what runs now began; null while nothing of the page runs. */
  private since: number | null = null;

  /** From now on everything that is scheduled is counted too. Before anything is scheduled. */
  install() {
    const frame = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (call) => frame((now) => this.run(() => call(now)));
    const later = window.setTimeout.bind(window);
    window.setTimeout = ((call: () => void, wait?: number) =>
      later(() => this.run(call), wait)) as typeof setTimeout;
    const meter = this;
    window.Worker = class extends Worker {
      override set onmessage(call: (this: Worker, event: MessageEvent) => unknown) {
        this.addEventListener("message", (event) => meter.run(() => call.call(this, event)));
      }
    };
  }

  begin() {
    this.spent = 0;
  }

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
