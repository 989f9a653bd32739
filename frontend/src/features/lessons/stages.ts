/** The views of the stages, and predictions beside measured values. Pure. */

import type { Dot } from "./prediction/predictions.svelte";
import type { LessonNumber, LessonPart, LessonPrediction, LessonStage } from "../../api/rest-types";
import type { PackedContents } from "../../api/source";
import type { PanelName } from "../../model/view/view-options";
import type { ViewChange } from "../../model/view/view-state";

/** Return the view's query at a stage: its own, or that of the nearest earlier stage; null: none. */
export function viewAt(stages: readonly LessonStage[], stage: number): string | null {
  for (let at = Math.min(stage, stages.length); at > 0; at -= 1) {
    const { view } = stages[at - 1]!;
    if (view !== null) return view;
  }
  return null;
}

/** Return the measured number of a prediction, in the prediction's form; null while unknown. */
export function measuredOf(
  { number, form }: LessonPrediction,
  numbers: Record<string, LessonNumber>,
): number | null {
  const value = numbers[number]?.value ?? null;
  return value === null ? null : form === "percent" ? 100 * value : value;
}

/** Return the choice whose value is nearest to a number; null for a number on a line. */
export function nearestChoice({ choices }: LessonPrediction, value: number) {
  const by = (choice: { value: number }) => Math.abs(choice.value - value);
  return choices.reduce<(typeof choices)[number] | null>(
    (best, choice) => (best === null || by(choice) < by(best) ? choice : best),
    null,
  );
}

/** Return the position of a value in a prediction's picture, 0 to 1: on its line, or that of the nearest choice. */
export function placeOf(prediction: LessonPrediction, value: number): number {
  const { choices } = prediction;
  if (choices.length < 2) return placeOnLine(prediction, value);
  const chosen = nearestChoice(prediction, value);
  // Choices may stand for tens and for millions, so they are evenly spaced.
  const below = choices.filter((choice) => choice.value < chosen!.value).length;
  return below / (choices.length - 1);
}

/** Return the position of a value between the ends of a line, clamped to 0 to 1. */
export function placeOnLine(
  { least, most }: Pick<LessonPrediction, "least" | "most">,
  value: number,
): number {
  return Math.max(0, Math.min(1, (value - least) / (most - least)));
}

/** A prediction beside the measured value. */
export interface Comparison {
  readonly stage: number;
  readonly prediction: LessonPrediction;
  /** Null: the guess was skipped. */
  readonly predicted: number | null;
  /** Null: not known yet. */
  readonly measured: number | null;
}

/** Return the predictions up to stage `last` that were given, or that the class was `asked`. */
export function comparisons(
  { stages, numbers }: Pick<LessonPart, "stages" | "numbers">,
  given: Readonly<Record<number, number>>,
  last: number,
  asked: readonly (number | null)[] = [],
): Comparison[] {
  return stages.slice(0, last).flatMap(({ prediction }, at) => {
    const predicted = given[at + 1] ?? null;
    if (!prediction || (predicted === null && !asked.includes(at + 1))) return [];
    return [{ stage: at + 1, prediction, predicted, measured: measuredOf(prediction, numbers) }];
  });
}

/** Return the guesses with a known number, by stage: guess and number as fractions of the line. */
export function dotsOf(results: readonly Comparison[]): Record<number, Dot> {
  return Object.fromEntries(
    results.flatMap<[number, Dot]>(({ stage, prediction, predicted, measured }) =>
      predicted === null || measured === null
        ? []
        : [[stage, [placeOf(prediction, predicted), placeOf(prediction, measured)]]],
    ),
  );
}

/**
 * Return the next question of a part to ask. Its questions are asked one at a time from the first stage on,
 * so that the model answers while people still read and guess; null: none, or one is being answered.
 */
export function questionToAsk(stages: readonly LessonStage[]) {
  const asked = stages.flatMap(({ examination, waits_for_step }) =>
    examination && waits_for_step === null ? [examination] : [],
  );
  if (asked.some(({ state }) => state === "waiting" || state === "running")) return null;
  // A failed or cancelled question is left to a person to ask again.
  return asked.find(({ state }) => state === null) ?? null;
}

/** Panels that need only what every file holds. */
const HELD: readonly PanelName[] = ["token", "district", "gathered", "measures", "run", "export"];

/** Return the panel of a view that cannot be shown; null: none. `packed` is null for a server, which shows all. */
export function lackingPanel(
  { panel = null }: ViewChange,
  packed: Pick<PackedContents, "answers"> | null,
): PanelName | null {
  if (!packed || panel === null || HELD.includes(panel)) return null;
  return packed.answers && (panel === "ask" || panel === "experiments") ? null : panel;
}

/** Return a view without the panel that cannot be shown. */
export function heldView(
  view: ViewChange,
  packed: Pick<PackedContents, "answers"> | null,
): ViewChange {
  return lackingPanel(view, packed) === null ? view : { ...view, panel: null };
}

/**
 * Return the step of a view that cannot be shown, and the one shown in its place; null: the step can be
 * shown, or none is named. `heldAt` returns the step shown for a requested one.
 */
export function lackingStep(
  { at = null, from = null }: ViewChange,
  heldAt: (step: number) => number,
): { wanted: number; shown: number } | null {
  const wanted = at ?? from;
  if (wanted === null || heldAt(wanted) === wanted) return null;
  return { wanted, shown: heldAt(wanted) };
}
