import { describe, expect, it } from "vitest";
import { reading } from "./description";

describe("a line in words", () => {
  it("has its ends and its extremes, whatever is missing between", () => {
    const said = reading("loss", [0, 10, 20, 30], [7.5, null, 2, 2.5]);
    expect(said).toContain("7.5 at step 0");
    expect(said).toContain("2.5 at step 30");
    expect(said).toContain("between 2 and 7.5");
  });

  it("is its name where nothing is known", () => {
    expect(reading("loss", [1], [NaN])).toBe("loss");
    expect(reading("loss", [], [])).toBe("loss");
  });
});
