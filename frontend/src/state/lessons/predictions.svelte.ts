/** The predictions given on this page, by run, part and stage. This browser keeps them. */

const STORAGE_KEY = "lamplighter.course";
/** Most parts whose predictions are kept; the oldest go. */
const MAX_PARTS = 60;

type Given = Record<number, number>;

export class Predictions {
  /** By stage, of one part on one run. */
  given = $state.raw<Readonly<Given>>({});
  private readonly key: string;

  constructor(run: string, part: number) {
    this.key = `${run}/${part}`;
    this.given = readStored().get(this.key) ?? {};
  }

  give(stage: number, value: number) {
    this.keep({ ...this.given, [stage]: value });
  }

  forget() {
    this.keep({});
  }

  private keep(given: Given) {
    this.given = given;
    const stored = readStored();
    stored.delete(this.key);
    stored.set(this.key, given);
    try {
      localStorage.setItem(STORAGE_KEY, JSON.stringify([...stored].slice(-MAX_PARTS)));
    } catch {
      // Without storage they last until the page is closed.
    }
  }
}

function readStored(): Map<string, Given> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "[]");
    if (!Array.isArray(kept)) return new Map();
    return new Map(kept.filter(isEntry));
  } catch {
    return new Map();
  }
}

function isEntry(entry: unknown): entry is [string, Given] {
  if (!Array.isArray(entry) || entry.length !== 2) return false;
  const [key, given] = entry as [unknown, unknown];
  return (
    typeof key === "string" &&
    typeof given === "object" &&
    given !== null &&
    Object.values(given).every((value) => typeof value === "number" && Number.isFinite(value))
  );
}
