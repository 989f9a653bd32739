import { describe, expect, it } from "vitest";
import type { Measures, Recipe, Status } from "../../api/rest-types";
import { story } from "./story.strings";
import { endingOf, replaySpeed } from "./run-ending";

const RECIPE = {
  corpus: { kind: "lamptown" },
  sequences: 16,
  model: { context: 32 },
} as unknown as Recipe;

const measured = (step: number, purity: number) =>
  ({ step, values: { purity_10nn: purity, purity_chance: 0.0083 } }) as unknown as Measures;

function ending(phase: string, step: number, more: object = {}) {
  const status = { phase, step } as unknown as Status;
  const facts = { recipe: RECIPE, inherited: 0, measures: [], losses: [], districts: 0, ...more };
  return endingOf({ status, ...facts });
}

describe("a district that the introduction points out", () => {
  const line = (planted: boolean, recorded = false) =>
    story.line(
      {
        ...{ name: "district", step: 500, lie: null, words: [], atRest: false, recorded },
        district: { id: 1, name: "animals", telling: true, planted },
      },
      "Animals",
      false,
      false,
    );

  it("has a name that is ours where it is a planted kind's, and the line says so", () => {
    expect(line(true)).toMatch(
      /we planted such groups in its text, and the name is ours: Animals\.$/,
    );
    expect(line(false)).toBe("It was never told that these belong together: Animals.");
    expect(line(true, true)).toBe("These are alike to the model. The name is ours: Animals.");
    expect(line(false, true)).not.toContain("ours");
  });
});

describe("the end of a run", () => {
  it("is none while the run goes on, or where it had no step", () => {
    expect(ending("running", 400)).toBeNull();
    expect(ending("failed", 0)).toBeNull();
    expect(
      endingOf({
        status: null,
        recipe: null,
        inherited: 0,
        measures: [],
        losses: [],
        districts: 0,
      }),
    ).toBeNull();
  });

  it("says how much was read, and whose neighbours are of their own kind", () => {
    const measures = [measured(0, 0.0312), measured(2_500, 0.9), measured(5_000, 0.9846)];
    const end = ending("finished", 5_000, { measures })!;
    expect(story.title(end, false)).toBe("5,000 steps, 2.6 million words read.");
    expect(story.learned(end)).toBe(
      "98\u00a0% of a word’s nearest neighbours (as many as its kind has others, at most ten) are of its own kind, which the model worked out from the text alone; at the start it was 3\u00a0%, by chance less than 1\u00a0%.",
    );
    const chance = ending("finished", 5_000, { measures: [measured(0, 0.009), measures[2]!] })!;
    expect(story.learned(chance)).toMatch(
      /; at the start it was less than 1\u00a0%, as by chance\.$/,
    );
    // What was never measured is left out, and nothing is rounded up to all.
    const late = ending("finished", 5_000, { measures: [measured(5_000, 0.9999)] })!;
    expect(story.learned(late)).toMatch(/^99\u00a0% .* alone; by chance/);
  });

  it("tells the steps that a fork inherits, and praises no share that fell", () => {
    const measures = [measured(0, 0.98), measured(150, 0.94)];
    const end = ending("finished", 150, { measures, inherited: 2_500 })!;
    expect(story.title(end, false)).toBe(
      "150 steps of its own, after 2,500 inherited, 76,800 words read since.",
    );
    expect(story.learned(end)).toBe(
      "94\u00a0% of a word’s nearest neighbours (as many as its kind has others, at most ten) are of its own kind; at the start it was 98\u00a0%, by chance less than 1\u00a0%.",
    );
  });

  it("tells of surprise and neighbourhoods where words have no kinds", () => {
    const end = ending("finished", 900, { losses: [7.42, 3, 1.64], districts: 1 })!;
    expect(story.learned(end)).toBe(
      "Its surprise at the next word fell from 7.4 to 1.6 (lower is better). It formed 1 neighbourhood.",
    );
    expect(story.learned(ending("finished", 900)!)).toBeNull();
    expect(story.learned(ending("finished", 9, { losses: [1, 2] })!)).toContain(
      "went from 1.0 to 2.0",
    );
  });

  it("says that a run was stopped, or failed, and then not what it learned", () => {
    const stopped = ending("interrupted", 2_190)!;
    expect(story.title(stopped, false)).toBe(
      "This run was stopped at step 2,190, 1.1 million words read.",
    );
    const failed = ending("failed", 312, { losses: [7, 9] })!;
    expect(story.title(failed, true)).toMatch(
      /^This run failed at step 312, 159,744 words and pieces/,
    );
    expect(story.learned(failed)).toBeNull();
  });

  it("does not know what a training loop of somebody else's read", () => {
    // Of its recipe only the loop could tell.
    const recipe = null;
    const series = { ...ending("finished", 5, { recipe })!, ownStep: 60 };
    expect(story.title(series, false)).toBe(
      "5 steps recorded, the last of them step 60 of its training.",
    );
    expect(story.title({ ...series, ownStep: null }, false)).toBe("5 steps recorded.");
    expect(story.title(ending("finished", 1, { recipe })!, false)).toBe("1 step.");
  });

  it("is replayed in half a minute, however long it took", () => {
    expect(replaySpeed(5_000)).toBe(167);
    expect(replaySpeed(12)).toBe(1);
  });
});
