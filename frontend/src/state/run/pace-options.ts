/** The options of the pace control, and the current one. Pure. */

import type { Status } from "../../api/rest-types";

export interface PaceOption {
  /** `full`, `single`, or steps a second. */
  key: string;
  /** Rate to request; undefined for a pace that cannot be requested here. */
  rate: number | null | undefined;
}

const RATES = [10, 4, 2, 1];

/** Return the pace options and the key of the current one; a pace set elsewhere is among them. */
export function paceOptions(status: Pick<Status, "pace" | "pace_steps_per_second"> | null): {
  paces: PaceOption[];
  now: string;
} {
  const paces: PaceOption[] = [{ key: "full", rate: null }];
  const rate = status?.pace === "limited" ? status.pace_steps_per_second : null;
  const rates = rate === null || RATES.includes(rate) ? RATES : [...RATES, rate];
  for (const each of rates.toSorted((a, b) => b - a)) {
    paces.push({ key: String(each), rate: each });
  }
  if (status?.pace === "single") paces.push({ key: "single", rate: undefined });
  return { paces, now: status?.pace === "single" ? "single" : rate === null ? "full" : `${rate}` };
}
