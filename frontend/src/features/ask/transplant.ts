/** The kinds of transplant. Pure. */

export const TRANSPLANTS = ["word", "step", "city"] as const;

/** The replacement: another word's row, the same row of another step, or the whole matrix of another step. */
export type Transplant = (typeof TRANSPLANTS)[number];

/** Return the kind of transplant of a view or question; `into` and `source` are empty where no word is named. */
export function transplantOf(into: string, source: string, otherStep: number | null): Transplant {
  if (source) return "word";
  if (into) return otherStep === null ? "word" : "step";
  return otherStep === null ? "word" : "city";
}
