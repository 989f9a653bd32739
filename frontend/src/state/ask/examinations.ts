/** Questions that were asked of the model: the newest word about each, and which belong to a prompt and a step. Pure. */

import type { Examination } from "../../api/rest-types";

/** Return known examinations with what has become of one of them, or with a new one. */
export function withExamination(known: readonly Examination[], one: Examination): Examination[] {
  return [...known.filter(({ id }) => id !== one.id), one];
}

/** Return whether it is still to be answered. */
export function isOpen({ state }: Examination): boolean {
  return state === "waiting" || state === "running";
}

/** Return a prompt with one space between words, so that two are compared as a reader does. */
export function plainPrompt(prompt: string): string {
  return prompt.trim().split(/\s+/u).join(" ");
}

/** Return the prompt that was to be gone on with; null for a question of another kind. */
function promptOf({ kind, question }: Examination): string | null {
  return kind === "speak" && typeof question.prompt === "string"
    ? plainPrompt(question.prompt)
    : null;
}

/** Return the questions about how the model goes on with a prompt: the latest of each step, in order of the steps. */
export function askedAbout(items: readonly Examination[], prompt: string): Examination[] {
  const wanted = plainPrompt(prompt);
  const byStep = new Map<number, Examination>();
  for (const one of items) {
    if (promptOf(one) !== wanted) continue;
    const other = byStep.get(one.step);
    if (!other || isBefore(other, one)) byStep.set(one.step, one);
  }
  return [...byStep.values()].sort((a, b) => a.step - b.step);
}

/** Return whether one of two questions is to give way to the other: an older attempt, or one that came to nothing. */
function isBefore(one: Examination, other: Examination): boolean {
  if (one.attempt !== other.attempt) return one.attempt < other.attempt;
  const worth = (of: Examination) => (of.state === "done" ? 2 : isOpen(of) ? 1 : 0);
  return worth(one) <= worth(other);
}

/** Return the prompts of all questions, each once, those asked last first. */
export function promptsOf(items: readonly Examination[]): string[] {
  const prompts = items
    .filter(({ state }) => state === "done")
    .flatMap((one) => promptOf(one) ?? []);
  return [...new Set(prompts.reverse())];
}

/** A question that was asked on this page, and the step that was displayed then. */
export interface Asked {
  id: string;
  displayed: number;
}

/**
 * Return the question to show of those about one prompt: the one just asked, for as long as nobody moves in time; else
 * that of the step displayed, or the last before it. Null for none.
 */
export function shownOf(
  about: readonly Examination[],
  step: number,
  asked: Asked | null,
): Examination | null {
  const latest = about.find(({ id }) => id === asked?.id) ?? null;
  if (latest && asked?.displayed === step) return latest;
  return about.findLast((one) => one.step <= step) ?? latest;
}
