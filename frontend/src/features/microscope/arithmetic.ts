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

/** Return the decimals, from 4 up, at which a sum is true for a reader who adds the digits shown. */
export function sumDecimals(left: number, right: number, sum: number): number {
  const isTrue = (decimals: number) =>
    (+left.toFixed(decimals) + +right.toFixed(decimals)).toFixed(decimals) ===
    sum.toFixed(decimals);
  return [4, 5, 6, 7].find(isTrue) ?? 4;
}

/** Digits at which an equation is written. */
export interface EquationDigits {
  /** Decimals of the old and the new number. */
  decimals: number;
  /** Significant digits of the terms between them. */
  digits: number;
}

type UpdateTerms = Pick<
  RowUpdate,
  "old" | "new" | "gradient" | "m_after" | "step_size" | "denominator"
>;

/** Return how many digits make an update's equation true for a reader who computes with the digits shown. */
export function equationDigits(row: UpdateTerms): EquationDigits {
  const { old, new: next, step_size: stepSize } = row;
  const [slope, divisor] = [
    row.m_after ?? row.gradient,
    row.m_after === null ? 1 : row.denominator,
  ];
  if (old === null || next === null || slope === null || divisor === null || old === next)
    return { decimals: 5, digits: 4 };
  // Three digits of the change are visible.
  const least = Math.min(9, Math.max(3, 2 - Math.floor(Math.log10(Math.abs(next - old)))));
  for (let decimals = least; decimals < least + 3; decimals++) {
    for (let digits = 4; digits < 8; digits++) {
      const [a, b, c] = [stepSize, slope, divisor].map((term) => +term.toPrecision(digits));
      const result = +old.toFixed(decimals) - (a! * b!) / c!;
      if (result.toFixed(decimals) === next.toFixed(decimals)) return { decimals, digits };
    }
  }
  return { decimals: least, digits: 4 };
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
