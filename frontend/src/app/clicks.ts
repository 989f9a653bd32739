/** Clicks anywhere on the page: follows links to the page's own views, and keeps the focus. */

import { parseViewState, type ViewState } from "../model/view/view-state";

/** Milliseconds until the effect of a click is visible. */
const CLICK_EFFECT_DELAY = 300;

/** Go to the view that a clicked link names, unless the click opens a new tab. */
export function followLink(event: MouseEvent, go: (view: ViewState) => void) {
  const link = (event.target as Element).closest("a");
  if (!link || link.target || link.download || link.pathname !== location.pathname) return;
  if (link.origin !== location.origin || event.defaultPrevented || event.button !== 0) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(parseViewState(link.search));
}

/** Keep the focus in the same part of the page when the clicked button disappears or is disabled. */
export function keepFocus({ target }: Event) {
  const part = (target as Element).closest("button")?.closest<HTMLElement>("section, aside");
  setTimeout(() => {
    if (!part || document.activeElement !== document.body) return;
    part.tabIndex = -1;
    part.focus({ preventScroll: true });
  }, CLICK_EFFECT_DELAY);
}
