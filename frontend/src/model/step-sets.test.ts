import { describe, expect, it } from "vitest";
import type { StepDetail } from "../api/rest-types";
import { stepSetDifferences } from "./step-sets";

const step = (changes: Partial<StepDetail>) =>
  ({
    tokens: [
      [1, 2, 9],
      [2, 3, 4],
    ],
    batch_rows: 3,
    gradient: [
      [3, 0.5],
      [1, 0.1],
      [7, 0.01],
    ],
    gradient_rows: 3,
    moved: [
      [1, 1],
      [8, 0.5],
    ],
    moved_rows: 2,
    ...changes,
  }) as StepDetail;

describe("stepSetDifferences", () => {
  it("names what is in one set and not in another; targets alone are not read", () => {
    expect(stepSetDifferences(step({}))).toEqual({
      noGradient: [2],
      gradientOutside: [7],
      unmoved: [3, 7],
      movedOutside: [8],
    });
  });

  it("says nothing where a list is cut or the text is not kept", () => {
    expect(stepSetDifferences(step({ moved_rows: 900 }))).toMatchObject({
      noGradient: [2],
      unmoved: null,
      movedOutside: null,
    });
    expect(stepSetDifferences(step({ tokens: [] }))).toEqual({
      noGradient: null,
      gradientOutside: null,
      unmoved: [3, 7],
      movedOutside: null,
    });
  });
});
