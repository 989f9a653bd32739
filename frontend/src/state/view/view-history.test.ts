import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ViewHistory, type AddressBar } from "./view-history";

/** An address bar with a history, which can be told to refuse writes as Safari does. */
class FakeBar implements AddressBar {
  entries = [""];
  at = 0;
  writes = 0;
  refuses = false;

  get query() {
    return this.entries[this.at]!;
  }

  pushEntry(query: string) {
    this.write();
    this.entries = [...this.entries.slice(0, ++this.at), query];
  }

  replaceEntry(query: string) {
    this.write();
    this.entries[this.at] = query;
  }

  private write() {
    if (this.refuses) throw new DOMException("too often", "SecurityError");
    this.writes += 1;
  }
}

let bar: FakeBar;
let view: string | null;
let history: ViewHistory;
/** How often the history recorded a choice of the viewer. */
let chosen: number;

beforeEach(() => {
  vi.useFakeTimers();
  bar = new FakeBar();
  view = "";
  chosen = 0;
  history = new ViewHistory(
    () => view,
    bar,
    () => (chosen += 1),
  );
});
afterEach(() => {
  vi.useRealTimers();
});

/** Change the view without a choice, as an effect of the page does. */
function drift(query: string) {
  view = query;
  history.follow();
}

/** Choose a view. */
function choose(query: string | null) {
  history.record(() => drift(query!));
}

describe("the history of views", () => {
  it("has one entry for each choice, at once", () => {
    for (const query of ["?1", "?2", "?2", "?3"]) choose(query);
    expect(bar.entries).toEqual(["", "?1", "?2", "?3"]);
  });

  it("has no entry for automatic changes, which update the current one a little later", () => {
    choose("?1");
    drift("?1&from=5");
    expect(bar.query).toBe("?1");
    vi.advanceTimersByTime(1_000);
    expect(bar.entries).toEqual(["", "?1&from=5"]);
  });

  it("saves automatic changes in the entry before a choice", () => {
    choose("?1");
    drift("?1&look");
    choose("?2&look");
    expect(bar.entries).toEqual(["", "?1&look", "?2&look"]);
  });

  it("has one entry for nested actions", () => {
    history.record(() => {
      choose("?1");
      choose("?2");
    });
    expect(bar.entries).toEqual(["", "?2"]);
  });

  it("has one entry for a held key", () => {
    choose("?at=1");
    for (let at = 2; at < 60; at++)
      history.record(() => {
        history.goOn();
        drift(`?at=${at}`);
        vi.advanceTimersByTime(30);
      });
    vi.advanceTimersByTime(1_000);
    expect(bar.entries).toEqual(["", "?at=59"]);
    choose("?at=60");
    expect(bar.entries).toEqual(["", "?at=59", "?at=60"]);
  });

  it("has one entry for a gesture, made when it ends", () => {
    choose("?at=1");
    drift("?at=1&look");
    for (let at = 2; at < 60; at++) {
      history.record(() => {
        history.beginGesture();
        drift(`?at=${at}`);
      });
      vi.advanceTimersByTime(500);
    }
    expect(bar.entries).toEqual(["", "?at=1&look"]);
    history.record(() => {
      drift("?at=60");
      history.endGesture();
    });
    expect(bar.entries).toEqual(["", "?at=1&look", "?at=60"]);
    history.record(() => history.endGesture());
    expect(bar.entries).toHaveLength(3);
  });

  it("writes nothing while the browser moves to another entry, and nothing of the one it left", () => {
    choose("?1");
    choose("?2");
    drift("?2&look");
    bar.at = 1;
    history.entered();
    history.record(() => drift("?1"), "none");
    vi.advanceTimersByTime(1_000);
    expect(bar.entries).toEqual(["", "?1", "?2"]);
    choose("?3");
    expect(bar.entries).toEqual(["", "?1", "?3"]);
  });

  it("writes nothing while no run is open", () => {
    choose(null);
    vi.advanceTimersByTime(1_000);
    expect(bar.writes).toBe(0);
    history.record(() => drift("?run=a"), "replace");
    vi.advanceTimersByTime(1_000);
    expect(bar.entries).toEqual(["?run=a"]);
  });

  it("writes no more often than browsers allow, and the last view in the end", () => {
    for (let i = 1; i <= 300; i++) {
      choose(`?${i}`);
      vi.advanceTimersByTime(10);
    }
    expect(bar.writes).toBeLessThan(100);
    vi.advanceTimersByTime(60_000);
    expect(bar.query).toBe("?300");
    expect(bar.writes).toBeLessThan(100);
  });

  it("tries again later if the browser refuses, and keeps the choice as an entry", () => {
    choose("?1");
    bar.refuses = true;
    choose("?2");
    choose("?3");
    bar.refuses = false;
    vi.advanceTimersByTime(60_000);
    expect(bar.entries).toEqual(["", "?1", "?3"]);
  });
});

describe("a chosen view", () => {
  it("differs from a continued, automatic or unchanged one", () => {
    choose("?1");
    expect(chosen).toBe(1);
    choose("?1");
    drift("?2");
    history.record(() => {
      history.goOn();
      drift("?3");
    });
    history.record(() => drift("?4"), "none");
    history.record(() => drift("?5"), "replace");
    expect(chosen).toBe(1);
    choose("?6");
    expect(chosen).toBe(2);
  });

  it("starts with its gesture, and includes the one that Back leads to", () => {
    history.beginGesture();
    expect(chosen).toBe(1);
    history.entered();
    expect(chosen).toBe(2);
  });
});
