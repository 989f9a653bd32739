/** The keyboard cursor of the matrix. Pure. */

/** A cell of the picture: the row from the top, and the index of the number in it. */
export interface CellPosition {
  row: number;
  column: number;
}

/**
 * Return the cell to which a key moves the cursor, within a matrix of `rows` by `columns`; null for other
 * keys. Without a cursor, any of these keys puts it at the first row in view.
 */
export function cursorAfterKey(
  key: string,
  cursor: CellPosition | null,
  view: readonly [number, number],
  rows: number,
  columns: number,
): CellPosition | null {
  const page = Math.max(1, Math.floor(view[1] - view[0]) - 1);
  const moves: Record<string, [number, number]> = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
    PageUp: [-page, 0],
    PageDown: [page, 0],
  };
  const move = Object.hasOwn(moves, key) ? moves[key]! : null;
  if (!move) return null;
  const [down, right] = cursor ? move : [0, 0];
  const { row, column } = cursor ?? { row: Math.floor(view[0]), column: 0 };
  return {
    row: Math.max(0, Math.min(rows - 1, row + down)),
    column: Math.max(0, Math.min(columns - 1, column + right)),
  };
}
