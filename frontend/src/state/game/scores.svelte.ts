/** The scores of a game in this browser, by run and by the step that it was played at. */

/** Most runs whose scores are kept, and most steps of each; the oldest go. */
const MAX_RUNS = 40;
const MAX_STEPS = 8;
/** Most rounds or moves that a stored score may have: more than anybody plays. */
const MAX_COUNT = 100_000;

export interface Score {
  /** Step asked for; `step` is the one that answered, the newest kept at or before it. */
  asked: number;
  step: number;
  games: number;
}

/** The scores of one game: where they are stored, and what they are made of. */
export interface ScoreKind<S extends Score> {
  key: string;
  /** Return whether a value that was stored has the fields of a score. */
  isScore: (value: Partial<S>) => boolean;
  /** Return the fields of both together, other than those of every score. */
  add: (before: S, now: S) => Omit<S, keyof Score>;
}

export class Scores<S extends Score> {
  /** Scores on this run; that of the step played at last comes last. */
  all = $state.raw<readonly S[]>([]);

  constructor(
    private readonly run: string,
    private readonly kind: ScoreKind<S>,
  ) {
    this.all = readStored(kind).get(run) ?? [];
  }

  /** Return how many games were played at a step that was asked for. */
  gamesAt(asked: number): number {
    return this.all.find((score) => score.asked === asked)?.games ?? 0;
  }

  /** Count a game that is over. */
  add(now: S) {
    const before = this.all.find((score) => score.asked === now.asked);
    const sum = before
      ? { ...now, ...this.kind.add(before, now), games: before.games + now.games }
      : now;
    this.all = [...this.all.filter((score) => score !== before), sum].slice(-MAX_STEPS);
    const stored = readStored(this.kind);
    stored.delete(this.run);
    stored.set(this.run, this.all);
    try {
      localStorage.setItem(this.kind.key, JSON.stringify([...stored].slice(-MAX_RUNS)));
    } catch {
      // Without storage they last until the page is closed.
    }
  }
}

/** Return whether all of these are whole numbers that a score may have. */
export function areCounts(...values: unknown[]): boolean {
  return values.every(
    (value) => Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= MAX_COUNT,
  );
}

function readStored<S extends Score>(kind: ScoreKind<S>): Map<string, readonly S[]> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(kind.key) ?? "[]");
    return new Map(
      Array.isArray(kept)
        ? kept.filter((entry): entry is [string, S[]] => isEntry(entry, kind))
        : [],
    );
  } catch {
    return new Map();
  }
}

function isEntry<S extends Score>(entry: unknown, kind: ScoreKind<S>): boolean {
  if (!Array.isArray(entry) || entry.length !== 2) return false;
  const [run, scores] = entry as [unknown, unknown];
  return (
    typeof run === "string" &&
    Array.isArray(scores) &&
    scores.every((score: unknown) => isScore(score, kind))
  );
}

function isScore<S extends Score>(value: unknown, kind: ScoreKind<S>): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { asked, step, games } = value as Partial<Score>;
  const whole = [asked, step].every((n) => Number.isSafeInteger(n) && n! >= 0);
  return whole && areCounts(games) && kind.isScore(value);
}
