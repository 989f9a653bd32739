import { describe, expect, it } from "vitest";
import { sourceKind, sourceName, parseSecondMapSource } from "./second-map-options";

describe("the content of the second map", () => {
  it("is read from the address", () => {
    for (const word of [
      "step:0",
      "step:200",
      "view:umap",
      "view:linear",
      "matrix:out",
      "run:2026-11-24-a-3f9a",
    ]) {
      const read = parseSecondMapSource(word)!;
      expect(read).toBe(word);
      expect(`${sourceKind(read)}:${sourceName(read)}`).toBe(word);
    }
    expect(parseSecondMapSource("step:007")).toBe("step:7");
  });

  it("is null for anything else", () => {
    const others = [
      "",
      "step:",
      "step:-1",
      "step:1.5",
      "step:1e3",
      "step:1234567890",
      "view:tsne",
      "matrix:in",
      "matrix:",
    ];
    others.push(
      "view:",
      "run:",
      "run:../x",
      "run:A",
      "run:-a",
      `run:${"a".repeat(81)}`,
      "step:1 ",
      "x",
    );
    for (const word of others) expect(parseSecondMapSource(word), word).toBeNull();
  });
});
