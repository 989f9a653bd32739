/** Links to views of this page, which it follows without loading itself again. */

import { parseViewState, type ViewState } from "../model/view/view-state";

/** Go to the view that a clicked link names, unless the click asks for another tab. */
export function followLink(event: MouseEvent, go: (view: ViewState) => void) {
  const link = (event.target as Element).closest("a");
  if (!link || link.target || link.download || link.pathname !== location.pathname) return;
  if (link.origin !== location.origin || event.defaultPrevented || event.button !== 0) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(parseViewState(link.search));
}
