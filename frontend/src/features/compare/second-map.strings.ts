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
  thisStepMore: "Shows the other map’s step here",
  together: "Sync pan and zoom",
  togetherMore: "Moving one map moves the other",
  close: "Back to one map",
  waiting: "Placing the words…",
  none: "This run has no map.",
  /** The name of a run, its distinctive part first, since the end may be cut. */
  runName: (id: string) => id.replace(/^(\d{4}-\d\d-\d\d)-(.+)$/, "$2 · $1"),
  different: (common: number) =>
    `These runs use different words (${count(common)} are in both), so their neighbours are not compared.`,
  waitingView: "This view is not ready yet.",
  missing: "The selected word is not in this run.",
  here: "That word is not in the run on the first map.",
  overlap: (share: number, neighbours: number) =>
    `Nearest-${count(neighbours)} overlap: ${Math.round(100 * share)}\u00a0%`,
  overlapMore: (
    share: number,
    neighbours: number,
    looked: number,
    tokens: number,
    chance: number,
  ) =>
    `Of each word's ${count(neighbours)} nearest on one map, ${fixed(100 * share, 1)}\u00a0% are among its ${count(neighbours)} nearest on the other: the mean over ${
      looked < tokens ? `a sample of ${count(looked)} of ` : ""
    }${count(tokens)} words in both. By chance it would be ${fixed(100 * chance, 1)}\u00a0%.`,
  colours: (by: string) => `coloured by ${by}`,
  coloursMore: "The first map’s colours belong to its own step and run; here they are unknown.",
});
