/** Figures of the cost panel, computed from the server's data. Pure. */

import type { Cost } from "../../api/rest-types";

/** Power of the reference lamp, in watts. */
export const LAMP_WATTS = 10;

/** Return how long a lamp of `LAMP_WATTS` burns on this energy (joules), in seconds. */
export function lampSeconds(joules: number): number {
  return joules / LAMP_WATTS;
}

export type CostCurve = Cost["curve"];
/** The spending along a curve: joules, or floating-point operations where joules were not measured. */
export type SpentMeasure = "joules" | "flops";

/** Return the spending that the run's curve can be drawn over; null: none, draw it over steps. */
export function spentMeasure(curve: CostCurve): SpentMeasure | null {
  const known = (name: SpentMeasure) => curve.filter((point) => point[name] !== null).length > 1;
  return known("joules") ? "joules" : known("flops") ? "flops" : null;
}

/** How much of the run's final order existed after half of its spending. */
export interface HalfWay {
  /** The first known step at which half was spent. */
  step: number;
  /** Bits before the first step, at that step, and at the end. */
  bits: [start: number, half: number, end: number];
}

/** Return what half of the cost bought; null where bits or spending are unknown. */
export function halfWay(curve: CostCurve): HalfWay | null {
  const measure = spentMeasure(curve);
  if (!measure) return null;
  const known = curve.flatMap((point) => {
    const spent = point[measure];
    return point.bits !== null && spent !== null
      ? [{ step: point.step, bits: point.bits, spent }]
      : [];
  });
  const [first, last] = [known[0], known.at(-1)];
  if (!first || !last || known.length < 3) return null;
  const half = known.find(({ spent }) => spent >= last.spent / 2)!;
  return { step: half.step, bits: [first.bits, half.bits, last.bits] };
}
