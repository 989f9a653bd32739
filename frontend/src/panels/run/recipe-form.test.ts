import { describe, expect, it } from "vitest";
import { blank, fieldOf, recipeOf } from "./recipe-form";

describe("new run", () => {
  it("leaves out what was left empty", () => {
    const recipe = recipeOf({ ...blank(), seed: null, rate: null }, "");
    expect(recipe).not.toHaveProperty("seed");
    expect(recipe["optimiser"]).toEqual({ kind: "lazy" });
    expect(recipe["corpus"]).toEqual({ kind: "lamptown", vocabulary_size: 4_000 });
  });

  it("names an uploaded text", () => {
    const recipe = recipeOf({ ...blank(), corpus: "text" }, "emma.txt");
    expect(recipe["corpus"]).toMatchObject({ kind: "text", name: "emma.txt" });
  });

  it("says how often and how much is kept", () => {
    const recipe = recipeOf({ ...blank(), keyframes: 50, budget: 1.5 }, "");
    expect(recipe["cadence"]).toEqual({ keyframe_every: 50 });
    expect(recipe["disk_budget"]).toBe(1_500_000);
    expect(recipeOf({ ...blank(), budget: null }, "")).not.toHaveProperty("disk_budget");
    expect(fieldOf("recipe.cadence.keyframe_every: Input should be at least 1")).toBe("keyframes");
    expect(fieldOf("recipe.disk_budget: Input should be at least 1000000")).toBe("budget");
  });

  it("finds the field a refusal is about", () => {
    expect(fieldOf("optimiser.learning_rate: Input should be greater than 0 (got 0)")).toBe("rate");
    expect(fieldOf("model: dim (63) must be a multiple of heads (4)")).toBeNull();
    expect(fieldOf("model.dim: Input should be a valid integer")).toBe("dim");
    expect(fieldOf("recipe.steps: Input should be at least 1")).toBe("steps");
    expect(fieldOf("corpus: the text is too short")).toBe("corpus");
    expect(fieldOf("As many runs are training as this server allows.")).toBeNull();
  });
});
