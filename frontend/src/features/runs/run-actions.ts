/** The actions on a run in the list, besides opening it. Pure. */

import type { Run } from "../../api/rest-types";
import { CONTINUE_STEPS, hasEnded } from "../../model/phase";

export type RunAction = "replay" | "continue" | "remove";

/** Return the actions that make sense for a run and are allowed to the viewer. */
export function actionsOf({ readable, recipe, status }: Run, presenter: boolean): RunAction[] {
  const over = hasEnded(status?.phase) && !status?.alive;
  const learned = readable && over && (status?.step ?? 0) > 0;
  const failed = status?.phase === "failed";
  const actions: RunAction[] = [];
  if (learned && !failed) actions.push("replay");
  if (presenter && learned && !failed && recipe && recipe.corpus.kind !== "recorded")
    actions.push("continue");
  if (presenter && !status?.alive) actions.push("remove");
  return actions;
}

/** Return the steps beyond its end for which a run is continued: none if it stopped before. */
export function stepsToContinue({ status }: Run): number {
  return status?.phase === "finished" ? CONTINUE_STEPS : 0;
}
