/** The predictions given in this browser, by run, part and stage, with the measured values. */

const STORAGE_KEY = "lamplighter.course";
/** Limit on the parts whose predictions are stored; the oldest are dropped. */
const MAX_PARTS = 60;

type Given = Record<number, number>;
/** A guess and the measured value, as fractions of the prediction's line. */
export type Dot = readonly [guessed: number, measured: number];
type Dots = Record<number, Dot>;

interface Kept {
  given: Given;
  /** By stage, for the stages whose measured number was shown. */
  dots: Dots;
}
const NONE: Kept = { given: {}, dots: {} };

export class Predictions {
  /** By stage, of one part on one run. */
  given = $state.raw<Readonly<Given>>({});
  /** The dots of the run's other parts. */
  readonly otherDots: readonly Dot[];
  private readonly key: string;
  private dots: Readonly<Dots> = {};

  constructor(run: string, part: number) {
    this.key = `${run}/${part}`;
    const stored = readStored();
    ({ given: this.given, dots: this.dots } = stored.get(this.key) ?? NONE);
    this.otherDots = [...stored].flatMap(([key, { dots }]) =>
      key !== this.key && key.startsWith(`${run}/`) ? Object.values(dots) : [],
    );
  }

  give(stage: number, value: number) {
    this.keep({ given: { ...this.given, [stage]: value }, dots: this.dots });
  }

  /** Store the dots of stages whose measured numbers were shown. */
  keepDots(shown: Dots) {
    const dots = { ...this.dots, ...shown };
    if (JSON.stringify(dots) !== JSON.stringify(this.dots)) this.keep({ given: this.given, dots });
  }

  forget() {
    this.keep(NONE);
  }

  private keep(kept: Kept) {
    this.given = kept.given;
    this.dots = kept.dots;
    const stored = readStored();
    stored.delete(this.key);
    stored.set(this.key, kept);
    const entries = [...stored].slice(-MAX_PARTS);
    try {
      localStorage.setItem(
        STORAGE_KEY,
        JSON.stringify(entries.map(([key, { given, dots }]) => [key, given, dots])),
      );
    } catch {
      // Without storage they last until the page is closed.
    }
  }
}

function readStored(): Map<string, Kept> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "[]");
    return new Map(Array.isArray(kept) ? kept.flatMap(readEntry) : []);
  } catch {
    return new Map();
  }
}

/** Return a stored entry; an empty one if it is invalid. Entries older than the dots have none. */
function readEntry(entry: unknown): [string, Kept][] {
  if (!Array.isArray(entry)) return [];
  const [key, given, dots = {}] = entry as unknown[];
  if (typeof key !== "string" || !isRecordOf(given, isNumber) || !isRecordOf(dots, isDot))
    return [];
  return [[key, { given, dots }]];
}

function isRecordOf<T>(
  value: unknown,
  fits: (each: unknown) => each is T,
): value is Record<number, T> {
  return typeof value === "object" && value !== null && Object.values(value).every(fits);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isDot(value: unknown): value is Dot {
  return Array.isArray(value) && value.length === 2 && value.every(isNumber);
}
