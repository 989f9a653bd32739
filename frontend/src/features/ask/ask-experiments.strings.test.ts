import { describe, expect, it } from "vitest";
import { fine, whole } from "../../strings/shares";

describe("a share", () => {
  it("tells small ones apart, and is never all or nothing unless it is", () => {
    const shares = [0, 0.0001, 0.007, 0.0951, 0.38, 0.996, 1];
    expect(shares.map(fine)).toEqual([
      "0.0 %",
      "< 0.1 %",
      "0.7 %",
      "9.5 %",
      "38 %",
      "> 99 %",
      "100 %",
    ]);
    expect([0.9991, 1].map(whole)).toEqual(["99.91 %", "100 %"]);
  });
});
