/** Texts of changes to neighbourhoods, on the timeline and for screen readers. */

import type { DistrictEvent } from "../api/rest-types";
import { printableName, printableText } from "../api/vocabulary";
import { parseDistrictChange, type DistrictChange } from "../model/districts/district-change";
import { count } from "./numbers";
import { table } from "./translation";

const size = (words: number) => `${count(words)} ${words === 1 ? "word" : "words"}`;

type ChangeText = (change: Omit<DistrictChange, "kind">) => string;

export const districtChanges = table("districtChanges", {
  "district-born": ({ name, words }) => `New neighbourhood: ${name} (${size(words)})`,
  "district-split": ({ name, other, words }) => `${name} (${size(words)}) split off from ${other}`,
  "district-merged": ({ name, other }) => `${name} joined ${other}`,
  "district-gone": ({ name }) => `${name} dissolved`,
} as const satisfies Record<DistrictChange["kind"], ChangeText>);

/** Describe a change to a neighbourhood, in text that is safe to show. */
export function changeText(event: DistrictEvent): string {
  const change = parseDistrictChange(event);
  if (!change) return printableText(event.message);
  const { kind, name, other, words } = change;
  return districtChanges[kind]({ name: printableName(name), other: printableName(other), words });
}
