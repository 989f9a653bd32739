/** How a copy of the model forgets its town in another one. Pure. */

import type { AnswerTo, EnvironmentPoint } from "../../../api/rest-types";

/** The lost fraction from which a memory counts as forgotten. */
const FORGOTTEN = 0.1;

/** Where the first town is remembered: in the answers, the input matrix or the output matrix. */
export type Memory = "answers" | "input" | "output";
export const MEMORIES: readonly Memory[] = ["answers", "output", "input"];

/** Return the retained fraction at a point: 1 for everything, 0 for chance level; null if unknown. */
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
  // A model at chance level has nothing to forget.
  const had = memory === "answers" ? nothing - first : first - nothing;
  return had > 0.05 ? 1 - (memory === "answers" ? now - first : first - now) / had : null;
}

/**
 * Return the first measured step at which `FORGOTTEN` of the knowledge of the first town was lost; Infinity
 * if that did not happen before the copy turned back; null if unknown.
 */
export function forgottenAt(answer: AnswerTo<"environment">, memory: Memory): number | null {
  for (const point of awayOf(answer)) {
    const kept = keptOf(answer, point, memory);
    if (kept === null) return null;
    if (kept <= 1 - FORGOTTEN) return point.step;
  }
  return Infinity;
}

/** Return whether the input matrix was forgotten last, or not at all. */
export function mapForgetsLast(answer: AnswerTo<"environment">): boolean {
  const at = (memory: Memory) => forgottenAt(answer, memory) ?? Infinity;
  return at("input") >= Math.max(at("answers"), at("output"));
}

/** Return the points measured in the other town. */
export function awayOf({ curve, turned_back_at }: AnswerTo<"environment">): EnvironmentPoint[] {
  return curve.filter(({ step }) => step <= (turned_back_at ?? Infinity));
}

/** Return whether the answers were forgotten before both matrices; null if unknown. */
export function answersForgetFirst(answer: AnswerTo<"environment">): boolean | null {
  const [answers, output, input] = MEMORIES.map((memory) => forgottenAt(answer, memory));
  if (answers == null || output == null || input == null) return null;
  return answers < Math.min(output, input);
}
