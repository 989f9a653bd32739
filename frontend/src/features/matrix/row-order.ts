/** The order of the matrix's rows, and their groups. Pure. */

import type { Districts } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import type { RowOrder } from "../../model/view/view-options";

interface RowGroup {
  /** Group name, "" for tokens without a group. Hostile: show with `printableText`. */
  name: string;
  /** Rows, `last` exclusive. */
  first: number;
  last: number;
}

interface OrderedRows {
  /** Token id by row. */
  order: Uint32Array;
  groups: RowGroup[];
}

/** Order the rows by group, the largest first and tokens without a group last; the most common first within a group. */
export function orderRows(
  by: RowOrder,
  vocabulary: Vocabulary,
  districts: Districts | null,
  frequency: (least: number) => string,
): OrderedRows {
  const { tokens, counts, classOf, classes, byCount } = vocabulary;
  if (by === "id") return { order: Uint32Array.from(tokens.keys()), groups: [] };
  if (by === "frequency") {
    if (counts.some(Number.isNaN)) return { order: byCount, groups: [] };
    // Group by the number of digits in the count.
    const digits = (id: number) => String(counts[id]!).length;
    const name = (id: number) => frequency(counts[id]! ? 10 ** (digits(id) - 1) : 0);
    return splitIntoGroups(byCount, (id) => (counts[id]! ? digits(id) : 0), name);
  }
  const groupOf =
    by === "class" ? (id: number) => classOf[id]! : (id: number) => (districts?.of[id] ?? 0) - 1;
  const names = by === "class" ? classes : (districts?.names ?? []);
  const sizes = new Array<number>(names.length).fill(0);
  byCount.forEach((id) => {
    if (groupOf(id) >= 0) sizes[groupOf(id)]! += 1;
  });
  const rank = new Map(
    [...sizes.keys()]
      .sort((a, b) => sizes[b]! - sizes[a]! || a - b)
      .map((group, at) => [group, at]),
  );
  const rankOf = (id: number) => rank.get(groupOf(id)) ?? names.length;
  const common = new Uint32Array(tokens.length);
  byCount.forEach((id, at) => (common[id] = at));
  const order = byCount.slice().sort((a, b) => rankOf(a) - rankOf(b) || common[a]! - common[b]!);
  return splitIntoGroups(order, rankOf, (id) => names[groupOf(id)] ?? "");
}

/** Split an order into groups wherever `groupOf` changes. */
function splitIntoGroups(
  order: Uint32Array,
  groupOf: (id: number) => number,
  name: (id: number) => string,
): OrderedRows {
  const groups: RowGroup[] = [];
  order.forEach((id, row) => {
    const open = groups.at(-1);
    if (open && groupOf(order[row - 1]!) === groupOf(id)) open.last = row + 1;
    else groups.push({ name: name(id), first: row, last: row + 1 });
  });
  return { order, groups };
}
