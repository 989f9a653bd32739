/** The numbers of a step as they are drawn: its operations by layer, one sum bit by bit, and what a comparison says. Pure. */

import type { AnswerTo, ForwardOperation, LinearOutput, RowUpdate } from "../../api/rest-types";

export interface LayerWork {
  layer: string;
  operations: ForwardOperation[];
  /** Floating-point operations on the way forward. */
  forward: number;
}

/** Return the operations by layer, in their order. */
export function workByLayer(operations: readonly ForwardOperation[]): LayerWork[] {
  const layers: LayerWork[] = [];
  for (const operation of operations) {
    let last = layers.at(-1);
    if (last?.layer !== operation.layer) {
      last = { layer: operation.layer, operations: [], forward: 0 };
      layers.push(last);
    }
    last.operations.push(operation);
    last.forward += operation.forward;
  }
  return layers;
}

/** Return the sums of the products w x from the first to each; without those that are no numbers. */
export function runningSums({ w, x }: Pick<LinearOutput, "w" | "x">): number[] {
  let sum = 0;
  return w.map((weight, i) => {
    // The decimals are the shortest of numbers of 32 bits: these are the numbers.
    sum += Math.fround(weight ?? 0) * Math.fround(x[i] ?? 0);
    return sum;
  });
}

export interface Verdict {
  /** True if the number by the formula is the one it is compared with. */
  equal: boolean;
  difference: number | null;
  /** The record's number, or that of the model where the record has only a digest of the step. */
  against: "record" | "model";
  /** How the digest of the whole step compares. */
  digest: "equal" | "differs" | "none";
}

/** Return how a number that was recomputed compares with the record, or else with the model. */
export function verdictOf(
  row: Pick<RowUpdate, "stored" | "difference" | "model_difference">,
  { equal }: Pick<AnswerTo<"microscope">["check"], "equal">,
): Verdict {
  const recorded = row.stored !== null;
  const difference = recorded ? row.difference : row.model_difference;
  return {
    equal: difference === 0,
    difference,
    against: recorded ? "record" : "model",
    digest: equal === null ? "none" : equal ? "equal" : "differs",
  };
}

/** Share of a loss below which a change of it counts as none. */
const SAME = 1e-6;

/** Return whether a step made a loss lower; null where it is not known. */
export function changeOf(before: number | null, after: number | null) {
  if (before === null || after === null) return null;
  if (Math.abs(after - before) <= SAME * Math.abs(before)) return "even";
  return after < before ? "better" : "worse";
}
