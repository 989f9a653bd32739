/**
 * What suits the person at this screen. This browser keeps it; it is not in the address, since whoever is sent a
 * link has needs of their own.
 */

const KEPT = "lamplighter.comfort";

type Word = "letters" | "spoken";

export class Comfort {
  /** Keys that write something are shortcuts. */
  letters = $state(true);
  /** A screen reader is told now and then what the city is doing. */
  spoken = $state(true);

  constructor() {
    const kept = read();
    this.letters = kept.letters !== false;
    this.spoken = kept.spoken !== false;
  }

  set(word: Word, value: boolean) {
    this[word] = value;
    try {
      localStorage.setItem(KEPT, JSON.stringify({ letters: this.letters, spoken: this.spoken }));
    } catch {
      // Where nothing may be kept it holds until the page is closed.
    }
  }
}

function read(): Partial<Record<Word, unknown>> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    return typeof kept === "object" && kept !== null ? kept : {};
  } catch {
    return {};
  }
}
