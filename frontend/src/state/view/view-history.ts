/**
 * The browser's history of views, which makes Back and Forward undo and redo: one entry for each
 * thing that a person chose, none for what moves by itself, which the entry so far follows.
 *
 * Browsers limit how often a page may write its address (Safari: 100 times in 30 s). Writes beyond
 * our own, lower limit are put off, and those put off are one.
 */

/** The browser's address and its history. */
export interface AddressBar {
  /** The query string: `""`, or one that starts with `?`. */
  readonly query: string;
  /** Add an entry after the current one. Throws if the browser refuses. */
  pushEntry(query: string): void;
  /** Change the current entry. Throws if the browser refuses. */
  replaceEntry(query: string): void;
}

/**
 * The trace that a change leaves: an entry of its own (`push`), the entry so far in another form
 * (`replace`), or none, because the address has changed already.
 */
export type HistoryMode = "push" | "replace" | "none";

/** Debounce before the entry follows what moves by itself, in ms. */
const FOLLOW_DELAY = 250;
/** Limit on the writes within a period, in ms. */
const MAX_WRITES = 80;
const PERIOD = 30_000;

export class ViewHistory {
  /** Number of actions in progress, each within the one before. */
  private depth = 0;
  /** Address before the action in progress. */
  private before: string | null = null;
  /** Set if the action in progress only goes on with the last one. */
  private goesOn = false;
  /** Set during a gesture, such as a drag, which makes one entry when it ends. */
  private inGesture = false;
  /** Set if the action in progress ends a gesture. */
  private gestureEnds = false;
  /** Set if the entry that was put off is a new one. */
  private entryOwed = false;
  private writes: number[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Start at the bar's address. `query` returns the query of the view now; null: none to write. */
  constructor(
    private readonly query: () => string | null,
    private readonly bar: AddressBar,
    /** Called when a person has changed the view, or begins to. */
    private readonly chosen: () => void = () => undefined,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Do something that a person chose, and record it if it changed the view. An action within
   * another one is part of it.
   */
  record<Result>(action: () => Result, mode: HistoryMode = "push"): Result {
    if (this.depth === 0) this.before = this.query();
    this.depth += 1;
    try {
      return action();
    } finally {
      this.depth -= 1;
      if (this.depth === 0) this.recordChange(mode);
    }
  }

  /** Let the action in progress go on with the last one, as a key held down does: both are one entry. */
  goOn() {
    this.goesOn = true;
  }

  /** Begin a gesture unless one is under way: what changes until its end is one entry. */
  beginGesture() {
    if (this.inGesture) return;
    this.chosen();
    const before = this.depth ? this.before : this.query();
    this.replaceWith(before);
    this.inGesture = true;
  }

  endGesture() {
    if (!this.inGesture) return;
    if (this.depth) this.gestureEnds = true;
    else {
      this.inGesture = false;
      this.addEntry();
    }
  }

  /** Note that the view has changed, perhaps by itself: the entry so far follows, a little later. */
  follow = () => {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.catchUp(), FOLLOW_DELAY);
  };

  /** Note that the browser has gone to another entry: nothing of the one it left is written there. */
  entered() {
    clearTimeout(this.timer);
    this.inGesture = this.entryOwed = false;
    this.chosen();
  }

  private recordChange(mode: HistoryMode) {
    const { goesOn, gestureEnds } = this;
    this.goesOn = this.gestureEnds = false;
    if (gestureEnds) {
      this.inGesture = false;
      this.addEntry();
    } else if (mode === "replace" || goesOn) this.follow();
    else if (mode === "push" && !this.inGesture && this.query() !== this.before) {
      this.chosen();
      this.replaceWith(this.before);
      this.addEntry();
    }
  }

  private catchUp() {
    if (this.inGesture) return;
    if (this.entryOwed) this.addEntry();
    else this.replaceWith(this.query());
  }

  private addEntry() {
    const query = this.query();
    if (query === null || query === this.bar.query) return;
    this.entryOwed = !this.write(() => this.bar.pushEntry(query));
  }

  private replaceWith(query: string | null) {
    // An entry that is owed will have what has changed in it.
    if (query === null || query === this.bar.query || this.entryOwed) return;
    this.write(() => this.bar.replaceEntry(query));
  }

  /** Write to the bar, or put it off; return whether it was written. */
  private write(change: () => void): boolean {
    const now = this.now();
    this.writes = this.writes.filter((at) => at > now - PERIOD);
    if (this.writes.length < MAX_WRITES) {
      this.writes.push(now);
      try {
        change();
        return true;
      } catch (error) {
        if (!(error instanceof DOMException)) throw error;
        // The browser's limit is lower than ours.
        this.writes = new Array<number>(MAX_WRITES).fill(now);
      }
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.catchUp(), this.writes[0]! + PERIOD - now);
    return false;
  }
}

/** Language that the address named when the page was opened; it stays there, and in links that are copied from it. */
const NAMED = typeof location === "object" && new URLSearchParams(location.search).get("lang");

function addressOf(query: string): string {
  const lang = NAMED && `lang=${encodeURIComponent(NAMED)}`;
  return location.pathname + (lang ? `${query ? `${query}&` : "?"}${lang}` : query);
}

/** The address bar of this window. */
export const ADDRESS_BAR: AddressBar = {
  get query() {
    return location.search.replace(/[?&]lang=[^&]*$/, "");
  },
  pushEntry: (query) => history.pushState(null, "", addressOf(query)),
  replaceEntry: (query) => history.replaceState(null, "", addressOf(query)),
};
