/** What the choice of a pace offers, and which of it is so now. Pure. */

import type { Status } from "../wire/rest";

export interface Pace {
  /** `full`, `single`, or steps a second. */
  key: string;
  /** What to ask for; undefined for what cannot be asked for here. */
  rate: number | null | undefined;
}

const RATES = [10, 4, 2, 1];

/** The paces to choose from, and the key of the one that is so. One asked for elsewhere is among them. */
export function pacesOf(status: Pick<Status, "pace" | "pace_steps_per_second"> | null): {
  paces: Pace[];
  now: string;
} {
  const paces: Pace[] = [{ key: "full", rate: null }];
  const rate = status?.pace === "limited" ? status.pace_steps_per_second : null;
  const rates = rate === null || RATES.includes(rate) ? RATES : [...RATES, rate];
  for (const each of rates.toSorted((a, b) => b - a)) {
    paces.push({ key: String(each), rate: each });
  }
  if (status?.pace === "single") paces.push({ key: "single", rate: undefined });
  return { paces, now: status?.pace === "single" ? "single" : rate === null ? "full" : `${rate}` };
}
