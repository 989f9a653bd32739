/** Counts of items by their kind, and the process that owns a row. Pure. */

/** Return the kinds of some items with their numbers, the most frequent first. */
export function countKinds<Item, Kind>(
  items: Iterable<Item>,
  kindOf: (item: Item) => Kind,
): [Kind, number][] {
  const sizes = new Map<Kind, number>();
  for (const item of items) {
    const kind = kindOf(item);
    sizes.set(kind, (sizes.get(kind) ?? 0) + 1);
  }
  return [...sizes].sort(([, many], [, few]) => few - many);
}

/** Return the process that owns a row, given the first row and the number of rows of each. */
export function ownerOf(owners: [number, number][], id: number): number {
  return owners.findLastIndex(([offset]) => offset <= id);
}
