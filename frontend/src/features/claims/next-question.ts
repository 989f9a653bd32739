/** The questions that the board asks automatically, one at a time. Pure. */

import type { ClaimQuestion, Examination } from "../../api/rest-types";
import { isOpen } from "../../state/questions/examinations";

/** Return the questions that the board still has to ask automatically, without those that a person starts. */
export function askedByItself(questions: readonly ClaimQuestion[]): ClaimQuestion[] {
  return questions.filter((one) => !one.by_button && !one.answered);
}

/**
 * Return the question to ask now; null while one is being answered, or when there is none. A question that
 * failed, was cancelled, or was tried here is not asked again.
 */
export function nextQuestion(
  questions: readonly ClaimQuestion[],
  items: readonly Examination[],
  tried: ReadonlySet<string>,
): ClaimQuestion | null {
  const wanted = askedByItself(questions);
  const known = new Map(items.map((one) => [one.id, one]));
  const busy = wanted.some(({ id }) => {
    const one = known.get(id);
    return one !== undefined && isOpen(one);
  });
  if (busy) return null;
  return wanted.find(({ id }) => !tried.has(id) && !known.has(id)) ?? null;
}
