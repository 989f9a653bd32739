/** Questions to the model: the latest message about each, and which belong to a prompt and a step. Pure. */

import type { Examination, ExaminationQuestion } from "../../api/rest-types";
import type { ViewChange } from "../../model/view/view-state";

/** Return the examinations with one updated or added. */
export function withExamination(known: readonly Examination[], one: Examination): Examination[] {
  return [...known.filter(({ id }) => id !== one.id), one];
}

/** Return whether it is still unanswered. */
export function isOpen({ state }: Examination): boolean {
  return state === "waiting" || state === "running";
}

/** Return a prompt with single spaces between words, so that prompts compare as readers see them. */
function plainPrompt(prompt: string): string {
  return prompt.trim().split(/\s+/u).join(" ");
}

/** A question without its step. */
export type Subject<Kind extends ExaminationQuestion["kind"] = ExaminationQuestion["kind"]> =
  Extract<ExaminationQuestion, { kind: Kind }> extends infer Of
    ? Of extends unknown
      ? Omit<Of, "step">
      : never
    : never;

/** Return a stored question without its step. */
export function subjectOf({ question }: Pick<Examination, "question">): Subject {
  return Object.fromEntries(
    Object.entries(question).filter(([name]) => name !== "step"),
  ) as unknown as Subject;
}

/** Return whether two questions ask the same, regardless of their steps. */
export function asksSame(one: object, other: object): boolean {
  return keyOf(one) === keyOf(other);
}

/** Fields that do not make it another question to a reader: its step, and the length of the answer. */
const OF_NO_ACCOUNT = ["step", "words", "seed", "temperature", "confirmed"];

/** Return the identifying fields of a question as text to compare. */
function keyOf(question: object): string {
  const fields = Object.entries(question as Record<string, unknown>)
    .filter(([name, value]) => !OF_NO_ACCOUNT.includes(name) && value !== null)
    .map(([name, value]) => [name, typeof value === "string" ? plainPrompt(value) : value])
    .sort(([a], [b]) => (a! < b! ? -1 : 1));
  return JSON.stringify(fields);
}

/** Return the questions about a subject: the latest of each step, in order of the steps. */
export function askedAbout(items: readonly Examination[], subject: Subject): Examination[] {
  const wanted = keyOf(subject);
  const byStep = new Map<number, Examination>();
  for (const one of items) {
    if (keyOf(one.question) !== wanted) continue;
    const other = byStep.get(one.step);
    if (!other || isBefore(other, one)) byStep.set(one.step, one);
  }
  return [...byStep.values()].sort((a, b) => a.step - b.step);
}

/** Return whether one question gives way to another: it is of an older attempt, or has no answer. */
function isBefore(one: Examination, other: Examination): boolean {
  if (one.attempt !== other.attempt) return one.attempt < other.attempt;
  const worth = (of: Examination) => (of.state === "done" ? 2 : isOpen(of) ? 1 : 0);
  return worth(one) <= worth(other);
}

/** Return the answered questions of a kind, one per subject, latest first. */
export function subjectsOf(items: readonly Examination[], kind: Subject["kind"]): Examination[] {
  const bySubject = new Map<string, Examination>();
  for (const one of [...items].reverse()) {
    const key = keyOf(one.question);
    if (one.kind === kind && one.state === "done" && !bySubject.has(key)) bySubject.set(key, one);
  }
  return [...bySubject.values()];
}

/** Return the view that asks a question, without its step: fields of other kinds are left out. */
export function viewOf(subject: object): ViewChange {
  const fields = new Map<string, unknown>(Object.entries(subject));
  const text = (name: string) => {
    const value = fields.get(name);
    return typeof value === "string" && value.trim() ? plainPrompt(value) : null;
  };
  const number = (name: string) => {
    const value = fields.get(name);
    return typeof value === "number" ? value : null;
  };
  const teaches = fields.get("kind") === "what_if";
  return {
    say: text("prompt") ?? text("sentence"),
    times: teaches ? number("steps") : null,
    after: number("after"),
    into: text("into"),
    source: text("source"),
    other: number("source_step") ?? number("other_step"),
    second: text("other_sentence"),
  };
}

/** A question asked on this page, and the step on display at the time. */
export interface Asked {
  id: string;
  displayed: number;
}

/**
 * Return the question to show about a prompt: the latest one until the viewer moves in time; else that of the
 * step on display, or the last before it. Null for none.
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
