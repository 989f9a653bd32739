import { describe, expect, it } from "vitest";
import { energyText, large, spanText, tiny } from "../../strings/amounts";
import { cost } from "./cost.strings";

describe("texts of the cost", () => {
  it.each([
    [0.0042, "0.0042 J"],
    [5, "5 J"],
    [1_234, "1.23 kJ"],
    [3.6e6, "1 kWh"],
    [4.6332e12, "1.29 GWh"],
    [2.6e11, "72.2 MWh"],
    [3.6e24, "1 million PWh"],
  ])("writes %d joules so that one can picture them", (joules, text) => {
    expect(energyText(joules)).toBe(text);
  });

  it.each([
    [512, "512"],
    [773_700_000, "774 million"],
    [3.9e12, "3.9 trillion"],
    [3.14e23, "3.1\u00a0×\u00a010²³"],
  ])("writes %d in words while there are some", (value, text) => {
    expect(large(value)).toBe(text);
  });

  it.each([
    [1, "1 second"],
    [0.25, "0.25 seconds"],
    [240, "4 minutes"],
    [3.15576e15, "100 million years"],
  ])("writes %d seconds in their largest unit", (seconds, text) => {
    expect(spanText(seconds)).toBe(text);
  });

  it.each([
    [0, "0"],
    [0.077, "0.077"],
    [3.7e-8, "4\u00a0×\u00a010⁻⁸"],
  ])("writes %d, however small it is", (value, text) => {
    expect(tiny(value)).toBe(text);
  });

  it("says whether what was sent is what the formula says", () => {
    expect(cost.byFormula([8, null], [8, null])).toMatch(/to the byte/);
    expect(cost.byFormula([8, 5], [1_000_000, 2_000])).toBe("The formula says 1.0 MB and 2 kB.");
  });

  it("says on which side the rule of thumb errs", () => {
    expect(cost.error(0.558)).toBe("+56\u00a0%");
    expect(cost.error(-0.605)).toBe("−61\u00a0%");
  });
});
