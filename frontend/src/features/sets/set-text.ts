/** The paths and words of a set. Pure. */

import type { RunSet } from "../../api/rest-types";
import { sets as w } from "./sets.strings";

type GridValue = RunSet["grid"][number]["values"][number];

/** Return `/api/sets/<set>/<rest>`, with the set's id escaped. */
export function setPath(set: string, rest = ""): string {
  return `/api/sets/${encodeURIComponent(set)}${rest && `/${rest}`}`;
}

/** Return what varies in a set: "seed 0 to 9, learning rate 0.001, 0.003". */
export function gridText({ grid }: Pick<RunSet, "grid">): string {
  return grid
    .map(({ field, values }) => w.grid(w.fields[field] ?? field, valuesText(values)))
    .join(", ");
}

function valuesText(values: readonly GridValue[]): string {
  const numbers = values.map(Number);
  const consecutive =
    values.length > 2 &&
    numbers.every((one, i) => Number.isInteger(one) && one === numbers[0]! + i);
  if (consecutive) return w.range(String(values[0]), String(values.at(-1)));
  return values.map(String).join(", ");
}

/** Return the name of a member: its seed, and what else varies. */
export function memberName(settings: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(settings).map(([field, value]) =>
    w.grid(w.fields[field] ?? field, String(value)),
  );
  return parts.join(", ");
}
