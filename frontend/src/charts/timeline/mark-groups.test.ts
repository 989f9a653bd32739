import { describe, expect, it } from "vitest";
import { groupMarks, textsNear } from "./mark-groups";

describe("marks on the timeline", () => {
  it("share one if they would overlap", () => {
    const marks = [100, 101, 500].map((step) => ({ step, text: `at ${step}` }));
    expect(groupMarks(marks, 1_000)).toEqual([
      { step: 100, texts: ["at 100", "at 101"] },
      { step: 500, texts: ["at 500"] },
    ]);
  });

  it("are limited by the space", () => {
    const marks = Array.from({ length: 5_000 }, (_, step) => ({ step, text: "" }));
    expect(groupMarks(marks, 5_000).length).toBeLessThan(125);
  });

  it("have texts near their step, a few at a time", () => {
    const groups = groupMarks(
      Array.from({ length: 20 }, (_, i) => ({ step: 100, text: `${i}` })),
      1_000,
    );
    expect(textsNear(groups, 104, 1_000)).toEqual(["0", "1", "2", "3", "4", "5", "6", "7"]);
    expect(textsNear(groups, 120, 1_000)).toEqual([]);
  });
});
