/** The options of the pace control, and the current one. Pure. */

import type { Status } from "../../api/rest-types";

export interface PaceOption {
  /** `full`, or steps per second. */
  key: string;
  /** Rate to request; null for full speed. */
  rate: number | null;
}

const RATES = [10, 4, 2, 1];

/**
 * Return the pace options and the key of the chosen one, which single steps do not change; a pace set
 * elsewhere is included.
 */
export function paceOptions(status: Pick<Status, "pace_steps_per_second"> | null): {
  paces: PaceOption[];
  now: string;
} {
  const rate = status?.pace_steps_per_second ?? null;
  const rates = rate === null || RATES.includes(rate) ? RATES : [...RATES, rate];
  const keyOf = (one: number | null) => (one === null ? "full" : `${one}`);
  return {
    paces: [null, ...rates.toSorted((a, b) => b - a)].map((one) => ({
      key: keyOf(one),
      rate: one,
    })),
    now: keyOf(rate),
  };
}
