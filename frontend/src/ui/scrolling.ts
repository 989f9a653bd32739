/** Scrolling within a panel. */

import { prefersStillness } from "../model/reduced-motion";

/** Scroll an element into view where its list is one scrolling line. */
export function showWithinLine(element: Element) {
  element.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** Scroll an element to the top of its container: smoothly, unless the viewer prefers reduced motion. */
export function scrollToTop(element: HTMLElement) {
  const still = prefersStillness();
  element.scrollIntoView({ block: "start", behavior: still ? "instant" : "smooth" });
}
