/**
 * Preferences of the person at this screen. This browser stores them; they are not in the URL,
 * because the recipient of a link has their own.
 */

const KEPT = "lamplighter.comfort";

type Word = "letters" | "spoken";

export class Comfort {
  /** Enables shortcuts on keys that type a character. */
  letters = $state(true);
  /** Enables occasional screen-reader announcements about the city. */
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
      // Without storage the preference lasts until the page is closed.
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
