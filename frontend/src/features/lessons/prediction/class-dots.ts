/** The guesses of a class in the course, as dots of a picture. Pure. */

import type { LessonAnswers } from "../../../api/rest-types";
import { placeOnLine } from "../stages";

/** The guesses of a class at a stage, as fractions of the prediction's line. */
export interface ClassDot {
  readonly part: number | null;
  readonly stage: number | null;
  /** The quartiles of the guesses. */
  readonly guessed: readonly [number, number, number];
  readonly measured: number;
}

/** Return the dots of the measured and guessed values. */
export function classDots(answers: readonly LessonAnswers[]): ClassDot[] {
  return answers.flatMap(({ question, quartiles, least, most }) => {
    // For choices, the index of the right one.
    const measured = question.outcome?.value ?? null;
    if (quartiles?.length !== 3 || measured === null) return [];
    const on = (value: number) => placeOnLine({ least, most }, value);
    const [first, middle, third] = quartiles as [number, number, number];
    return [
      {
        part: question.part,
        stage: question.stage,
        guessed: [on(first), on(middle), on(third)],
        measured: on(measured),
      },
    ];
  });
}
