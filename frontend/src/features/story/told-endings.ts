/** The runs whose end this browser has told of, so that it tells of each once. */

const STORAGE_KEY = "lamplighter.ended";
const MAX_RUNS = 200;

/** Return whether the end of a run has been told of. */
export function isEndingTold(run: string): boolean {
  return readRuns().includes(run);
}

/** Note that the end of a run is told of. */
export function noteEndingTold(run: string) {
  const runs = [...readRuns().filter((id) => id !== run), run].slice(-MAX_RUNS);
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(runs));
  } catch {
    // Without storage it is told again.
  }
}

function readRuns(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((id) => typeof id === "string") : [];
  } catch {
    return [];
  }
}
