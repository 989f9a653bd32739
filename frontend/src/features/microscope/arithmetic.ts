/** The numbers of a step for display: operations by layer, partial sums, and comparisons. Pure. */

import type { AnswerTo, ForwardOperation, LinearOutput, RowUpdate } from "../../api/rest-types";

export interface LayerWork {
  layer: string;
  operations: ForwardOperation[];
  /** Floating-point operations of the forward pass. */
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

/** Return the partial sums of the products w x; a missing number counts as 0. */
export function runningSums({ w, x }: Pick<LinearOutput, "w" | "x">): number[] {
  let sum = 0;
  return w.map((weight, i) => {
    // The decimals are the shortest that identify a 32-bit number, so rounding restores it.
    sum += Math.fround(weight ?? 0) * Math.fround(x[i] ?? 0);
    return sum;
  });
}

export interface Verdict {
  /** True if the computed number equals the one it is compared with. */
  equal: boolean;
  difference: number | null;
  /** The recorded number, or the model's where the record has only a digest of the step. */
  against: "record" | "model";
  /** The comparison of the whole step's digest. */
  digest: "equal" | "differs" | "none";
}

/** Return how a recomputed number compares with the record, or else with the model. */
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

/** Relative change of a loss below which it counts as unchanged. */
const SAME = 1e-6;

/** Return whether a step lowered a loss; null where unknown. */
export function changeOf(before: number | null, after: number | null) {
  if (before === null || after === null) return null;
  if (Math.abs(after - before) <= SAME * Math.abs(before)) return "even";
  return after < before ? "better" : "worse";
}
