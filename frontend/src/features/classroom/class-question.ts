/** Questions to a class, as the server takes them. Pure. */

import type { ClassQuestion, ClassSubject, QuestionToClass } from "../../api/rest-types";
import { parsePlace } from "../../model/lesson-place";

/** The server's limits on the number of words to choose from. */
const MIN_CHOICES = 2;
export const MAX_CHOICES = 6;

const WITH_WORD: ReadonlySet<ClassSubject> = new Set([
  "lit_word",
  "read_later",
  "moved_later",
  "nearest",
]);
const NEXT_STEP: ReadonlySet<ClassSubject> = new Set(["lit_next", "lit_word"]);

/** Return whether a question is about one word. */
export function takesWord(about: ClassSubject): boolean {
  return WITH_WORD.has(about);
}

/** Return whether a question lets the presenter choose the number of steps; otherwise it is one. */
export function takesSteps(about: ClassSubject): boolean {
  return !NEXT_STEP.has(about);
}

interface Draft {
  run: string;
  about: ClassSubject;
  token: number | null;
  steps: number;
  words: readonly number[];
}

/** Return the question of a draft, with only the fields that it needs; null while a word is missing. */
export function questionOf({ run, about, token, steps, words }: Draft): QuestionToClass | null {
  if (takesWord(about) && token === null) return null;
  const choices = about === "nearest" ? words.filter((word) => word !== token) : [];
  if (about === "nearest" && (choices.length < MIN_CHOICES || choices.length > MAX_CHOICES))
    return null;
  return {
    run,
    about,
    token: takesWord(about) ? token : null,
    steps: takesSteps(about) ? steps : 1,
    words: choices,
  };
}

/** Return whether the course shows a question or its result at this place; a null lesson: the course is closed. */
export function isInCourse(
  { run, part, stage, state }: ClassQuestion,
  shown: { run: string | null; lesson: string | null },
): boolean {
  if (part === null || run !== shown.run || shown.lesson === null) return false;
  const place = parsePlace(shown.lesson);
  return place.part === part && (place.stage === stage || state !== "open");
}
