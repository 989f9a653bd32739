import { afterEach, describe, expect, it } from "vitest";
import { figure, tiny } from "./amounts";
import { fine, inTen, percent, whole } from "./shares";
import { count, decimal, fixed, setNumberLanguage, small } from "./numbers";

afterEach(() => setNumberLanguage("en"));

describe("a number on the page", () => {
  it("has a true minus sign, and none before a zero", () => {
    expect([fixed(-0.24, 2), small(-0.5), count(-3), decimal("-7.1")]).toEqual([
      ...["−0.24", "−0.5", "−3", "−7.1"],
    ]);
    expect([fixed(-0.001, 2), decimal("-0"), count(-0)]).toEqual(["0.00", "0", "0"]);
  });

  it("has its thousands in groups, in every format", () => {
    expect([count(5_000), fixed(2837.44, 1), figure(2837), figure(2840.5), decimal(-1234)]).toEqual(
      [...["5,000", "2,837.4", "2,837", "2,841", "−1,234"]],
    );
    // Not its decimals.
    expect(decimal("0.00001234")).toBe("0.00001234");
    setNumberLanguage("de");
    expect([fixed(2837.44, 1), decimal(-0.25), count(5_000)]).toEqual([
      "2.837,4",
      "−0,25",
      "5.000",
    ]);
  });

  it("has a power of ten where it is very small or large", () => {
    expect([small(0.0000123), small(-54_321), tiny(6.3e-7)]).toEqual([
      ...["1.2\u00a0×\u00a010⁻⁵", "−5.4\u00a0×\u00a010⁴", "6\u00a0×\u00a010⁻⁷"],
    ]);
  });
});

describe("a share", () => {
  it("is rounded neither to nothing nor to the whole", () => {
    expect([0, 0.001, 0.5, 0.9996, 1].map(percent)).toEqual([
      "0\u00a0%",
      "<\u00a01\u00a0%",
      "50\u00a0%",
      ">\u00a099\u00a0%",
      "100\u00a0%",
    ]);
    expect([0, 0.0001, 0.024, 0.9996, 1].map(fine)).toEqual([
      ...["0.0\u00a0%", "<\u00a00.1\u00a0%", "2.4\u00a0%", ">\u00a099\u00a0%", "100\u00a0%"],
    ]);
    expect([0.07, 0.9996, 0.999999, 1].map(whole)).toEqual([
      "7\u00a0%",
      "99.96\u00a0%",
      ">\u00a099.99\u00a0%",
      "100\u00a0%",
    ]);
    expect([0.5494, 0.02, 0.999, 1].map(inTen)).toEqual(["5.5", "0.2", "9.9", "10"]);
  });
});
