/** Which runs the list shows, and in which order. Pure. */

import type { Phase, Run } from "../../api/rest-types";
import { CONTINUE_STEPS, hasEnded } from "../../model/phase";

export const ORDERS = ["created", "loss", "steps", "name"] as const;
export type RunOrder = (typeof ORDERS)[number];

/** The states by which runs can be chosen, each a group of phases. */
export const STATES = ["any", "training", "finished", "stopped"] as const;
export type RunState = (typeof STATES)[number];

const PHASES: Record<Exclude<RunState, "any">, readonly Phase[]> = {
  training: ["waiting", "preparing", "running", "paused"],
  finished: ["finished"],
  stopped: ["interrupted", "failed"],
};

/** Return the runs whose names have all words of `text`, in a state, in an order. */
export function selectRuns(
  runs: readonly Run[],
  text: string,
  state: RunState,
  order: RunOrder,
): Run[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = runs.filter(({ id, name, status }) => {
    const named = `${name} ${id}`.toLowerCase();
    const fits = state === "any" || (status && PHASES[state].includes(status.state));
    return fits && words.every((word) => named.includes(word));
  });
  const loss = ({ status }: Run) => status?.loss ?? Infinity;
  const by: Record<RunOrder, (a: Run, b: Run) => number> = {
    created: (a, b) => (b.created ?? 0) - (a.created ?? 0),
    // Two runs without a loss are equal, and infinity less infinity is no number.
    loss: (a, b) => (loss(a) === loss(b) ? 0 : loss(a) - loss(b)),
    steps: (a, b) => (b.status?.step ?? 0) - (a.status?.step ?? 0),
    name: (a, b) => a.name.localeCompare(b.name),
  };
  return found.sort(by[order]);
}

/** A run alone, or the listed members of a set. */
export interface RunGroup<T> {
  readonly set: string | null;
  readonly entries: T[];
}

/** Return the entries in their order, those of a set together where its first one stands. */
export function groupSets<T extends { readonly run: Pick<Run, "set"> }>(
  entries: readonly T[],
): RunGroup<T>[] {
  const groups: RunGroup<T>[] = [];
  const ofSet = new Map<string, RunGroup<T>>();
  for (const entry of entries) {
    const set = entry.run.set ?? null;
    const group = set === null ? undefined : ofSet.get(set);
    if (group) group.entries.push(entry);
    else {
      const begun = { set, entries: [entry] };
      groups.push(begun);
      if (set !== null) ofSet.set(set, begun);
    }
  }
  return groups;
}

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
