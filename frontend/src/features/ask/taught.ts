/** The steps of a copy that is taught, in order. Pure. */

import type { AnswerTo } from "../../api/rest-types";

export interface TaughtStates {
  /** Steps of the copy at each state, those on the run's own text included. */
  steps: number[];
  /** Times that it read the sentence; the state of this number is the one after the last of them. */
  taught: number;
  /** Steps of the copy in all. */
  last: number;
  /** Times after which the told word was likelier than all others together; null: never. */
  believed: number | null;
}

/** Return the steps of an answer's states, and what became of its told word. */
export function taughtStates({ states, own }: AnswerTo<"what_if">): TaughtStates {
  const taught = states.findLast(({ phase }) => phase === "sentence")?.number ?? 0;
  const steps = states.map(({ phase, number }) => (phase === "town" ? taught + number : number));
  const believed = own.p.slice(0, taught + 1).findIndex((p) => p > 0.5);
  return { steps, taught, last: steps.at(-1) ?? 0, believed: believed < 0 ? null : believed };
}
