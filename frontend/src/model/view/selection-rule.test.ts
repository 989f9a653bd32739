import { describe, expect, it } from "vitest";
import { parseRule, formatRule, type SelectionRule } from "./selection-rule";

describe("a rule in a link", () => {
  it("survives a round trip", () => {
    const rules: SelectionRule[] = [
      { by: "district", which: 7 },
      { by: "class", which: 0 },
      { by: "search", text: "a,b:<i>&" },
    ];
    for (const rule of rules) expect(parseRule(formatRule(rule))).toEqual(rule);
  });

  it("is null for unknown forms", () => {
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
