/** The loss on text held out from training, for runs that have such text. Pure. */

import type { Measures, Run } from "../../api/rest-types";
import { measuredAt } from "./measure-series";

/** Minimum length of a text, in words, from which a part is held out. */
const MIN_WORDS = 20_000;

/**
 * The held-out loss and the step it was measured at; or why there is none: `none` if no text was held out,
 * `short` if the text was too short for that, `unmeasured` if it is not known yet.
 */
export type HeldOutLoss = { loss: number; step: number } | "none" | "short" | "unmeasured";

/** Return the newest held-out loss up to `step`; null: of the newest step. */
export function heldOutLoss(
  measures: readonly Measures[],
  step: number | null,
  info: Pick<Run, "recipe" | "corpus_tokens"> | null,
): HeldOutLoss {
  const newest = (at: number | null) => measuredAt(measures, "loss_held_out", at);
  const found = newest(step);
  if (found) return { loss: found.values["loss_held_out"]!, step: found.step };
  const { recipe, corpus_tokens: words = MIN_WORDS } = info ?? {};
  if (recipe?.corpus.kind === "text" && words < MIN_WORDS) return "short";
  // The first set of measures includes it if the run has held-out text.
  return newest(null) || !measures.length ? "unmeasured" : "none";
}
