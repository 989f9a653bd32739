/** Which steps are fetched together, and which of the maps that were drawn belongs to a step. Pure. */

/** Steps whose light is fetched at once: a census, and the pulses that follow it. */
export const STRETCH = 64;

/** That something was made for a step. */
export interface Made {
  attempt: number;
  step: number;
}

/** The stretch that a step lies in: 1 to 64, 65 to 128, ...; the state before the first step is in the first. */
export function stretchOf(step: number): { first: number; last: number } {
  const first = Math.floor(Math.max(0, step - 1) / STRETCH) * STRETCH + 1;
  return { first, last: first + STRETCH - 1 };
}

/** The step in the middle of the stretch that a step lies in. */
export function middleOf(step: number): number {
  return stretchOf(step).first + STRETCH / 2;
}

/** Of what was made, ascending by step, the place of the last one at or before `step`; -1 where there is none. */
export function placeAt(made: readonly Made[], step: number): number {
  let [low, high] = [0, made.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (made[middle]!.step <= step) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Ascending by step, one for each step: the last that is named. */
export function inOrder(made: readonly Made[]): Made[] {
  const byStep = new Map(made.map(({ attempt, step }) => [step, { attempt, step }]));
  return [...byStep.values()].sort((a, b) => a.step - b.step);
}

/**
 * The steps that are likely to be wanted after `step`, the likeliest first; the last move was by `moved`. Who drags
 * goes on the same way; who stands goes a step on or back.
 */
export function ahead(step: number, moved: number, dragged: boolean): number[] {
  if (dragged && moved) return [1, 2, 3].map((times) => step + times * moved);
  const way = moved < 0 ? -1 : 1;
  return [step + way, step - way, step + 2 * way, step + STRETCH * way];
}

/** Steps all along a run, 64 at most, that a hand dragged through it may come by: far apart first, then between. */
export function allAlong(newest: number): number[] {
  const bits = 6;
  const steps = Array.from({ length: 1 << bits }, (_, i) => {
    let turned = 0;
    for (let bit = 0; bit < bits; bit++) turned |= ((i >> bit) & 1) << (bits - 1 - bit);
    return middleOf(Math.round(((turned + 0.5) / (1 << bits)) * newest));
  });
  return [...new Set(steps)].filter((step) => step <= newest);
}
