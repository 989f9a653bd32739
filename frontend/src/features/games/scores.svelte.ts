/** The scores of *Odd one out* in this browser, by run and by the step played at. */

const KEY = "lamplighter.odd-one-out";
/** Limits on the stored runs, and on the steps of each; the oldest are dropped. */
const MAX_RUNS = 40;
const MAX_STEPS = 8;
/** Limit on the games and rounds of a stored score. */
const MAX_COUNT = 100_000;

export interface Score {
  /** The requested step; `step` is the one that answered, the newest kept at or before it. */
  asked: number;
  step: number;
  games: number;
  right: number;
  rounds: number;
  /** Fraction of the rounds expected from guessing. */
  chance: number;
}

export class Scores {
  /** Scores on this run, the step played last at the end. */
  all = $state.raw<readonly Score[]>([]);

  constructor(private readonly run: string) {
    this.all = readStored().get(run) ?? [];
  }

  /** Return how many games were played at a requested step. */
  gamesAt(asked: number): number {
    return this.all.find((score) => score.asked === asked)?.games ?? 0;
  }

  /** Count a finished game. */
  add(now: Score) {
    const before = this.all.find((score) => score.asked === now.asked);
    const sum = { ...now };
    if (before) for (const name of ["games", "right", "rounds"] as const) sum[name] += before[name];
    this.all = [...this.all.filter((score) => score !== before), sum].slice(-MAX_STEPS);
    const stored = readStored();
    stored.delete(this.run);
    stored.set(this.run, this.all);
    try {
      localStorage.setItem(KEY, JSON.stringify([...stored].slice(-MAX_RUNS)));
    } catch {
      // Without storage they last until the page is closed.
    }
  }
}

function readStored(): Map<string, readonly Score[]> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return new Map(Array.isArray(kept) ? kept.filter(isEntry) : []);
  } catch {
    return new Map();
  }
}

function isEntry(entry: unknown): entry is [string, Score[]] {
  if (!Array.isArray(entry) || entry.length !== 2) return false;
  const [run, scores] = entry as [unknown, unknown];
  return typeof run === "string" && Array.isArray(scores) && scores.every(isScore);
}

function isScore(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { asked, step, games, right, rounds, chance } = value as Record<keyof Score, unknown>;
  return (
    [asked, step].every((number) => isCount(number, Infinity)) &&
    [games, right, rounds].every((number) => isCount(number, MAX_COUNT)) &&
    Number(right) <= Number(rounds) &&
    typeof chance === "number" &&
    chance > 0 &&
    chance < 1
  );
}

function isCount(value: unknown, most: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most;
}
