import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { OpenApi } from "../../../openapi";
import type { Recipe } from "../../api/rest-types";
import { repeatCommand } from "./cli-command";

const RECIPE: Recipe = {
  format: 1,
  corpus: {
    kind: "lamptown",
    name: "",
    tokeniser: "words",
    vocabulary_size: 4000,
    shuffle_words: false,
    planted: [],
  },
  model: { dim: 64, layers: 2, heads: 4, context: 32, tied: false },
  optimiser: { kind: "lazy", learning_rate: 0.003, embedding_factor: 5, clip_norm: 1 },
  cadence: { keyframe_every: 100, checkpoint_every: 250, waypoint_every: 250, verify_every: 50 },
  map: { method: "umap", neighbours: 40, min_dist: 1, spread: 1.5 },
  sequences: 16,
  passages: 4,
  steps: 450,
  seed: 7,
  threads: 1,
  device: "cpu",
  disk_budget: 2_000_000,
  prompts: [],
};

/** The server's default recipe. */
const DEFAULT = (
  JSON.parse(readFileSync(new URL("../../../openapi.json", import.meta.url), "utf8")) as OpenApi
).components.schemas["NewRun"]!.properties!["recipe"]!.default as Recipe;

describe("repeatCommand", () => {
  it("needs no file for the server's defaults", () => {
    expect(repeatCommand(DEFAULT)!.toml).toBeNull();
  });

  it("gives every setting, so that changed defaults have no effect", () => {
    expect(repeatCommand(RECIPE)).toEqual({
      command:
        "lamplighter train --corpus lamptown --steps 450 --vocabulary 4000 --tokeniser words --dim 64 --layers 2" +
        " --heads 4 --context 32 --batch 16 --optimiser lazy --learning-rate 0.003 --seed 7 --threads 1 --device cpu" +
        " --keyframe-every 100 --map umap --map-neighbours 40 --map-min-dist 1 --map-spread 1.5 --disk-budget 2",
      toml: null,
    });
    const tied = { ...RECIPE, model: { ...RECIPE.model, tied: true } };
    expect(repeatCommand(tied)!.command).toContain("--tied");
  });

  it("needs a file for settings without an option", () => {
    const odd = { ...RECIPE, passages: 2, optimiser: { ...RECIPE.optimiser, clip_norm: 0.5 } };
    const again = repeatCommand(odd)!;
    expect(again.command).toBe("lamplighter train --recipe recipe.toml");
    expect(again.toml).toContain('[optimiser]\nkind = "lazy"\nlearning_rate = 0.003');
    expect(again.toml!.indexOf("passages = 2")).toBeLessThan(again.toml!.indexOf("["));
    expect(again.toml).toContain("\nprompts = []\n");
    const prompted = repeatCommand({ ...RECIPE, prompts: ["the dog", 'he said "no"'] })!;
    expect(prompted.toml).toContain('\nprompts = ["the dog","he said \\"no\\""]\n');
    // The command line's own number of passages needs no file.
    expect(repeatCommand({ ...RECIPE, sequences: 6, passages: 3 })!.toml).toBeNull();
  });

  it("quotes any text name", () => {
    const text = (name: string) =>
      repeatCommand({ ...RECIPE, corpus: { ...RECIPE.corpus, kind: "text", name } })!.command;
    expect(text("my.txt")).toContain("--corpus my.txt ");
    expect(text("it's $(here).txt")).toContain(`--corpus 'it'\\''s $(here).txt' `);
    expect(text("-x\n")).toContain("--corpus '-x' ");
    expect(repeatCommand({ ...RECIPE, corpus: { ...RECIPE.corpus, kind: "recorded" } })).toBeNull();
  });
});
