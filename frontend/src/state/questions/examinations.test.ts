import { describe, expect, it } from "vitest";
import type { Examination } from "../../api/rest-types";
import {
  askedAbout,
  asksSame,
  shownOf,
  subjectOf,
  subjectsOf,
  viewOf,
  withExamination,
} from "./examinations";

/** Return a question about the continuation of "the dog", answered unless `change` says otherwise. */
function examination(
  step: number,
  change: Partial<Examination> = {},
  prompt = "the dog",
): Examination {
  return {
    id: `${prompt} ${step} ${change.attempt ?? 1} ${change.state ?? ""}`,
    kind: "speak",
    step,
    attempt: 1,
    question: { kind: "speak", step, prompt },
    state: "done",
    share: 1,
    activity: "",
    problem: null,
    made: 1,
    ...change,
  };
}

const THE_DOG = { kind: "speak", prompt: "the dog" } as const;
const LIE = { kind: "what_if", sentence: "the cat barked", steps: 5, after: 20 } as const;

describe("the questions about a prompt", () => {
  it("have the same words, in order of their steps", () => {
    const items = [
      examination(500),
      examination(0, {}, "  the   dog "),
      examination(9, {}, "the dogs"),
      examination(20),
    ];
    expect(askedAbout(items, THE_DOG).map(({ step }) => step)).toEqual([0, 20, 500]);
    expect(askedAbout(items, { kind: "speak", prompt: "dog" })).toEqual([]);
    // The length of the answer does not make it another question; its words and numbers do.
    const stored = { ...LIE, step: 5 };
    const taught = [{ ...examination(5), kind: "what_if", question: stored } as Examination];
    expect(askedAbout(taught, { ...LIE })).toEqual(taught);
    expect(askedAbout(taught, { ...LIE, steps: 4 })).toEqual([]);
  });

  it("give the view that asks the same at any step", () => {
    expect(viewOf({ ...LIE, step: 7 })).toEqual({
      ...{ say: "the cat barked", times: 5, after: 20 },
      ...{ into: null, source: null, other: null, second: null },
    });
    const swap = { kind: "transplant", prompt: "the dog", into: "dog", source: null };
    expect(viewOf({ ...swap, source_step: 0 })).toMatchObject({
      into: "dog",
      source: null,
      other: 0,
    });
    const probe = { kind: "probe", sentence: "a", other_sentence: " b  c ", other_step: 3 };
    expect(viewOf(probe)).toMatchObject({ say: "a", other: 3, second: "b c" });
    // Malformed fields are left out.
    expect(viewOf({ kind: "what_if", sentence: 5, steps: "5" }).say).toBeNull();
  });

  it("have one per step: of the newest attempt, and answered if possible", () => {
    const [failed, done, newer] = [
      examination(5, { state: "failed" }),
      examination(5),
      examination(5, { attempt: 2, state: "waiting" }),
    ];
    expect(askedAbout([done, failed], THE_DOG)).toEqual([done]);
    expect(askedAbout([failed, done], THE_DOG)).toEqual([done]);
    expect(askedAbout([newer, done], THE_DOG)).toEqual([newer]);
  });

  it("change with each message, and new ones come last", () => {
    const waiting = examination(5, { id: "a", state: "waiting" });
    const known = [waiting, examination(6, { id: "b" })];
    expect(withExamination(known, examination(5, { id: "a" })).map(({ id }) => id)).toEqual([
      "b",
      "a",
    ]);
    const prompts = [
      examination(1, {}, "a cat"),
      examination(1),
      examination(2, {}, "a cat"),
      examination(2, { state: "failed" }, "xyzzy"),
    ];
    expect(subjectsOf(prompts, "speak").map(({ question }) => viewOf(question).say)).toEqual([
      "a cat",
      "the dog",
    ]);
    expect(subjectsOf(prompts, "probe")).toEqual([]);
  });
});

describe("the answer shown", () => {
  const about = [examination(0), examination(250), examination(1_000)];
  const shownAt = (step: number, asked: Parameters<typeof shownOf>[2] = null) =>
    shownOf(about, step, asked)?.step ?? null;

  it("is that of the step on display, or the last before it", () => {
    expect([0, 1, 250, 999, 1_000, 5_000].map((step) => shownAt(step))).toEqual([
      0, 0, 250, 250, 1_000, 1_000,
    ]);
    expect(shownOf([examination(250)], 249, null)).toBeNull();
  });

  it("is the latest one until the viewer moves in time", () => {
    const asked = { id: about[0]!.id, displayed: 812 };
    expect(shownAt(812, asked)).toBe(0);
    expect(shownAt(813, asked)).toBe(250);
    // A question about other words is not among them.
    expect(shownAt(812, { id: "another", displayed: 812 })).toBe(250);
    // For a later step it is better than nothing.
    expect(shownOf(about.slice(2), 0, { id: about[2]!.id, displayed: 7 })?.step).toBe(1_000);
  });
});

describe("an opened question", () => {
  it("has its own settings, and is the same at another step", () => {
    const bench = (steps: number, step: number) =>
      examination(step, { kind: "bench", question: { kind: "bench", step, steps } });
    const items = [bench(40, 500), bench(1, 500), bench(1, 20)];
    expect(subjectOf(items[1]!)).toEqual({ kind: "bench", steps: 1 });
    expect(askedAbout(items, subjectOf(items[1]!)).map(({ step }) => step)).toEqual([20, 500]);
    expect(asksSame(items[1]!.question, items[2]!.question)).toBe(true);
    expect(asksSame(items[0]!.question, items[1]!.question)).toBe(false);
  });
});
