/** The claims arranged as houses, and where an arrow key leads. Pure. */

import type { ClaimRow } from "../../api/rest-types";

export interface House<Row> {
  readonly group: string;
  readonly rows: readonly Row[];
}

/** Return the claims by subject, in the order in which the subjects come first. */
export function housesOf<Row extends Pick<ClaimRow, "group" | "number">>(
  rows: readonly Row[],
): House<Row>[] {
  const groups = [...new Set(rows.map(({ group }) => group))];
  return groups.map((group) => ({ group, rows: rows.filter((row) => row.group === group) }));
}

/** Return the number of the claim that a key leads to; null for any other key, and at an edge. */
export function neighbourOf(
  houses: readonly House<Pick<ClaimRow, "number">>[],
  chosen: number,
  key: string,
): number | null {
  const house = houses.findIndex(({ rows }) => rows.some(({ number }) => number === chosen));
  if (house < 0) return null;
  const floor = houses[house]!.rows.findIndex(({ number }) => number === chosen);
  // Houses stand on the ground: the same height above it is the same floor.
  const beside = (index: number) => {
    const { rows } = houses[index] ?? { rows: [] };
    const height = houses[house]!.rows.length - floor;
    return rows[Math.max(0, rows.length - height)]?.number;
  };
  const targets: Record<string, () => number | undefined> = {
    ArrowUp: () => houses[house]!.rows[floor - 1]?.number,
    ArrowDown: () => houses[house]!.rows[floor + 1]?.number,
    ArrowLeft: () => beside(house - 1),
    ArrowRight: () => beside(house + 1),
    Home: () => houses[0]?.rows[0]?.number,
    End: () => houses.at(-1)?.rows.at(-1)?.number,
  };
  return targets[key]?.() ?? null;
}
