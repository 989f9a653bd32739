/** Texts of the list of runs. */

import type { Run } from "../../api/rest-types";
import { printableText } from "../../api/vocabulary";
import { trainedRecipe } from "../../model/trained-recipe";
import { approximately, count } from "../../strings/numbers";
import { table } from "../../strings/translation";

const numbered = (amount: number, one: string, many: string) =>
  `${count(amount)} ${amount === 1 ? one : many}`;

export const runList = table("runList", {
  /** A run's progress and result, as parts of a sentence. */
  runSentences: {
    unreadable: (problem: string) => `Can't be read: ${problem}`,
    failed: (message: string) => `Failed: ${message}`,
    found: (districts: number) => `; ${numbered(districts, "neighbourhood", "neighbourhoods")}`,
    steps: (steps: number) => numbered(steps, "step", "steps"),
    read: (words: number) => `, ${approximately(words)} words read`,
    stopped: (step: number) => `Stopped at step ${count(step)}`,
    still: "One map, without training",
    starting: "Starting…",
    waiting: (step: number) => `Waiting for a trainer at step ${count(step)}`,
    paused: (step: number, steps: number) => `Paused at step ${count(step)} of ${count(steps)}`,
    learning: (step: number, steps: number) => `Learning: step ${count(step)} of ${count(steps)}`,
  },
  runsPanel: {
    back: "Back to the list",
    none: "There are no runs yet.",
    noneSuch: "No run is like that.",
    search: "Search runs",
    state: "State",
    states: { any: "any state", training: "training", finished: "finished", stopped: "stopped" },
    order: "Order",
    orders: { created: "newest first", loss: "lowest loss", steps: "most steps", name: "by name" },
    set: (members: number) => `One recipe, ${count(members)} trainings`,
    replay: "Replay",
    continue: "Keep training",
    continueAnyway: "Keep training anyway",
    remove: "Delete",
    askRemove: "Move this run to the trash?",
    sure: "Move to trash",
    keep: "Keep",
  },
  runName: { name: "Name of the run", rename: "Rename", save: "Save", cancel: "Cancel" },
  endRun: {
    end: "End this run",
    more: "Training stops. What it learned stays, and you can continue later",
    ask: "End this run for everyone?",
    sure: "End it",
    keep: "Keep training",
  },
});

/** Return one sentence about a run's progress and result. */
export function runSentence({ readable, problem, recipe, status, districts }: Run): string {
  const w = runList.runSentences;
  if (!readable || !status) return w.unreadable(printableText(problem ?? ""));
  const { state, step, steps, message, alive } = status;
  const found = districts ? w.found(districts) : "";
  const trained = trainedRecipe(recipe);
  const read = trained ? step * trained.sequences * trained.model.context : 0;
  if (state === "failed") return w.failed(printableText(message));
  if (state === "interrupted") return w.stopped(step) + found;
  if (state === "finished")
    return step ? w.steps(step) + (read ? w.read(read) : "") + found : w.still;
  if (step === 0) return w.starting;
  if (!alive) return w.waiting(step) + found;
  return (state === "paused" ? w.paused : w.learning)(step, steps) + found;
}
