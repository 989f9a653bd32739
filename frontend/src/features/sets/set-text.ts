/** The questions and words of a set. */

import type { RunSet } from "../../api/rest-types";
import { jsonQuestion } from "../../state/query/query.svelte";
import { forks } from "../../strings/forks";
import { sets as w } from "./sets.strings";

type GridValue = RunSet["grid"][number]["values"][number];

/** Return `/api/sets/<set>/<rest>`, with the set's id escaped. */
export function setPath(set: string, rest = ""): string {
  return `/api/sets/${encodeURIComponent(set)}${rest && `/${rest}`}`;
}

/** Return what varies in a set: "seed 0 to 9, learning rate 0.001, 0.003". */
export function gridText({ grid }: Pick<RunSet, "grid">): string {
  return grid.map(({ field, values }) => w.grid(fieldName(field), valuesText(values))).join(", ");
}

function fieldName(field: string): string {
  return w.fields[field] ?? forks.fields[field] ?? field;
}

function valuesText(values: readonly GridValue[]): string {
  const numbers = values.map(Number);
  const consecutive =
    values.length > 2 &&
    numbers.every((one, i) => Number.isInteger(one) && one === numbers[0]! + i);
  if (consecutive) return w.range(String(values[0]), String(values.at(-1)));
  return values.map(String).join(", ");
}

/** Members of a set that differ only in their seed. */
export interface SetGroup {
  readonly set: string;
  /** Its number, by which the server knows it. */
  readonly index: number;
  /** What its members share and other groups do not have; empty if there is only one group. */
  readonly name: string;
  readonly members: RunSet["members"];
}

/** Return the groups of a set, in the order in which the server counts them. */
export function groupsOf({ id: set, members }: Pick<RunSet, "id" | "members">): SetGroup[] {
  const groups: SetGroup[] = [];
  for (const member of members) {
    const name = memberName({ ...member.settings, seed: undefined });
    const known = groups.find((group) => group.name === name);
    if (known) known.members.push(member);
    else groups.push({ set, index: groups.length, name, members: [member] });
  }
  return groups;
}

/** Return what to ask about a group; `path` ends where a query is added. */
export function groupQuestion<T>({ set, index }: SetGroup, path: string, version: number) {
  return jsonQuestion<T>(setPath(set, `${path}group=${index}`), `${set} ${index}`, version);
}

/** Return the name of a member: its seed, and what else varies; undefined is left out. */
export function memberName(settings: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(settings).filter(([, value]) => value !== undefined);
  return parts.map(([field, value]) => w.grid(fieldName(field), String(value))).join(", ");
}
