/** Commands of tokens: the one in focus, and those selected together. */

import type { SelectionRule } from "../../model/view/selection-rule";
import type { SelectionMode } from "../tokens/set-operations";
import type { CommandScope } from "./scope";

export function tokenCommands({
  apply,
  openRun,
  focus,
  selection,
  viewpoint,
  history,
}: CommandScope) {
  const chooseToken = (id: number | null) =>
    apply({ token: id, ...(id !== null && { panel: "token", folded: null }) });
  const select = (ids: readonly number[], mode?: SelectionMode) => {
    selection.select(ids, mode);
    if (selection.ids.length) apply({ panel: "gathered", folded: null });
  };

  return {
    /** Focus a token, and open its panel; null: none. */
    chooseToken,
    /** Focus a token that was found elsewhere than on the map, and let the camera go to it. */
    goToToken(id: number) {
      chooseToken(id);
      viewpoint.sought = { token: id, near: true };
    },
    /** Focus no token, and look where the viewer looked before the camera went to one. */
    clearToken: () => apply({ token: null, ...viewpoint.wayBack }),
    /** Compare the focused token with another one; null: none. */
    compareToken: (id: number | null) => apply({ pair: id }),

    /** Select tokens, and open their card; `mode` is how they combine with those selected before. */
    selectTokens: select,
    selectByRule(rule: SelectionRule) {
      const { vocabulary = null, districts = null } = openRun.run ?? {};
      if (vocabulary) selection.selectByRule(rule, vocabulary, districts);
    },
    /** Select the focused token and its `k` nearest in the space. Throws `ApiError`. */
    async selectNeighbours(k: number) {
      const { run } = openRun;
      const { token } = focus;
      if (!run || token === null) return;
      const found = await selection.fetchNeighbourhood(run.id, token, k, run.settledStep);
      if (run === openRun.run) history.record(() => selection.select(found));
    },
    clearSelection: () => selection.clear(),
    /** Rotate the map so that the selected tokens hold still, or let it be. */
    anchorSelection: (anchored: boolean) => apply({ align: anchored || null }),
    setSelectionMode(mode: SelectionMode) {
      selection.mode = mode;
    },
    toggleLasso() {
      selection.tool = selection.tool === "lasso" ? "pan" : "lasso";
    },
  };
}
