/**
 * A value that changes often, read every few seconds, so that whatever is fetched for it is fetched
 * at a calm pace.
 */

import { untrack } from "svelte";

export class Sampled<T> {
  /** The last value read; null before the first. */
  value = $state.raw<T | null>(null);

  /**
   * Read the value as soon as `read` returns one, and every `interval` ms from then on: while the
   * page is visible and `follows` returns true. Make it where effects may be made.
   */
  constructor(
    private readonly read: () => T | null,
    interval: number,
    follows: () => boolean = () => true,
  ) {
    const known = $derived(read() !== null);
    $effect(() => {
      if (!known) return;
      untrack(() => this.sample());
      const timer = setInterval(() => {
        if (!document.hidden && follows()) this.sample();
      }, interval);
      return () => clearInterval(timer);
    });
  }

  /** Read the value now. */
  sample() {
    this.value = this.read();
  }
}
