/** The loss on text held out from training, for runs that have such text. Pure. */

import type { Measures, Run } from "../../api/rest-types";

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
  let found: { loss: number; step: number } | null = null;
  let ever = false;
  for (const one of measures) {
    const loss = one.values["loss_held_out"];
    if (typeof loss !== "number" || !Number.isFinite(loss)) continue;
    ever = true;
    if ((step === null || one.step <= step) && one.step >= (found?.step ?? 0))
      found = { loss, step: one.step };
  }
  if (found) return found;
  const { recipe, corpus_tokens: words = MIN_WORDS } = info ?? {};
  if (recipe?.corpus.kind === "text" && words < MIN_WORDS) return "short";
  // The first set of measures includes it if the run has held-out text.
  return ever || !measures.length ? "unmeasured" : "none";
}
