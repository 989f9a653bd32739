/** Lengths that scale with the type: with the window, and with a larger type size. */

import { createSubscriber } from "svelte/reactivity";

/** Recomputes lengths when the window is resized, because its root font size may change. */
const trackResize = createSubscriber((update) => {
  addEventListener("resize", update);
  return () => removeEventListener("resize", update);
});

/**
 * Scale a length in pixels from a root font size of 15 px to the current one, so that spacing grows with the
 * type.
 */
export function scaledPixels(size: number): number {
  trackResize();
  const root = parseFloat(getComputedStyle(document.documentElement).fontSize) || 15;
  return (size * root) / 15;
}
