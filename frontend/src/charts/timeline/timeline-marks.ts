/** Marks of the timeline: the largest events, how many happened where, and those near a step. Pure. */

/** An event on the timeline: its step, a description, and its size; the largest are marked. */
export interface TimelineMark {
  step: number;
  text: string;
  size: number;
}

const MAX_MARKS = 7;
/** Minimum distance between two marks, as a share of the axis. */
const MIN_DISTANCE = 1 / 40;
/** Parts of the axis whose events are counted together. */
const PARTS = 80;
/** Distance within which an event belongs to a step, as a share of the axis. */
const REACH = 1 / 120;

/** Return the largest marks, none close to another, on an axis that ends with step `last`. */
export function largestMarks(marks: readonly TimelineMark[], last: number): TimelineMark[] {
  const chosen: TimelineMark[] = [];
  for (const mark of bySize(marks)) {
    if (chosen.length === MAX_MARKS) break;
    if (chosen.every(({ step }) => Math.abs(step - mark.step) >= MIN_DISTANCE * last))
      chosen.push(mark);
  }
  return chosen;
}

/** Return the number of events in each of the equal parts of the axis, as a share of the fullest. */
export function eventDensity(marks: readonly TimelineMark[], last: number): number[] {
  const counts = new Array<number>(PARTS).fill(0);
  for (const { step } of marks)
    counts[Math.min(PARTS - 1, Math.floor((step / last) * PARTS))]! += 1;
  const most = Math.max(1, ...counts);
  return counts.map((count) => count / most);
}

/** Return the marks near a step, the largest first. */
export function marksNear(
  marks: readonly TimelineMark[],
  step: number,
  last: number,
): TimelineMark[] {
  return bySize(marks.filter((mark) => Math.abs(mark.step - step) <= REACH * last));
}

function bySize(marks: readonly TimelineMark[]): TimelineMark[] {
  return [...marks].sort((a, b) => b.size - a.size || a.step - b.step);
}
