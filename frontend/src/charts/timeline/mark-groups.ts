/** Marks of the timeline, grouped to fit its width. Pure. */

/** An event on the timeline: its step and a description. */
export interface TimelineMark {
  step: number;
  text: string;
}

/** Events so close together that they share a mark, at the step of the first. */
export interface MarkGroup {
  step: number;
  texts: string[];
}

/** Limit on the marks along the timeline. */
const MAX_MARKS = 120;
/** Limit on the texts shown for one mark. */
export const MAX_TEXTS = 8;

/** Return the marks, grouped to fit an axis that ends with step `last`. */
export function groupMarks(marks: readonly TimelineMark[], last: number): MarkGroup[] {
  const shared = new Map<number, MarkGroup>();
  for (const { step, text } of marks) {
    const slot = Math.round((step / last) * MAX_MARKS);
    const group = shared.get(slot);
    if (group) group.texts.push(text);
    else shared.set(slot, { step, texts: [text] });
  }
  return [...shared.values()];
}

/** Return the texts of the first few marks near a step. */
export function textsNear(groups: readonly MarkGroup[], step: number, last: number): string[] {
  const reach = last / MAX_MARKS;
  return groups
    .filter((group) => Math.abs(group.step - step) <= reach)
    .flatMap(({ texts }) => texts)
    .slice(0, MAX_TEXTS);
}
