import { describe, expect, it } from "vitest";
import type { Run, Upload } from "../../api/rest-types";
import { byHeartRemark, ownText } from "../../strings/own-text";
import { runSentence } from "./runs.strings";

function run(status: Partial<NonNullable<Run["status"]>>, rest: Partial<Run> = {}): Run {
  const recipe = {
    ...{ corpus: { kind: "lamptown" }, optimiser: {} },
    ...{ sequences: 16, model: { context: 32 } },
  };
  const whole = { phase: "finished", message: "", step: 5_000, steps: 5_000, alive: false };
  const made = { id: "r", name: "r", readable: true, problem: null, recipe, districts: 112 };
  const state = status.phase ?? whole.phase;
  return { ...made, status: { ...whole, state, ...status }, ...rest } as unknown as Run;
}

describe("a run in one sentence", () => {
  it("says what came of it", () => {
    expect(runSentence(run({}))).toBe("5,000 steps, 2.6 million words read; 112 neighbourhoods");
    expect(runSentence(run({ step: 1 }, { districts: 1 }))).toBe(
      "1 step, 510 words read; 1 neighbourhood",
    );
    expect(runSentence(run({ phase: "interrupted", step: 1_200 }, { districts: null }))).toBe(
      "Stopped at step 1,200",
    );
    const killed = run({ phase: "running", state: "interrupted", step: 1_200 });
    expect(runSentence(killed)).toBe("Stopped at step 1,200; 112 neighbourhoods");
    expect(runSentence(run({ phase: "running", alive: true, step: 7 }))).toBe(
      "Learning: step 7 of 5,000; 112 neighbourhoods",
    );
  });

  it("gives the reason where nothing came of it, with nothing hidden in it", () => {
    const failed = run({ phase: "failed", step: 0, message: "out of\u202e memory" });
    expect(runSentence(failed)).toMatch(/^Failed: out of.* memory$/u);
    expect(runSentence(failed)).not.toContain("\u202e");
    expect(runSentence(run({}, { readable: false, problem: "damaged" }))).toBe(
      "Can't be read: damaged",
    );
  });
});

describe("a text of one's own", () => {
  const text = {
    words: 60_000,
    tokens: 64_000,
    steps: 1_000,
    expectation: "some",
  } as Upload["text"];

  it("is refused in words", () => {
    expect(ownText.tooShort({ ...text, words: 26 })).toMatch(
      /^This text has 26 words\. 1,000 are needed/,
    );
    expect(ownText.tooShort({ ...text, words: 1 })).toMatch(/^This text has 1 word\./);
  });

  it("is said to be learned by heart where the steps are too many", () => {
    expect(byHeartRemark(text, 1_000)).toBeNull();
    expect(byHeartRemark(text, null)).toBeNull();
    expect(byHeartRemark(text, 5_000)).toContain("40 times");
  });
});
