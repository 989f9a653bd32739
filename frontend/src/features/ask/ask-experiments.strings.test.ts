import { describe, expect, it } from "vitest";
import { fine, whole } from "../../strings/shares";
import { transplantOf } from "./transplant";

describe("a share", () => {
  it("tells small ones apart, and is never all or nothing unless it is", () => {
    const shares = [0, 0.0001, 0.007, 0.0951, 0.38, 0.996, 1];
    expect(shares.map(fine)).toEqual([
      "0.0\u00a0%",
      "<\u00a00.1\u00a0%",
      "0.7\u00a0%",
      "9.5\u00a0%",
      "38\u00a0%",
      ">\u00a099\u00a0%",
      "100\u00a0%",
    ]);
    expect([0.9991, 1].map(whole)).toEqual(["99.91\u00a0%", "100\u00a0%"]);
  });
});

describe("the kind of transplant", () => {
  it("follows from the words and the step", () => {
    expect(transplantOf("", "", null)).toBe("word");
    expect(transplantOf("dog", "cat", null)).toBe("word");
    expect(transplantOf("dog", "", null)).toBe("word");
    expect(transplantOf("dog", "", 0)).toBe("step");
    expect(transplantOf("", "", 0)).toBe("city");
  });
});
