/** Texts of the step panel. */

import type { RowDifferences } from "../api/rest-types";
import { count } from "./numbers";

export const step = {
  stepPanel: {
    loss: (loss: string) => `Surprise at the text of this step (loss): ${loss} nats per word.`,
    noLoss: "Surprise at the text of this step (loss): not known.",
    heldOut: {
      at: (loss: string, step: number) =>
        `On text it never read: ${loss}, measured at step ${count(step)}.`,
      none: "This run was made without a text kept aside.",
      short: "This text is too short to keep a part aside: that takes 20,000 words.",
      unmeasured: "On text it never read: not measured yet.",
    },
    microscope: "Under the microscope",
    microscopeMore: "From the words of this step to the change of a single number, computed again",
    sets: "Rows of the embedding",
    inBatch: "in the batch",
    gotGradient: "got a gradient",
    moved: "moved",
    verified: "checked against the whole matrix",
    notVerified: "only rows with a gradient were looked at in this step",
    same: "The same rows in all three.",
    differ: {
      read_without_gradient: "read, but without a gradient",
      gradient_without_read: "got a gradient, but not read",
      gradient_without_move: "got a gradient, but did not move",
      moved_without_read: "moved, but not read",
    } satisfies Record<keyof RowDifferences, string>,
    notKnown: "not known",
    andMore: (rows: number) => `and ${count(rows)} more`,
    river: "Gradient, flowing back from the loss",
    riverMore:
      "As wide as the norm of each layer's gradient in this step (Euclidean; before clipping if it was trained here). It flows from the loss down to the embedding, whose rows are the lamps.",
    riverLabel:
      "Gradient norm by layer in this step, as the width of a river from the loss down to the embedding; the numbers are beside it.",
    riverAxis: "gradient norm",
    riverScale: (end: string) => `this wide: norm ${end}`,
    noRiver: "The gradients of this step are not recorded.",
    history: "Gradient norm by layer, step by step (logarithmic)",
    text: "The text of this step",
    textMore:
      "The brighter the word, the stronger its row's gradient. After the arrow: the word it has to guess.",
    words: "Words of the batch: arrow keys go from word to word, Enter opens one",
    target: "Only to be guessed: not read in this step, unless it also occurs elsewhere",
    wordNorm: (norm: string) => `gradient norm ${norm}`,
    wordNone: "no gradient in this step",
    wordUntold: "its gradient is not among the strongest, which are listed",
    moreText: (sequences: string) => `and ${sequences} more sequences`,
    showText: "Freeze, and show the text",
    showTextMore: "Freeze to read the text: training goes on.",
    fetching: "Fetching the text",
    noHistory: "Drawn from the second step on.",
    noText: "The text of this step is not kept.",
    wordsOnly:
      "Which words this step read is recorded, but not in which order: there is no text to show.",
    noWords: "What this step read is not recorded.",
    waiting: "The first step has not come yet.",
    still: "One embedding matrix, as it is: there are no training steps to look at.",
  },
} as const;
