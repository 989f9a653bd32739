/** The way of scrolling within a panel. */

/** Move an element to the top of what scrolls around it: gliding, unless somebody wishes less motion. */
export function scrollToTop(element: HTMLElement) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  element.scrollIntoView({ block: "start", behavior: still ? "instant" : "smooth" });
}
