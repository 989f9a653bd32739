/** The scores of *Odd one out* in this browser, by run and by the step that it was played at. */

const STORAGE_KEY = "lamplighter.odd-one-out";
/** Most runs whose scores are kept, and most steps of each; the oldest go. */
const MAX_RUNS = 40;
const MAX_STEPS = 8;
/** Most rounds that a stored score may have: more than anybody plays. */
const MAX_ROUNDS = 100_000;

export interface Score {
  /** Step asked for; `step` is the one that answered, the newest kept at or before it. */
  asked: number;
  step: number;
  games: number;
  right: number;
  rounds: number;
  /** Share of the rounds that guessing would get. */
  chance: number;
}

export class Scores {
  /** Scores on this run; that of the step played at last comes last. */
  all = $state.raw<readonly Score[]>([]);

  constructor(private readonly run: string) {
    this.all = readStored().get(run) ?? [];
  }

  /** Return how many games were played at a step that was asked for. */
  gamesAt(asked: number): number {
    return this.all.find((score) => score.asked === asked)?.games ?? 0;
  }

  /** Count a game that is over. */
  add({ asked, step, right, rounds, chance }: Omit<Score, "games">) {
    const before = this.all.find((score) => score.asked === asked);
    const sum = {
      ...{ asked, step, chance },
      games: 1 + (before?.games ?? 0),
      right: right + (before?.right ?? 0),
      rounds: rounds + (before?.rounds ?? 0),
    };
    this.all = [...this.all.filter((score) => score !== before), sum].slice(-MAX_STEPS);
    const stored = readStored();
    stored.delete(this.run);
    stored.set(this.run, this.all);
    try {
      localStorage.setItem(STORAGE_KEY, JSON.stringify([...stored].slice(-MAX_RUNS)));
    } catch {
      // Without storage they last until the page is closed.
    }
  }
}

function readStored(): Map<string, readonly Score[]> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "[]");
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

function isScore(value: unknown): value is Score {
  if (typeof value !== "object" || value === null) return false;
  const { asked, step, games, right, rounds, chance } = value as Partial<Score>;
  const whole = [asked, step, games, right, rounds].every(
    (n) => Number.isSafeInteger(n) && n! >= 0,
  );
  return (
    whole &&
    rounds! <= MAX_ROUNDS &&
    right! <= rounds! &&
    typeof chance === "number" &&
    chance > 0 &&
    chance < 1
  );
}
