/** A position in the course, as the address has it. Pure. */

/** A position in the course: part and stage, from 1; part 0 is the list. */
export interface LessonPlace {
  readonly part: number;
  readonly stage: number;
}

/** Parse a position such as `3.2`; a part alone means its first stage. */
export function parsePlace(word: string): LessonPlace {
  const [part = 0, stage = 1] = word.split(".").map(Number);
  return { part, stage: Math.max(1, stage) };
}

/** Format a position for the address. */
export function formatPlace({ part, stage }: LessonPlace): string {
  return part ? `${part}.${stage}` : "0";
}
