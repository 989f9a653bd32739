/** Conversion of timeline positions and keys to steps. Pure. */

/** The move that a key requests: by a number of steps (negative: back), or to a step. */
export type KeyStep = { by: number } | { to: number };

/** Steps that an arrow key moves with shift, and the minimum for PageUp. */
const LARGE_STEP = 10;

/** Return the step at a fraction, 0 to 1, of an axis that ends with `last`; at most the newest step. */
export function stepAtShare(share: number, last: number, newest: number): number {
  return Math.max(0, Math.min(newest, Math.round(share * last)));
}

/** Return the move that a slider key requests; null for other keys. */
export function stepForKey(
  { key, shiftKey }: Pick<KeyboardEvent, "key" | "shiftKey">,
  newest: number,
): KeyStep | null {
  const far = Math.max(LARGE_STEP, Math.round(newest / 20));
  switch (key) {
    case "ArrowRight":
    case "ArrowUp":
      return { by: shiftKey ? LARGE_STEP : 1 };
    case "ArrowLeft":
    case "ArrowDown":
      return { by: shiftKey ? -LARGE_STEP : -1 };
    case "PageUp":
      return { by: far };
    case "PageDown":
      return { by: -far };
    case "Home":
      return { to: 0 };
    case "End":
      return { to: newest };
    default:
      return null;
  }
}
