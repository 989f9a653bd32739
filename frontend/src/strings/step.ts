/** What the step's panel says. */

export const step = {
  stepPanel: {
    about: "What one training step read, which rows it woke, and how strongly.",
    sets: "Rows of the embedding",
    inBatch: "in the batch",
    gotGradient: "got a gradient",
    moved: "moved",
    verified: "checked against the whole matrix",
    notVerified: "only rows with a gradient were looked at in this step",
    river: "Gradient, flowing back from the loss",
    riverMore:
      "Width: Euclidean norm of each layer's gradient in this step, before clipping. From the loss (left) to the embedding (right).",
    riverAxis: "gradient norm",
    history: "Gradient norm by layer, step by step (logarithmic)",
    text: "The batch, as the model reads it",
    textMore:
      "The brighter the word, the stronger its row's gradient. After the arrow: the last word to predict, which the model does not read.",
    target: "Only to be predicted: not read in this step, unless it also stands elsewhere",
    showText: "Show the text of this step",
    noText: "The text of this step is not kept.",
    waiting: "The first step has not come yet.",
    still: "A still city: one embedding matrix as it is. There are no training steps to look at.",
  },
} as const;
