import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ViewPoster } from "./view-poster";
import type { ClassQuestion } from "../../api/rest-types";
import { isInCourse, questionOf } from "./class-question";
import { DEFAULT_VIEW, parseViewState, type ViewChange } from "../../model/view/view-state";
import { presentedQuery } from "./presented-view";
import { qrPath } from "./joining/address";

describe("the path of a QR code", () => {
  it("covers each dark module once, and no light one", () => {
    const rows = ["0000", "0110", "1011"];
    const drawn = rows.map((row) => Array.from(row, () => 0));
    for (const [, x, y, width] of qrPath(rows).matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g))
      for (let i = 0; i < Number(width); i++) drawn[Number(y)]![Number(x) + i]! += 1;
    expect(drawn.map((row) => row.join(""))).toEqual(rows);
  });
});

const NONE = { panel: null, folded: true } as const;

function presented(change: ViewChange, shared: Parameters<typeof presentedQuery>[1] = NONE) {
  return presentedQuery({ ...DEFAULT_VIEW, run: "town", ...change }, shared);
}

describe("the presenter's view", () => {
  it("is the query without its question mark, in printable characters only", () => {
    const query = presented({ token: "naïve dog", at: 12, panel: "step" })!;
    expect(query).toMatch(/^[!-~]+$/);
    expect(parseViewState(query)).toMatchObject({ run: "town", token: "naïve dog", at: 12 });
    expect(parseViewState(query).panel).toBe("step");
  });

  it("is null without a run", () => {
    expect(presented({ run: null })).toBeNull();
  });

  it("keeps private panels from the class", () => {
    const shared = { panel: "token", folded: null } as const;
    for (const panel of ["class", "runs", "export"] as const) {
      expect(parseViewState(presented({ panel }, shared)!).panel).toBe("token");
      expect(parseViewState(presented({ panel })!)).toMatchObject({ panel: null, folded: true });
    }
  });

  it("drops long fields to fit the limit, and no more than needed", () => {
    const many = Array.from({ length: 400 }, (_, i) => `word ${i}`);
    const view = parseViewState(presented({ tokens: many, say: "a dog", at: 3 })!);
    expect(view).toMatchObject({ tokens: null, say: "a dog", at: 3 });
    const longest = presented({ tokens: many, say: "ü".repeat(1_000), at: 3 })!;
    expect(longest.length).toBeLessThanOrEqual(2_000);
    expect(parseViewState(longest)).toMatchObject({ say: null, at: 3 });
  });
});

const DRAFT = { run: "town", token: 7, steps: 100, words: [1, 2, 7] } as const;

describe("a question to the class", () => {
  it("has only the fields that it needs", () => {
    expect(questionOf({ ...DRAFT, about: "lit_next" })).toEqual({
      ...{ run: "town", about: "lit_next" },
      ...{ token: null, steps: 1, words: [] },
    });
    expect(questionOf({ ...DRAFT, about: "lit_word" })).toMatchObject({ token: 7, steps: 1 });
    expect(questionOf({ ...DRAFT, about: "moved_later" })).toMatchObject({ token: 7, steps: 100 });
    expect(questionOf({ ...DRAFT, about: "loss_later" })).toMatchObject({ token: null, words: [] });
  });

  it("never offers the word itself", () => {
    expect(questionOf({ ...DRAFT, about: "nearest" })?.words).toEqual([1, 2]);
  });

  it("is null while a word is missing", () => {
    expect(questionOf({ ...DRAFT, about: "lit_word", token: null })).toBeNull();
    expect(questionOf({ ...DRAFT, about: "nearest", words: [1] })).toBeNull();
    expect(questionOf({ ...DRAFT, about: "nearest", words: [1, 2, 3, 4, 5, 6, 8] })).toBeNull();
  });
});

describe("a prediction of the course", () => {
  it("is shown in the course, and not on a card, where the course displays it or its result", () => {
    const asked = { run: "town", part: 1, stage: 2, state: "open" } as ClassQuestion;
    const shown = (question: Partial<ClassQuestion>, lesson: string | null, run = "town") =>
      isInCourse({ ...asked, ...question }, { run, lesson });
    expect(shown({}, "1.2")).toBe(true);
    for (const elsewhere of ["1.3", "10.2", "0", null]) expect(shown({}, elsewhere)).toBe(false);
    expect(shown({}, "1.2", "other")).toBe(false);
    expect(shown({ part: null, stage: null }, "1.2")).toBe(false);
    expect(shown({ state: "closed" }, "1.4")).toBe(true);
    expect(shown({ state: "revealed" }, "10.4")).toBe(false);
  });
});

let posted: string[];
let status: number;
let poster: ViewPoster;

beforeEach(() => {
  vi.useFakeTimers();
  posted = [];
  status = 204;
  vi.stubGlobal("fetch", (_: string, { body }: RequestInit) => {
    posted.push((JSON.parse(body as string) as { query: string }).query);
    return Promise.resolve(new Response(null, { status }));
  });
  poster = new ViewPoster();
});
afterEach(() => {
  poster.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the presenter's view", () => {
  it("goes out at once, then at most four times a second, and always the last one", async () => {
    for (let at = 0; at < 100; at++) {
      poster.show(`at=${at}`);
      await vi.advanceTimersByTimeAsync(20);
    }
    await vi.advanceTimersByTimeAsync(250);
    expect(posted[0]).toBe("at=0");
    expect(posted.at(-1)).toBe("at=99");
    expect(posted.length).toBeLessThanOrEqual(10);
  });

  it("goes out once a second during a drag", async () => {
    for (let at = 0; at < 100; at++) {
      poster.show(`at=${at}`, true);
      await vi.advanceTimersByTimeAsync(40);
    }
    poster.show("at=99");
    await vi.advanceTimersByTimeAsync(250);
    expect(posted.at(-1)).toBe("at=99");
    expect(posted.length).toBeLessThanOrEqual(6);
  });

  it("goes out once while it is unchanged, and again after it was withdrawn", async () => {
    for (const query of ["a", "a", null, "a"]) {
      poster.show(query);
      await vi.advanceTimersByTimeAsync(300);
    }
    expect(posted).toEqual(["a", "a"]);
  });

  it("is posted again when the server was unreachable, but not after a refusal", async () => {
    status = 503;
    poster.show("a");
    await vi.advanceTimersByTimeAsync(1_000);
    status = 204;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(posted).toEqual(["a", "a"]);
    status = 409;
    poster.show("b");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(posted).toEqual(["a", "a", "b"]);
  });
});
