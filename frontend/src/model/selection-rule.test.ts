import { describe, expect, it } from "vitest";
import { LINKED, readIds, readRule, ruleWord, type Rule } from "./selection-rule";

describe("a set of tokens in a link", () => {
  it("comes back as it went", () => {
    const rules: Rule[] = [
      { by: "district", which: 7 },
      { by: "class", which: 0 },
      { by: "search", text: "a,b:<i>&" },
    ];
    for (const rule of rules) expect(readRule(ruleWord(rule))).toEqual(rule);
    expect(readIds("3,17,3")).toEqual([3, 17]);
  });

  it("is none where the link says what is not known", () => {
    for (const word of ["", "3,", ",3", "3;4", "-1", "1e3", "12345678", "३"])
      expect(readIds(word)).toBeNull();
    expect(readIds(Array.from({ length: 500 }, (_, id) => id).join())).toHaveLength(LINKED);
    for (const word of [
      "",
      "district",
      "district:",
      "district:x",
      "search:",
      `search:${"x".repeat(101)}`,
    ]) {
      expect(readRule(word)).toBeNull();
    }
  });
});
