/** The runs whose end this browser has told, so that it tells each once. */

const STORAGE_KEY = "lamplighter.ended";
const MAX_RUNS = 200;

/** Return whether the end of a run has been told. */
export function isEndingTold(run: string): boolean {
  return readRuns().includes(run);
}

/** Mark the end of a run as told. */
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
