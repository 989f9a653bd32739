/** What a viewer who may not ask cannot be shown: stages and sentences whose questions nobody has asked. Pure. */

import { parseViewState } from "../../model/view/view-state";
import type { LessonBlock, LessonNumber, LessonPart, LessonStage } from "../../api/rest-types";

type Told = Pick<LessonPart, "stages" | "numbers">;

/**
 * Return the numbers of the stages to skip: those that show an answer, ask for a guess at a number, or have most of their text
 * about numbers, that only the presenter can have computed; null while a question is being answered, which may bring them.
 */
export function stagesToSkip({ stages, numbers }: Told): ReadonlySet<number> | null {
  const states = stages.map(({ examination }) => examination?.state);
  if (states.some((state) => state === "waiting" || state === "running")) return null;
  const skipped = stages.flatMap((stage, at) =>
    // A stage that waits for its step says so.
    stage.waits_for_step === null && isUnanswered(stage, stages, numbers) ? [at + 1] : [],
  );
  return new Set(skipped);
}

/** Return whether any number of a part lacks an answer. */
export function lacksAnswers({ numbers }: Pick<LessonPart, "numbers">): boolean {
  return Object.keys(numbers).some((name) => lacks(numbers, name));
}

/** Return the nearest stage from `from` on, in the direction of `by`, that is not skipped; it may be 0, or past the last. */
export function nextShown(skipped: ReadonlySet<number> | null, from: number, by: 1 | -1): number {
  let stage = from;
  while (skipped?.has(stage)) stage += by;
  return stage;
}

/** Return the blocks of a stage without the lines that lack an answer. */
export function answeredBlocks(
  blocks: readonly LessonBlock[],
  numbers: Record<string, LessonNumber>,
): LessonBlock[] {
  return blocks.flatMap((block) => {
    const lines = block.lines.filter((line) => line.every(({ number }) => !lacks(numbers, number)));
    return lines.length ? [{ ...block, lines }] : [];
  });
}

function isUnanswered(
  stage: LessonStage,
  stages: readonly LessonStage[],
  numbers: Told["numbers"],
): boolean {
  if (lacks(numbers, stage.prediction?.number ?? null)) return true;
  if (showsUnanswered(stage, stages)) return true;
  return 2 * answeredBlocks(stage.blocks, numbers).length < stage.blocks.length;
}

/** Return whether the stage's view shows the answer to a question of the part that has none. */
function showsUnanswered({ view }: LessonStage, stages: readonly LessonStage[]): boolean {
  if (view === null) return false;
  const { panel, section, ask, at } = parseViewState(view);
  const kind =
    panel === "microscope" ? panel : section === "answer" || section === "apart" ? ask : null;
  const asked = stages.flatMap(({ examination }) => {
    const { kind: found, step } = examination?.question ?? {};
    const same = found === kind && (kind !== "microscope" || at === null || step === at);
    return examination && same ? [examination] : [];
  });
  return asked.length > 0 && asked.every(({ state }) => state !== "done");
}

/** Return whether a number needs an answer; claims are measured from answers, too. */
function lacks(numbers: Told["numbers"], name: string | null): boolean {
  const number = name === null ? undefined : numbers[name];
  if (name === null || number?.value !== null) return false;
  const { waits_for } = number;
  if (waits_for === "measure") return name.startsWith("claim.");
  return waits_for === "answer" || waits_for === "button";
}
