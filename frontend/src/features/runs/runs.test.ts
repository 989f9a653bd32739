import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { OpenApi } from "../../../openapi";
import type { Recipe, Run, StepSummary } from "../../api/rest-types";
import { repeatCommand } from "./cli-command";
import { defaultForm, fieldOfError, recipeFromForm } from "./recipe-form";
import { groupSets, selectRuns, actionsOf, stepsToContinue } from "./run-selection";
import { measureSpeed } from "./speed";
import { flattenSettings } from "./flat-settings";

function runIn(
  phase: string,
  step: number,
  { alive = false, kind = "lamptown", readable = true } = {},
) {
  return {
    readable,
    recipe: { corpus: { kind } },
    status: { phase, step, alive },
  } as unknown as Run;
}

describe("the actions on a run", () => {
  it("are to replay, continue and delete a finished run", () => {
    for (const phase of ["finished", "interrupted"])
      expect(actionsOf(runIn(phase, 9), true)).toEqual(["replay", "continue", "remove"]);
    expect(actionsOf(runIn("finished", 9, { kind: "recorded" }), true)).toEqual([
      "replay",
      "remove",
    ]);
  });

  it("are only to delete a failed or unreadable run", () => {
    expect(actionsOf(runIn("failed", 0), true)).toEqual(["remove"]);
    expect(actionsOf(runIn("failed", 40), true)).toEqual(["remove"]);
    expect(actionsOf(runIn("finished", 9, { readable: false }), true)).toEqual(["remove"]);
  });

  it("are empty while it trains, and without changes for a viewer", () => {
    expect(actionsOf(runIn("running", 9, { alive: true }), true)).toEqual([]);
    expect(actionsOf(runIn("finished", 9), false)).toEqual(["replay"]);
    expect(actionsOf(runIn("failed", 0), false)).toEqual([]);
  });

  it("continue a run to its end, or beyond it", () => {
    expect(stepsToContinue(runIn("interrupted", 9))).toBe(0);
    expect(stepsToContinue(runIn("finished", 9))).toBeGreaterThan(0);
  });
});

describe("the settings of a recorded run", () => {
  it("have dotted names, in their original order", () => {
    const settings = {
      lr: 0.001,
      model: { layers: 4, tied: true },
      betas: [0.9, 0.95],
      note: null,
    };
    expect(flattenSettings(settings).lines).toEqual([
      ["lr", "0.001"],
      ["model.layers", "4"],
      ["model.tied", "true"],
      ["betas", "[0.9,0.95]"],
      ["note", "null"],
    ]);
  });

  it("are limited, with a count of those left out", () => {
    const many = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`key${i}`, "x".repeat(900)]),
    );
    const { lines, more } = flattenSettings(many);
    expect(lines).toHaveLength(60);
    expect(more).toBe(40);
    expect(lines[0]![1]).toHaveLength(200);
  });
});

const step = (number: number, time: number, seconds = 0.02) =>
  ({ step: number, time, step_seconds: seconds, observe_seconds: 0.001 }) as StepSummary;

describe("measureSpeed", () => {
  it("uses the wall clock", () => {
    const speed = measureSpeed([step(11, 100), step(12, 100.5), step(13, 101, 9)], 512)!;
    expect(speed).toEqual({
      over: 3,
      stepsPerSecond: 2,
      tokensPerSecond: 1024,
      trainingSeconds: 0.02,
      observingSeconds: 0.001,
    });
  });

  it("is null where it cannot be measured", () => {
    expect(measureSpeed([], 512)).toBeNull();
    expect(measureSpeed([step(1, 5)], 512)).toMatchObject({
      stepsPerSecond: null,
      tokensPerSecond: null,
      over: 1,
    });
    expect(measureSpeed([step(1, 5), step(2, 6)], 0)).toMatchObject({
      stepsPerSecond: 1,
      tokensPerSecond: null,
    });
  });
});

function run(id: string, facts: object = {}, status: object | null = {}): Run {
  return {
    id,
    name: id,
    created: 0,
    set: null,
    status: status && { step: 10, loss: 1, state: "finished", ...status },
    ...facts,
  } as unknown as Run;
}
const ids = (runs: Run[]) => runs.map(({ id }) => id).join(" ");

describe("the runs of the list", () => {
  const runs = [
    run("a", { name: "Two towns", created: 1 }, { loss: 2, step: 5 }),
    run("b", { name: "Manuals", created: 3 }, { state: "failed", loss: null, step: 50 }),
    run("c", { name: "two Manuals", created: 2 }, { state: "running", loss: 1.5, step: 20 }),
    run("d", { name: "Broken", created: 0 }, null),
  ];

  it("are those whose names have every word", () => {
    expect(ids(selectRuns(runs, "", "any", "created"))).toBe("b c a d");
    expect(ids(selectRuns(runs, " TWO ", "any", "created"))).toBe("c a");
    expect(ids(selectRuns(runs, "manuals two", "any", "created"))).toBe("c");
  });

  it("are in one state, which an unreadable run has none of", () => {
    expect(ids(selectRuns(runs, "", "training", "created"))).toBe("c");
    expect(ids(selectRuns(runs, "", "finished", "created"))).toBe("a");
    expect(ids(selectRuns(runs, "", "stopped", "created"))).toBe("b");
  });

  it("are in the order of their losses, steps or names; those without a loss come last", () => {
    expect(ids(selectRuns(runs, "", "any", "loss"))).toBe("c a b d");
    expect(ids(selectRuns(runs, "", "any", "steps"))).toBe("b c a d");
    expect(ids(selectRuns(runs, "", "any", "name"))).toBe("d b c a");
  });
});

it("members of a set stand together where the first of them stands", () => {
  const entries = [run("a"), run("m", { set: "s" }), run("b"), run("n", { set: "s" })].map(
    (one) => ({
      run: one,
    }),
  );
  const groups = groupSets(entries).map(({ set, entries }) => [
    set,
    entries.map(({ run: { id } }) => id).join(" "),
  ]);
  expect(groups).toEqual([
    [null, "a"],
    ["s", "m n"],
    [null, "b"],
  ]);
});

const DOCUMENT = new URL("../../../openapi.json", import.meta.url);
const { schemas } = (JSON.parse(readFileSync(DOCUMENT, "utf8")) as OpenApi).components;

describe("new run", () => {
  it("offers the server's defaults", () => {
    const recipe = schemas["NewRun"]!.properties!["recipe"]!.default;
    expect(recipe).toMatchObject(recipeFromForm(defaultForm(), ""));
    expect(Object.values(defaultForm())).not.toContain(undefined);
  });

  it("omits empty fields", () => {
    const recipe = recipeFromForm({ ...defaultForm(), seed: null, rate: null }, "");
    expect(recipe).not.toHaveProperty("seed");
    expect(recipe.optimiser).toEqual({ kind: "lazy" });
    expect(recipe.corpus).toEqual({ kind: "lamptown", vocabulary_size: 4_000 });
  });

  it("leaves all settings of sums to the server", () => {
    const recipe = recipeFromForm({ ...defaultForm(), corpus: "modular" }, "");
    expect(recipe).toEqual({ corpus: { kind: "modular" } });
  });

  it("leaves the settings of words that come again to the server, but for the control's one layer", () => {
    const form = { ...defaultForm(), corpus: "repeats" as const, steps: 7 };
    const corpus = { kind: "repeats" };
    expect(recipeFromForm(form, "")).toEqual({ corpus });
    const control = recipeFromForm({ ...form, oneLayer: true }, "");
    expect(control).toEqual({ corpus, model: { layers: 1 } });
  });

  it("names an uploaded text", () => {
    const recipe = recipeFromForm({ ...defaultForm(), corpus: "text" }, "emma.txt");
    expect(recipe.corpus).toMatchObject({ kind: "text", name: "emma.txt" });
  });

  it("sets the keyframe interval and the disk budget", () => {
    const recipe = recipeFromForm({ ...defaultForm(), keyframes: 50, budget: 1.5 }, "");
    expect(recipe.cadence).toEqual({ keyframe_every: 50 });
    expect(recipe.disk_budget).toBe(1_500_000);
    expect(recipeFromForm({ ...defaultForm(), budget: null }, "")).not.toHaveProperty(
      "disk_budget",
    );
    expect(fieldOfError("recipe.cadence.keyframe_every: Input should be at least 1")).toBe(
      "keyframes",
    );
    expect(fieldOfError("recipe.disk_budget: Input should be at least 1000000")).toBe("budget");
  });

  it("sets the map's layout", () => {
    const form = { ...defaultForm(), neighbours: 12, minDist: null } as const;
    expect(recipeFromForm(form, "").map).toEqual({ neighbours: 12, spread: 1.5 });
    expect(fieldOfError("recipe.map.neighbours: Input should be at least 2")).toBe("neighbours");
    expect(fieldOfError("recipe.map: min_dist (2) must be at most spread (1.5)")).toBe("minDist");
  });

  it("finds the field of a refusal", () => {
    expect(fieldOfError("optimiser.learning_rate: Input should be greater than 0 (got 0)")).toBe(
      "rate",
    );
    expect(fieldOfError("model: dim (63) must be a multiple of heads (4)")).toBeNull();
    expect(fieldOfError("model.dim: Input should be a valid integer")).toBe("dim");
    expect(fieldOfError("recipe.steps: Input should be at least 1")).toBe("steps");
    expect(fieldOfError("corpus: the text is too short")).toBe("corpus");
    expect(fieldOfError("As many runs are training as this server allows.")).toBeNull();
  });
});

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
  map: { neighbours: 40, min_dist: 1, spread: 1.5 },
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
        " --keyframe-every 100 --map-neighbours 40 --map-min-dist 1 --map-spread 1.5 --disk-budget 2",
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
