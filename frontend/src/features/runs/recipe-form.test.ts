import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { OpenApi } from "../../../openapi";
import { defaultForm, fieldOfError, recipeFromForm } from "./recipe-form";

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
    const form = { ...defaultForm(), method: "pca", neighbours: 12, minDist: null } as const;
    expect(recipeFromForm(form, "").map).toEqual({ method: "pca", neighbours: 12, spread: 1.5 });
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
