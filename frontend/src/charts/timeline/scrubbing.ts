/** From places on the timeline, and from keys, to steps. Pure. */

/** What a key asks for: so many steps on (or back), or a step. */
export type Keyed = { by: number } | { to: number };

/** Of how many steps a key with shift goes, and PageUp at least. */
const MANY = 10;

/** The step at a share of the axis, 0 to 1, that ends with `last`; none beyond the newest. */
export function stepAt(share: number, last: number, newest: number): number {
  return Math.max(0, Math.min(newest, Math.round(share * last)));
}

/** What a key of a slider does; null for any other. */
export function stepKeyed(
  { key, shiftKey }: Pick<KeyboardEvent, "key" | "shiftKey">,
  newest: number,
): Keyed | null {
  const far = Math.max(MANY, Math.round(newest / 20));
  switch (key) {
    case "ArrowRight":
    case "ArrowUp":
      return { by: shiftKey ? MANY : 1 };
    case "ArrowLeft":
    case "ArrowDown":
      return { by: shiftKey ? -MANY : -1 };
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

/** The place of the step nearest to `step` among ascending ones; 0 where there are none. */
export function nearest(steps: readonly number[], step: number): number {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle]! < step) low = middle + 1;
    else high = middle;
  }
  const before = step - (steps[low - 1] ?? -Infinity);
  const after = (steps[low] ?? Infinity) - step;
  return Math.max(0, after < before ? low : low - 1);
}
