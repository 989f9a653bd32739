import { describe, expect, it } from "vitest";
import { describeLine, type LineWords } from "./description";

const words: LineWords = (name, first, last, low, high) =>
  `${name}: ${first[1]} at ${first[0]}, ${last[1]} at ${last[0]}, from ${low} to ${high}`;

describe("a line in words", () => {
  it("has the ends and the extremes, even with gaps", () => {
    const said = describeLine("loss", [0, 10, 20, 30], [7.5, null, 2, 2.5], words);
    expect(said).toBe("loss: 7.5 at 0, 2.5 at 30, from 2 to 7.5");
  });

  it("is only its name if no value is known", () => {
    expect(describeLine("loss", [1], [NaN], words)).toBe("loss");
    expect(describeLine("loss", [], [], words)).toBe("loss");
  });
});
