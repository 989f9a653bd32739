/** The type of the page: the typeface of drawn texts, and lengths that grow with the type. */

import { createSubscriber } from "svelte/reactivity";

/**
 * The typeface of texts that are drawn: on the map, in charts, pictures and films. The page's own is in `page.css`; scripts
 * that it lacks are drawn in the system's.
 */
export const FONT_FAMILY = '"Inter Variable", Inter, system-ui, sans-serif';

/** Recomputes lengths when the window is resized, because its root font size may change. */
const trackResize = createSubscriber((update) => {
  addEventListener("resize", update);
  return () => removeEventListener("resize", update);
});

/** Scale a length in pixels from a root font size of 15 px to the current one, so that spacing grows with the type. */
export function scaledPixels(size: number): number {
  trackResize();
  const root = parseFloat(getComputedStyle(document.documentElement).fontSize) || 15;
  return (size * root) / 15;
}
