/** The actions on a run in the list, besides opening it. Pure. */

import type { Run } from "../../api/rest-types";
import { CONTINUE_STEPS, hasEnded } from "../../model/phase";

export type RunAction = "replay" | "continue" | "remove";

/** Return the actions that make sense for a run and that the viewer may take. */
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

/** Return the number of steps added when a run continues: 0 if it stopped before its end. */
export function stepsToContinue({ status }: Run): number {
  return status?.phase === "finished" ? CONTINUE_STEPS : 0;
}
