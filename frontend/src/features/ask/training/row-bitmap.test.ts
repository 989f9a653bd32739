import { describe, expect, it } from "vitest";
import { rowsOf } from "./row-bitmap";

describe("a bitmap of rows", () => {
  it("starts with the least significant bit, and ignores bits beyond its end", () => {
    // Bytes 0b00000101 and 0b10000000.
    expect([...rowsOf(btoa("\x05\x80"), 18)]).toEqual([
      ...[1, 0, 1, 0, 0, 0, 0, 0],
      ...[0, 0, 0, 0, 0, 0, 0, 1],
      ...[0, 0],
    ]);
  });
});
