/** The texts of legend entries. */

import type { Entry, Shades } from "../../model/shade";
import { t } from "../../strings";
import { shownLine } from "../../api/vocabulary";

export function entryWords({ name, from, to, other }: Entry, by: Shades["by"]): string {
  const w = t.legend;
  if (name !== null) return shownLine(name);
  if (other === "none") return w.none[by] ?? w.unknown;
  if (other === "rest") return w.rest[by] ?? "0";
  if (other === "unknown") return w.unknown;
  return w.band(by, from, to);
}
