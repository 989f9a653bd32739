/** Figures that the panel of costs computes from what the server tells. Pure. */

import type { Cost } from "../../api/rest-types";

/** Watts of the lamp that energy is compared with. */
export const LAMP_WATTS = 10;

/** Return how long a lamp of `LAMP_WATTS` burns on some joules, in seconds. */
export function lampSeconds(joules: number): number {
  return joules / LAMP_WATTS;
}

export type CostCurve = Cost["curve"];
/** The spending along a curve: joules, or floating-point operations where nobody measured joules. */
export type SpentMeasure = "joules" | "flops";

/** Return what the curve of a run can be drawn over; null: over nothing but steps. */
export function spentMeasure(curve: CostCurve): SpentMeasure | null {
  const known = (name: SpentMeasure) => curve.filter((point) => point[name] !== null).length > 1;
  return known("joules") ? "joules" : known("flops") ? "flops" : null;
}

/** How much of the order a run has was there at half of what it spent. */
export interface HalfWay {
  /** The first known step at which half was spent. */
  step: number;
  /** Bits before the first step, there, and at the end. */
  bits: [start: number, half: number, end: number];
}

/** Return what half of the cost bought; null where bits or the spending are not known. */
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
