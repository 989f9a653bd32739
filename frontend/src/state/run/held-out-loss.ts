/** The loss on text that was kept aside from training, of a run that has such a text. Pure. */

import type { Measures, Run } from "../../api/rest-types";

/** Fewest words of a text from which a part is kept aside. */
const LEAST_WORDS = 20_000;

/**
 * The loss on text that training never reads, and the step that it was measured at; or why there is
 * none: `none` where no text was kept aside, `short` where the text was too short for that,
 * `unmeasured` where it is not known yet.
 */
export type HeldOutLoss = { loss: number; step: number } | "none" | "short" | "unmeasured";

/** Return the newest such loss up to `step`; null: of the newest step. */
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
  const { recipe, corpus_tokens: words = LEAST_WORDS } = info ?? {};
  if (recipe?.corpus.kind === "text" && words < LEAST_WORDS) return "short";
  // The first set of measures has it, if the run has a text for it.
  return ever || !measures.length ? "unmeasured" : "none";
}
