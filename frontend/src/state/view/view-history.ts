/**
 * The browser's history of views, which makes Back and Forward work as undo and redo: one entry for each
 * choice of the viewer, none for automatic changes, which update the current entry.
 *
 * Browsers limit how often a page may write its address (Safari: 100 times in 30 s). Writes beyond our own,
 * lower limit are deferred and merged into one.
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
 * How a change is recorded: as a new entry (`push`), in the current entry (`replace`), or not at all, because
 * the address has changed already (`none`).
 */
export type HistoryMode = "push" | "replace" | "none";

/** Delay before the entry follows automatic changes, in ms. */
const FOLLOW_DELAY = 250;
/** Limit on the writes within a period, in ms. */
const MAX_WRITES = 80;
const PERIOD = 30_000;

export class ViewHistory {
  /** Depth of nested actions in progress. */
  private depth = 0;
  /** Address before the action in progress. */
  private before: string | null = null;
  /** Set if the action in progress continues the last one. */
  private goesOn = false;
  /** Set during a gesture, such as a drag, which makes one entry when it ends. */
  private inGesture = false;
  /** Set if the action in progress ends a gesture. */
  private gestureEnds = false;
  /** Set if the deferred write is a new entry. */
  private entryOwed = false;
  private writes: number[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Start at the bar's address. `query` returns the query of the current view; null: none to write. */
  constructor(
    private readonly query: () => string | null,
    private readonly bar: AddressBar,
    /** Called when the viewer has changed the view, or begins to. */
    private readonly chosen: () => void = () => undefined,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Run an action of the viewer, and record it if it changed the view. A nested action is part of the outer
   * one.
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

  /** Make the action in progress continue the last one, as a held key does: both are one entry. */
  goOn() {
    this.goesOn = true;
  }

  /** Begin a gesture unless one is in progress: all changes until its end are one entry. */
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

  /** Record that the view has changed, perhaps automatically: the current entry follows a little later. */
  follow = () => {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.catchUp(), FOLLOW_DELAY);
  };

  /** Record that the browser has moved to another entry: nothing of the one it left is written there. */
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
    // A deferred entry will include the changes.
    if (query === null || query === this.bar.query || this.entryOwed) return;
    this.write(() => this.bar.replaceEntry(query));
  }

  /** Write to the bar, or defer that; return whether it was written. */
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

/** Language and theme in the address when the page was opened; they stay there, and in copied links. */
const NAMED =
  typeof location === "object"
    ? [...new URLSearchParams(location.search)].filter(([key]) => /^(lang|theme)$/.test(key))
    : [];

function addressOf(query: string): string {
  const named = String(new URLSearchParams(NAMED));
  return location.pathname + (named ? `${query ? `${query}&` : "?"}${named}` : query);
}

/** The address bar of this window. */
export const ADDRESS_BAR: AddressBar = {
  get query() {
    return location.search.replace(/([?&](lang|theme)=[^&]*)+$/, "");
  },
  pushEntry: (query) => history.pushState(null, "", addressOf(query)),
  replaceEntry: (query) => history.replaceState(null, "", addressOf(query)),
};
