/** The words of the strip along a direction: both ends, the farthest words, and common ones evenly between. Pure. */

/** Number of rows between the ends, and of farthest words on each side. */
const BETWEEN = 9;
const FARTHEST = 4;
/** Number of most common words that those between are chosen from: words that a reader knows. */
const COMMON = 800;

interface StripWord {
  id: number;
  position: number;
  /** Position from 0, the first word of the strip, to 1, the last. */
  share: number;
  /** True for a word of an end. */
  end: boolean;
}

/** Return the words of the strip, by position. `byCount`: ids, the most common first. */
export function chooseStripWords(
  positions: readonly (number | null)[],
  ends: readonly (readonly number[])[],
  byCount: ArrayLike<number>,
): StripWord[] {
  const known = positions.flatMap((position, id) => (position === null ? [] : [{ id, position }]));
  if (!known.length) return [];
  known.sort((one, other) => one.position - other.position);
  const named = new Set(ends.flat());
  const chosen = new Set(named);
  for (const { id } of [...known.slice(0, FARTHEST), ...known.slice(-FARTHEST)]) chosen.add(id);
  const common = new Set(Array.from(byCount).slice(0, COMMON));
  const between = known.filter(({ id }) => common.has(id) && !chosen.has(id));
  const [least, most] = [known[0]!.position, known.at(-1)!.position];
  const width = most - least || 1;
  for (let row = 1; row <= BETWEEN; row++) {
    const at = least + (width * row) / (BETWEEN + 1);
    const away = ({ position }: { position: number }) => Math.abs(position - at);
    const nearest = between.reduce<(typeof known)[number] | null>(
      (best, one) => (!best || away(one) < away(best) ? one : best),
      null,
    );
    if (nearest) chosen.add(nearest.id);
  }
  return known
    .filter(({ id }) => chosen.has(id))
    .map(({ id, position }) => ({
      ...{ id, position },
      share: (position - least) / width,
      end: named.has(id),
    }));
}
