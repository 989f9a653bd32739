/** Texts of the measures panel. */

export const measures = {
  measuresPanel: {
    none: "Nothing measured yet",
    noneMore: "The analyst computes purity and other measures while the run trains.",
    titles: {
      loss: "Surprise at text it never read",
      purity: "Neighbours of the same class",
      analogy: "Analogies",
      coverage: "Rows lit at least once",
      effective_rank: "Directions in use",
      length_log_count_spearman: "Length of a row and frequency",
    } as Record<string, string>,
    more: {
      loss: "The loss in nats a token, after the same step: on text held out of training, and on the last batches. Where the two part, the model learns its text by heart.",
      purity:
        "Among the tokens that have a planted class: the share of a token's ten nearest that are of its own class (of fewer where its class has no ten others), averaged over classes. Dashed: what chance gives.",
      analogy:
        "king - man + woman = ?, for each planted relation: how often the answer is the nearest row.",
      coverage: "The share of all rows that have been in a batch.",
      effective_rank:
        "Effective rank: how many directions the embedding really uses, of as many as a row has numbers.",
      length_log_count_spearman:
        "Rank correlation of a row's length with the logarithm of its token's count. 0: none, 1: perfect.",
    } as Record<string, string>,
    lines: {
      loss_held_out: "on text it never read",
      loss_read: "on the text it reads",
      purity_10nn: "10-NN purity",
      purity_chance: "chance",
      analogy_chance: "chance",
    } as Record<string, string>,
  },
} as const;
