/**
 * Preferences of the person at this screen. This browser stores them; they are not in the URL,
 * because the recipient of a link has their own.
 */

const STORAGE_KEY = "lamplighter.comfort";

export type PreferenceName = "letters" | "spoken";

export class Preferences {
  /** Enables shortcuts on keys that type a character. */
  letters = $state(true);
  /** Enables occasional screen-reader announcements about the map. */
  spoken = $state(true);

  constructor() {
    const kept = readStored();
    this.letters = kept.letters !== false;
    this.spoken = kept.spoken !== false;
  }

  set(name: PreferenceName, value: boolean) {
    this[name] = value;
    try {
      localStorage.setItem(
        STORAGE_KEY,
        JSON.stringify({ letters: this.letters, spoken: this.spoken }),
      );
    } catch {
      // Without storage the preference lasts until the page is closed.
    }
  }
}

function readStored(): Partial<Record<PreferenceName, unknown>> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "{}");
    return typeof kept === "object" && kept !== null ? kept : {};
  } catch {
    return {};
  }
}
