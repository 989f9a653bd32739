/** The colouring of numbers on a clock by their place on the strongest circle of the displayed map. Pure. */

import type { Layout } from "../../api/frames";
import type { ColourScale } from "../../model/colour-scale";
import { FIRST_NUMBER } from "../../model/clock";
import { kindScale } from "./colour-scales";

/** Tints in the order of the rainbow, so that neighbours on a circle have neighbouring colours. */
const RAINBOW = [6, 0, 4, 2, 1, 5, 3];
/** Numbers that name an arc of the circle. */
const MAX_NAMED = 6;
/** How much stronger another frequency must be before the colours change. */
const LEAD = 1.5;

/** Return the frequency at which the numbers of a map go round most strongly; `held` unless another leads clearly. */
export function strongestFrequency(
  { places, x0, x1, y0, y1 }: Pick<Layout, "places" | "x0" | "x1" | "y0" | "y1">,
  size: number,
  held: number,
): number {
  const power = (frequency: number) => {
    const sums = [0, 0, 0, 0];
    for (let a = 0; a < size; a++) {
      const angle = (2 * Math.PI * frequency * a) / size;
      const x = (x1 - x0) * places[2 * (a + FIRST_NUMBER)]!;
      const y = (y1 - y0) * places[2 * (a + FIRST_NUMBER) + 1]!;
      [x * Math.cos(angle), x * Math.sin(angle), y * Math.cos(angle), y * Math.sin(angle)].forEach(
        (part, i) => (sums[i]! += part),
      );
    }
    return sums.reduce((all, sum) => all + sum * sum, 0);
  };
  let [best, most] = [held || 1, LEAD * power(held || 1)];
  for (let frequency = 1; 2 * frequency < size; frequency++) {
    const found = power(frequency);
    if (found > most) [best, most] = [frequency, found];
  }
  return best;
}

/** Build the scale of the arcs of the circle on which number a stands at `frequency` * a. */
export function phaseScale(count: number, size: number, frequency: number): ColourScale {
  const arcs: number[][] = RAINBOW.map(() => []);
  const arcOf = (a: number) => Math.floor((((a * frequency) % size) / size) * arcs.length);
  for (let place = 0; place < size; place++) {
    const a = Array.from({ length: size }, (_, n) => n).find(
      (n) => (n * frequency) % size === place,
    );
    if (a !== undefined) arcs[arcOf(a)]!.push(a);
  }
  const names = arcs.map(
    (arc) => arc.slice(0, MAX_NAMED).join(" ") + (arc.length > MAX_NAMED ? " …" : ""),
  );
  return kindScale(
    "phase",
    names,
    RAINBOW,
    (id) => {
      const a = id - FIRST_NUMBER;
      return a >= 0 && a < size ? 1 + arcOf(a) : 0;
    },
    count,
  );
}
