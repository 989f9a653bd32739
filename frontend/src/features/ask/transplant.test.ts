import { describe, expect, it } from "vitest";
import { transplantOf } from "./transplant";

describe("the kind of transplant", () => {
  it("follows from the words and the step", () => {
    expect(transplantOf("", "", null)).toBe("word");
    expect(transplantOf("dog", "cat", null)).toBe("word");
    expect(transplantOf("dog", "", null)).toBe("word");
    expect(transplantOf("dog", "", 0)).toBe("step");
    expect(transplantOf("", "", 0)).toBe("city");
  });
});
