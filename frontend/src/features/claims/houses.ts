/** The layout of the claims in houses, the plaques below them, and arrow-key navigation. Pure. */

import type { ClaimRow } from "../../api/rest-types";

export interface House<Row> {
  readonly group: ClaimRow["group"];
  readonly rows: readonly Row[];
}

export interface ClaimStreet<Row> {
  readonly houses: readonly House<Row>[];
  /** What follows from the recipe, then the checks of this program, then the definitions. */
  readonly plaques: readonly Row[];
}

/** The roles of the plaques, in their order. */
export const PLAQUES = ["recipe", "check", "definition"] as const;

type Placed = Pick<ClaimRow, "group" | "number" | "role">;

/** Return the claims by subject, in order of first appearance, and the plaques. */
export function streetOf<Row extends Placed>(rows: readonly Row[]): ClaimStreet<Row> {
  const ofRole = (wanted: Row["role"]) => rows.filter(({ role }) => role === wanted);
  const claims = ofRole("claim");
  const groups = [...new Set(claims.map(({ group }) => group))];
  return {
    houses: groups.map((group) => ({ group, rows: claims.filter((row) => row.group === group) })),
    plaques: PLAQUES.flatMap(ofRole),
  };
}

/** Return the number of the claim that a key leads to; null at an edge and for other keys. */
export function neighbourOf(
  { houses, plaques }: ClaimStreet<Pick<ClaimRow, "number">>,
  chosen: number,
  key: string,
): number | null {
  const at = plaques.findIndex(({ number }) => number === chosen);
  const house = houses.findIndex(({ rows }) => rows.some(({ number }) => number === chosen));
  if (house < 0 && at < 0) return null;
  const rows = houses[house]?.rows ?? [];
  const floor = rows.findIndex(({ number }) => number === chosen);
  // Houses stand on the ground: floors are matched by their height above it.
  const beside = (index: number) => {
    const { rows: others } = houses[index] ?? { rows: [] };
    return others[Math.max(0, others.length - (rows.length - floor))]?.number;
  };
  const ends = {
    Home: () => (houses[0]?.rows[0] ?? plaques[0])?.number,
    End: () => (plaques.at(-1) ?? houses.at(-1)?.rows.at(-1))?.number,
  };
  const inHouse = {
    ArrowUp: () => rows[floor - 1]?.number,
    ArrowDown: () => (rows[floor + 1] ?? plaques[0])?.number,
    ArrowLeft: () => beside(house - 1),
    ArrowRight: () => beside(house + 1),
  };
  const below = {
    ArrowUp: () => houses[0]?.rows.at(-1)?.number,
    ArrowLeft: () => plaques[at - 1]?.number,
    ArrowRight: () => plaques[at + 1]?.number,
  };
  const targets: Record<string, () => number | undefined> = {
    ...ends,
    ...(at < 0 ? inHouse : below),
  };
  return targets[key]?.() ?? null;
}
