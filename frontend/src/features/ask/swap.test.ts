import { describe, expect, it } from "vitest";
import { swapOf } from "./swap";

describe("what is put in the place of what", () => {
  it("follows from the words and the step that are named", () => {
    expect(swapOf("", "", null)).toBe("word");
    expect(swapOf("dog", "cat", null)).toBe("word");
    expect(swapOf("dog", "", null)).toBe("word");
    expect(swapOf("dog", "", 0)).toBe("step");
    expect(swapOf("", "", 0)).toBe("city");
  });
});
