/** Forks: which run comes from which, and the clock that related runs share. Pure. */

import type { Run } from "../api/rest-types";
import { printableText } from "../api/vocabulary";

type Related = Pick<Run, "id" | "parent">;

/** Limit on the generations that are followed: the parents of a hostile run may form a circle. */
const MAX_GENERATIONS = 100;

/** Return the runs that a run comes from, itself first, each with the step of its clock at which the run begins. */
function ancestorsOf(id: string, runs: readonly Related[]): Map<string, number> {
  const found = new Map([[id, 0]]);
  let begins = 0;
  let run = runs.find((one) => one.id === id);
  while (run?.parent && found.size < MAX_GENERATIONS && !found.has(run.parent.run)) {
    const { run: parent, step } = run.parent;
    begins += step;
    found.set(parent, begins);
    run = runs.find((one) => one.id === parent);
  }
  return found;
}

/**
 * Return the number to add to a step of one run to get the step of another at the same time: a fork begins at
 * a step of its parent. Unrelated runs are compared at equal steps.
 */
export function clockOffset(id: string, other: string, runs: readonly Related[]): number {
  const others = ancestorsOf(other, runs);
  for (const [ancestor, begins] of ancestorsOf(id, runs)) {
    const begun = others.get(ancestor);
    if (begun !== undefined) return begins - begun;
  }
  return 0;
}

/** Return whether two runs come from one, or one from the other. */
export function areRelated(id: string, other: string, runs: readonly Related[]): boolean {
  const others = ancestorsOf(other, runs);
  return [...ancestorsOf(id, runs).keys()].some((ancestor) => others.has(ancestor));
}

/** Return the name of a run, with the end of its id where another has the same name. */
export function nameOfRun(id: string, runs: readonly Pick<Run, "id" | "name">[]): string {
  const name = printableText(runs.find((run) => run.id === id)?.name ?? "");
  const shared = runs.some((run) => run.id !== id && printableText(run.name) === name);
  return name && shared ? `${name} · ${id.slice(-6)}` : name || id;
}

/** A run in the tree. */
export interface TreeEntry<T> {
  readonly run: T;
  /** Number of generations above it in the list. */
  readonly depth: number;
  /** True for a fork whose parent is not in the list. */
  readonly orphan: boolean;
}

/**
 * Return the runs in their order, each followed by its forks, the earliest step first. `all`: the runs that there
 * are, of which `runs` are listed.
 */
export function treeOf<T extends Related>(
  runs: readonly T[],
  all: readonly Related[] = runs,
): TreeEntry<T>[] {
  const listable = new Set(runs.map(({ id }) => id));
  const known = new Set(all.map(({ id }) => id));
  const listed = new Set<string>();
  const tree: TreeEntry<T>[] = [];
  const add = (run: T, depth: number) => {
    if (listed.has(run.id)) return;
    listed.add(run.id);
    tree.push({ run, depth, orphan: run.parent != null && !known.has(run.parent.run) });
    const forks = runs.filter(({ parent }) => parent?.run === run.id);
    for (const fork of forks.toSorted((a, b) => a.parent!.step - b.parent!.step))
      if (depth < MAX_GENERATIONS) add(fork, depth + 1);
  };
  for (const run of runs) if (!run.parent || !listable.has(run.parent.run)) add(run, 0);
  // Runs that claim to come from each other have no first one.
  for (const run of runs) add(run, 0);
  return tree;
}
