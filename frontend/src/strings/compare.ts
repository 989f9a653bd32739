/** Texts of the second map. */

import { count } from "./numbers";

export const compare = {
  compare: {
    name: "two maps",
    more: "A second map beside this one: another step, the other view, or another run (b)",
    label:
      "Second map of the vocabulary. What is chosen, ringed or under the pointer on one map is ringed on the other.",
    first: "Map on the left or above",
    about: "What is chosen or pointed at on one map is ringed on the other.",
    kind: "Second map",
    kinds: { view: "other view", step: "other step", run: "other run" },
    step: "Step",
    view: "View",
    run: "Run",
    thisStep: "This step",
    thisStepMore: "Keep what the first map shows now on the second",
    together: "zoom together",
    togetherMore: "Both maps show the same part: where one is moved, the other follows",
    close: "Back to one map (b)",
    caption: (step: number, view: string) => `step ${count(step)} · ${view}`,
    mapOf: (step: number) => `map of step ${count(step)}`,
    waiting: "The second map is on its way.",
    none: "This run has no map.",
    /** The name of a run, with what tells it from others first, since its end may be cut. */
    runName: (id: string) => id.replace(/^(\d{4}-\d\d-\d\d)-(.+)$/, "$2 · $1"),
    different: (common: number) =>
      `These runs use different words (${count(common)} are in both), so their neighbours are not compared.`,
    waitingView: "This view of the run is not there yet.",
    missing: "The chosen token is not in this run.",
    here: "That token is not in the run on the first map.",
    overlap: (share: number, neighbours: number) =>
      `${Math.round(100 * share)} % of the ${count(neighbours)} nearest are the same`,
    overlapMore: (
      share: number,
      neighbours: number,
      looked: number,
      tokens: number,
      chance: number,
    ) =>
      `Of each token's ${count(neighbours)} nearest on one map, ${(100 * share).toFixed(1)} % are among its ${count(neighbours)} nearest on the other: the mean over ${
        looked < tokens ? `a sample of ${count(looked)} of ` : ""
      }${count(tokens)} tokens that both have. By chance it would be ${(100 * chance).toFixed(1)} %.`,
    colours: (by: string) => `coloured by ${by}`,
    coloursMore:
      "The first map's colours say something of its own step and run; what they would be here is not known.",
  },
} as const;
