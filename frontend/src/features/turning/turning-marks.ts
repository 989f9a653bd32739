/** Turning points of a run's curves as marks of the timeline. Pure. */

import { translatedName } from "../../api/names";
import { printableText } from "../../api/vocabulary";
import type { TurningPoints } from "../../api/rest-types";
import type { TimelineMark } from "../../charts/timeline/timeline-marks";
import { turning } from "./turning.strings";

/** Turning points come before all changes to neighbourhoods, whose size is a number of words. */
const BEFORE_CHANGES = 1e9;
/** Two turning points with the same text are one if they are closer than this share of the run. */
const SAME = 1 / 10;

/** Return a mark for each turning point, by step; of several that say the same, that of the farthest. */
export function turningMarks({ items }: TurningPoints, newest: number): TimelineMark[] {
  const marks: TimelineMark[] = [];
  for (const { curve, step, kind, change, share } of items) {
    // A page that is a file may hold a part of the run.
    if (step > newest) continue;
    const text = turning[kind](describe(curve, change > 0));
    if (!marks.some((one) => one.text === text && Math.abs(one.step - step) < SAME * newest))
      marks.push({ step, text, size: BEFORE_CHANGES + share });
  }
  return marks.sort((a, b) => a.step - b.step);
}

function describe(curve: string, rises: boolean): string {
  const [, family, of] = /^(loss_decile|analogy|separation) (.+)$/.exec(curve) ?? [];
  // A loop may log a number by any name, such as `constructor`.
  let both = Object.hasOwn(turning.curves, curve) ? turning.curves[curve] : undefined;
  if (family === "analogy") both = turning.analogy(printableText(translatedName(of!)));
  if (family === "separation") both = turning.separation(printableText(translatedName(of!)));
  if (family === "loss_decile")
    both = turning.guessed(turning.groups[Number(of) <= 3 ? 0 : Number(of) <= 7 ? 1 : 2]);
  both ??= turning.other(printableText(curve));
  return both[rises ? 0 : 1];
}
