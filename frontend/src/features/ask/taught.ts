/** The steps of a copy being taught, in order. Pure. */

import type { AnswerTo } from "../../api/rest-types";

export interface TaughtStates {
  /** The copy's step at each state, including steps on the run's own text. */
  steps: number[];
  /** Number of times it read the sentence; the state at this index follows the last of them. */
  taught: number;
  /** Total number of steps of the copy. */
  last: number;
  /** Number of readings after which the target word had a probability above one half; null: never. */
  believed: number | null;
}

/** Return the steps of an answer's states, and how the target word fared. */
export function taughtStates({ states, own }: AnswerTo<"what_if">): TaughtStates {
  const taught = states.findLast(({ phase }) => phase === "sentence")?.number ?? 0;
  const steps = states.map(({ phase, number }) => (phase === "town" ? taught + number : number));
  const believed = own.p.slice(0, taught + 1).findIndex((p) => p > 0.5);
  return { steps, taught, last: steps.at(-1) ?? 0, believed: believed < 0 ? null : believed };
}
