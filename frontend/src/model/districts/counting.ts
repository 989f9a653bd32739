/** Counts of items by their kind, and the process that owns a row. Pure. */

/** Deals of words to processes, and the most words in all of them: some milliseconds. */
const [MIN_DEALS, MAX_DEALS, MAX_DEALT] = [100, 2_000, 400_000];

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

/** Return a number from 0 to below 1 that looks random (mulberry32). */
function mixed(state: number): number {
  let bits = Math.imul(state ^ (state >>> 15), state | 1);
  bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
  return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
}

/**
 * Return the largest number of rows that one process owns of `words` words dealt at random: its mean and its standard
 * deviation over deals, which are drawn the same way each time.
 */
export function largestOwned(owners: [number, number][], words: number): [number, number] {
  const ownerOfRow = owners.flatMap(([, rows], process) => Array<number>(rows).fill(process));
  const deals = Math.max(MIN_DEALS, Math.min(MAX_DEALS, Math.floor(MAX_DEALT / words)));
  let state = 1;
  let [sum, squares] = [0, 0];
  for (let deal = 0; deal < deals; deal++) {
    const owned = new Array<number>(owners.length).fill(0);
    // The first part of a shuffle; another one of what it left is as random.
    for (let i = 0; i < words; i++) {
      state = (state + 0x6d2b79f5) | 0;
      const j = i + Math.floor(mixed(state) * (ownerOfRow.length - i));
      const process = ownerOfRow[j]!;
      ownerOfRow[j] = ownerOfRow[i]!;
      ownerOfRow[i] = process;
      owned[process]! += 1;
    }
    const most = Math.max(...owned);
    sum += most;
    squares += most * most;
  }
  const mean = sum / deals;
  return [mean, Math.sqrt(Math.max(squares / deals - mean * mean, 0))];
}
