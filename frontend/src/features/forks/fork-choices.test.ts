import { describe, expect, it } from "vitest";
import type { Recipe } from "../../api/rest-types";
import { changesOf, forkChoices } from "./fork-choices";

const RECIPE = {
  corpus: { kind: "lamptown", tokeniser: "words", planted: [] },
  model: { tied: false },
  optimiser: { kind: "lazy", learning_rate: 0.003, clip_norm: 1 },
  sequences: 8,
  passages: 8,
  seed: 0,
} as unknown as Recipe;

const named = (recipe: Recipe) => forkChoices(recipe, 0.003).map(({ name }) => name);

describe("the changes of a fork", () => {
  it("start from what the run has, and none proposes that", () => {
    const choices = forkChoices(RECIPE, 0.003);
    expect(choices.map((choice) => changesOf(choice, choice.value))).toEqual([
      { "optimiser.learning_rate": 0.03 },
      { "optimiser.learning_rate": 0.0003 },
      { "optimiser.kind": "sgd" },
      { "optimiser.clip_norm": 0.1 },
      { sequences: 32 },
      { seed: 1 },
      { "optimiser.frozen": ["embedding"] },
      { "corpus.kind": "othertown" },
      { "corpus.kind": "text" },
      { "corpus.planted": ["robot android antenna"] },
      {},
    ]);
  });

  it("read whole passages, and keep frozen what is", () => {
    const batch = (sequences: number, passages: number) =>
      forkChoices({ ...RECIPE, sequences, passages }, 1).find(({ name }) => name === "batch")!
        .value;
    expect(batch(20, 4)).toBe(4);
    expect(batch(24, 3)).toBe(6);
    expect(batch(30, 3)).toBe(9);
    expect(batch(6, 3)).toBe(24);
    const frozen = { ...RECIPE.optimiser, frozen: ["output" as const] };
    const choices = forkChoices({ ...RECIPE, optimiser: frozen }, 1);
    expect(choices.find(({ name }) => name === "freeze")!.value).toEqual(["output", "embedding"]);
  });

  it("leave out what the run cannot have", () => {
    const novels = { ...RECIPE, corpus: { ...RECIPE.corpus, kind: "novels" as const } };
    expect(named(novels)).not.toContain("town");
    expect(named(novels)).not.toContain("planted");
    const frozen = { ...RECIPE.optimiser, frozen: ["embedding" as const] };
    expect(named({ ...RECIPE, optimiser: frozen })).not.toContain("freeze");
    const tied = { ...RECIPE, model: { ...RECIPE.model, tied: true } };
    const kinds = forkChoices({ ...tied, optimiser: { ...RECIPE.optimiser, kind: "adam" } }, 1);
    expect(kinds.find(({ name }) => name === "optimiser")?.options).toEqual(["sgd"]);
  });
});
