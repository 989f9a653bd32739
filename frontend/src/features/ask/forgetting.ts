/** Forgetting of a copy of the model that moved to another town. Pure. */

import type { AnswerTo, EnvironmentPoint } from "../../api/rest-types";

/** A part of what is known that counts as forgotten. */
export const FORGOTTEN = 0.1;

/** A memory of the first town: in the answers, in the input matrix and in the output matrix. */
export type Memory = "answers" | "input" | "output";
export const MEMORIES: readonly Memory[] = ["answers", "output", "input"];

/** Return how much of what was known at first is still known at a point, 1 for all; null where that is not known. */
export function keptOf(
  answer: AnswerTo<"environment">,
  point: EnvironmentPoint,
  memory: Memory,
): number | null {
  const nothing = memory === "answers" ? Math.log(answer.words) : answer.chance;
  const known = (at: EnvironmentPoint) => {
    if (memory === "answers") return at.loss_first;
    return memory === "input" ? at.purity_in_first : at.purity_out_first;
  };
  const [first, now] = [answer.curve[0] && known(answer.curve[0]), known(point)];
  if (nothing === null || first === undefined || first === null || now === null) return null;
  // Whoever knew nothing has nothing to forget.
  const had = memory === "answers" ? nothing - first : first - nothing;
  return had > 0.05 ? 1 - (memory === "answers" ? now - first : first - now) / had : null;
}

/**
 * Return the step at which a tenth of what was known of the first town was gone: the first one looked at; Infinity if it
 * was not, up to where it turned back; null where that is not known.
 */
export function forgottenAt(answer: AnswerTo<"environment">, memory: Memory): number | null {
  for (const point of awayOf(answer)) {
    const kept = keptOf(answer, point, memory);
    if (kept === null) return null;
    if (kept <= 1 - FORGOTTEN) return point.step;
  }
  return Infinity;
}

/** Return whether the input matrix was forgotten after all else, or not at all. */
export function mapForgetsLast(answer: AnswerTo<"environment">): boolean {
  const at = (memory: Memory) => forgottenAt(answer, memory) ?? Infinity;
  return at("input") >= Math.max(at("answers"), at("output"));
}

/** Return the points in the other town. */
export function awayOf({ curve, turned_back_at }: AnswerTo<"environment">): EnvironmentPoint[] {
  return curve.filter(({ step }) => step <= (turned_back_at ?? Infinity));
}

/** Return whether the answers were forgotten before either matrix; null where that is not known. */
export function answersForgetFirst(answer: AnswerTo<"environment">): boolean | null {
  const [answers, output, input] = MEMORIES.map((memory) => forgottenAt(answer, memory));
  if (answers == null || output == null || input == null) return null;
  return answers < Math.min(output, input);
}
