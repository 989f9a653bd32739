import { describe, expect, it } from "vitest";
import {
  MAX_LINKED_TOKENS,
  parseIds,
  parseRule,
  formatRule,
  type SelectionRule,
} from "./selection-rule";

describe("a set of tokens in a link", () => {
  it("comes back as it went", () => {
    const rules: SelectionRule[] = [
      { by: "district", which: 7 },
      { by: "class", which: 0 },
      { by: "search", text: "a,b:<i>&" },
    ];
    for (const rule of rules) expect(parseRule(formatRule(rule))).toEqual(rule);
    expect(parseIds("3,17,3")).toEqual([3, 17]);
  });

  it("is none where the link says what is not known", () => {
    for (const word of ["", "3,", ",3", "3;4", "-1", "1e3", "12345678", "३"])
      expect(parseIds(word)).toBeNull();
    expect(parseIds(Array.from({ length: 500 }, (_, id) => id).join())).toHaveLength(
      MAX_LINKED_TOKENS,
    );
    for (const word of [
      "",
      "district",
      "district:",
      "district:x",
      "search:",
      `search:${"x".repeat(101)}`,
    ]) {
      expect(parseRule(word)).toBeNull();
    }
  });
});
