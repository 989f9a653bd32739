/** The cell layout of a row's numbers, and its keyboard navigation. Pure. */

/** Return the number of columns: a power of two, so that rows of usual widths fill their lines. */
export function cellColumns(cells: number): number {
  return 2 ** Math.max(0, Math.round(Math.log2(Math.sqrt(Math.max(1, cells)))));
}

/** Return the cell that a key leads to; null for other keys. */
export function cellAfterKey(
  key: string,
  cell: number,
  columns: number,
  cells: number,
): number | null {
  const moves: Record<string, number> = {
    ArrowLeft: cell - 1,
    ArrowRight: cell + 1,
    ArrowUp: cell - columns,
    ArrowDown: cell + columns,
    Home: 0,
    End: cells - 1,
  };
  if (!Object.hasOwn(moves, key)) return null;
  const next = moves[key]!;
  return next < 0 || next >= cells ? cell : next;
}
