/** Texts of the second map and its controls. */

import { count, fixed } from "../../strings/numbers";
import { table } from "../../strings/translation";

export const secondMap = table("secondMap", {
  label:
    "Second map of the vocabulary. A word selected or pointed at on one map is ringed on the other.",
  kind: "Compare with",
  kinds: {
    view: "The other view",
    step: "Another step",
    matrix: "As predictions",
    run: "Another run",
  },
  step: "Step",
  view: "View",
  run: "Run",
  thisStep: "Go to this step",
  together: "Sync pan and zoom",
  close: "Back to one map",
  waiting: "Placing the words…",
  none: "This run has no map.",
  waitingView: "This view is not ready yet.",
  missing: "The selected word is not in this run.",
  here: "That word is not in the run on the first map.",
  /** `own`: the share if the second map, which is drawn like the first one, were laid out on its own. */
  overlap: (share: number, neighbours: number, own?: number) =>
    `${Math.round(100 * share)}\u00a0% of the ${count(neighbours)} nearest words are the same${
      own === undefined ? "" : `, drawn like the first map; alone ${Math.round(100 * own)}\u00a0%`
    }`,
  overlapMore: (looked: number, chance: number) =>
    `The mean over ${count(looked)} words in both. By chance ${fixed(100 * chance, 1)}\u00a0%.`,
  colours: (by: string) => `coloured by ${by}`,
});
