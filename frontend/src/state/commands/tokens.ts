/** Commands of tokens: the focused one, and those selected together. */

import type { SelectionRule } from "../../model/view/selection-rule";
import type { SelectionMode } from "../tokens/set-operations";
import type { CommandScope } from "./scope";

export function tokenCommands({
  apply,
  openRun,
  focus,
  selection,
  viewpoint,
  viewSettings,
  history,
}: CommandScope) {
  const chooseToken = (id: number | null) =>
    apply({
      token: id,
      ...(id !== null && { panel: "token", folded: null }),
      // The path of a word belongs to it: another one's is not drawn unasked.
      ...(viewSettings.showsWay && id !== focus.token && { trails: null, over: null }),
    });
  const select = (ids: readonly number[], mode?: SelectionMode) => {
    selection.select(ids, mode);
    if (selection.ids.length) apply({ panel: "gathered", folded: null });
  };

  return {
    /** Focus a token, and open its panel; null: none. */
    chooseToken,
    /** Focus a token found outside the map, and move the camera to it. */
    goToToken(id: number) {
      chooseToken(id);
      viewpoint.sought = { token: id, near: true };
    },
    /** Bring tokens into view, unless the viewer has moved the map. */
    seekTokens(ids: readonly number[]) {
      if (ids.length && !viewpoint.look) viewpoint.sought = ids;
    },
    /** Clear the focused token, and restore the look from before the camera moved to it. */
    clearToken: () => apply({ token: null, ...viewpoint.wayBack }),
    /** Compare the focused token with another one; null: none. */
    compareToken: (id: number | null) => apply({ pair: id }),

    /** Select tokens, and open their card; `mode` is how they combine with those selected before. */
    selectTokens: select,
    /** Adopt the tokens that a framing page selected; a single one is focused. */
    adoptSelection(ids: readonly number[]) {
      selection.clear();
      chooseToken(ids.length === 1 ? ids[0]! : null);
      if (ids.length > 1) select(ids, "new");
    },
    selectByRule(rule: SelectionRule) {
      const { vocabulary = null, districts = null } = openRun.run ?? {};
      if (vocabulary) selection.selectByRule(rule, vocabulary, districts);
    },
    /** Select the focused token and its `k` nearest neighbours in the space. Throws `ApiError`. */
    async selectNeighbours(k: number) {
      const { run } = openRun;
      const { token } = focus;
      if (!run || token === null) return;
      const found = await selection.fetchNeighbourhood(run.id, token, k, run.settledStep);
      if (run === openRun.run) history.record(() => selection.select(found));
    },
    clearSelection: () => selection.clear(),
    /** Rotate the map to hold the selected tokens still, or stop doing so. */
    anchorSelection: (anchored: boolean) => apply({ align: anchored || null }),
    setSelectionMode(mode: SelectionMode) {
      selection.mode = mode;
    },
    toggleLasso() {
      selection.tool = selection.tool === "lasso" ? "pan" : "lasso";
    },
  };
}
