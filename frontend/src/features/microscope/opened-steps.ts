/** Training steps opened under the microscope, and the choice among their stored answers. Pure. */

import type { Examination, MicroscopeText } from "../../api/rest-types";
import { isOpen } from "../../state/questions/examinations";

/** The part of a step to display; null: any. */
export interface WantedOfStep {
  step: number;
  token: number | null;
  coordinate: number;
  sequence: number;
}

/** Return the questions about a step in its newest attempt, in the order asked. */
function aboutStep(items: readonly Examination[], step: number): Examination[] {
  const about = items.filter((one) => one.kind === "microscope" && one.step === step);
  const newest = Math.max(...about.map(({ attempt }) => attempt));
  return about.filter(({ attempt }) => attempt === newest);
}

/** Return whether a question is exactly the wanted one. */
export function isAbout({ question }: Examination, wanted: WantedOfStep): boolean {
  return (
    question.token === wanted.token &&
    question.sequence === wanted.sequence &&
    (wanted.token === null || question.coordinate === wanted.coordinate)
  );
}

/**
 * Return the answered question to display for a step: the wanted one, else the one that shares most with it,
 * the newest of several. Null if there is none.
 */
export function answeredOf(
  items: readonly Examination[],
  wanted: WantedOfStep,
): Examination | null {
  const likeness = (one: Examination) =>
    Number(isAbout(one, wanted)) * 4 +
    Number(one.question.sequence === wanted.sequence) * 2 +
    Number(one.question.token === wanted.token);
  return aboutStep(items, wanted.step)
    .filter(({ state }) => state === "done")
    .reduce<Examination | null>(
      (best, one) => (best && likeness(best) > likeness(one) ? best : one),
      null,
    );
}

/**
 * Return the position of a row's word in the text of its answer, preferably that of `place`; null where the
 * text does not read the word.
 */
export function rowPosition(
  { sequence, ids, next_ids: nextIds }: Pick<MicroscopeText, "sequence" | "ids" | "next_ids">,
  token: number,
  place: { sequence: number; position: number } | null,
): number | null {
  const read = ids.slice(0, nextIds.length);
  if (place?.sequence === sequence && read[place.position] === token) return place.position;
  const first = read.indexOf(token);
  return first < 0 ? null : first;
}

/** Return the unanswered question about a step, the newest of several. */
export function openOf(items: readonly Examination[], step: number): Examination | null {
  return aboutStep(items, step).findLast(isOpen) ?? null;
}

/** Return the opened steps in order, without duplicates. */
export function openedSteps(items: readonly Examination[]): number[] {
  const done = items.filter((one) => one.kind === "microscope" && one.state === "done");
  return [...new Set(done.map(({ step }) => step))].sort((a, b) => a - b);
}

/**
 * Return the position of the most informative word of a sequence without its last word, which is not read:
 * the rarest word made of letters, the first of several. Null without one.
 */
export function tellingPosition(
  sequence: readonly number[],
  tokens: readonly string[],
  counts: ArrayLike<number>,
): number | null {
  let best: number | null = null;
  sequence.slice(0, -1).forEach((id, position) => {
    if (!/^\p{L}{2,}$/u.test(tokens[id] ?? "")) return;
    if (best === null || (counts[id] ?? 0) < (counts[sequence[best]!] ?? 0)) best = position;
  });
  return best;
}

/** Where to begin in a step. */
export interface Beginning {
  sequence: number;
  position: number;
  token: number;
}

/**
 * Return where to begin in a step's batch: at the followed token if the batch reads it, else at the most
 * informative word. Null where the text is not kept.
 */
export function beginningIn(
  batch: readonly (readonly number[])[],
  place: { sequence: number; position: number } | null,
  followed: number | null,
  vocabulary: { tokens: readonly string[]; counts: ArrayLike<number> },
): Beginning | null {
  const wanted = place && batch[place.sequence] ? place.sequence : 0;
  const read = batch.map((sequence) => sequence.slice(0, -1));
  if (!read[wanted]?.length) return null;
  if (followed !== null) {
    if (place && read[wanted][place.position] === followed)
      return { sequence: wanted, position: place.position, token: followed };
    for (const sequence of [wanted, ...read.keys()]) {
      const position = read[sequence]!.indexOf(followed);
      if (position >= 0) return { sequence, position, token: followed };
    }
  }
  const position = tellingPosition(batch[wanted]!, vocabulary.tokens, vocabulary.counts) ?? 0;
  return { sequence: wanted, position, token: read[wanted][position]! };
}
