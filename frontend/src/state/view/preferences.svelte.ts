/**
 * Preferences of the person at this screen. The browser stores them; they are not in the URL, because the
 * recipient of a link has their own.
 */

const STORAGE_KEY = "lamplighter.comfort";

const NAMES = ["letters", "spoken", "enlarged", "introduced", "endings"] as const;

export type PreferenceName = (typeof NAMES)[number];

export class Preferences {
  /** Enables shortcuts on keys that type a character. */
  letters = $state(true);
  /** Enables occasional screen-reader announcements about the map. */
  spoken = $state(true);
  /** Enlarges type, labels and contrast, for reading from the back of a room. */
  enlarged = $state(false);
  /** Set once the introduction was seen or skipped. */
  introduced = $state(false);
  /** Enables the card about how a run ended. */
  endings = $state(true);

  constructor() {
    const kept = readStored();
    this.letters = kept.letters !== false;
    this.spoken = kept.spoken !== false;
    this.enlarged = kept.enlarged === true;
    this.introduced = kept.introduced === true;
    this.endings = kept.endings !== false;
  }

  set(name: PreferenceName, value: boolean) {
    this[name] = value;
    try {
      localStorage.setItem(
        STORAGE_KEY,
        JSON.stringify(Object.fromEntries(NAMES.map((each) => [each, this[each]]))),
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
