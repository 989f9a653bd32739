/** A frequently changing value, read every few seconds, so that requests based on it are rare. */

import { untrack } from "svelte";

export class Sampled<T> {
  /** The last value read; null before the first. */
  value = $state.raw<T | null>(null);

  /**
   * Read the value as soon as `read` returns one, and every `interval` ms after that: while the page is
   * visible and `follows` returns true. Create it where effects are allowed.
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
