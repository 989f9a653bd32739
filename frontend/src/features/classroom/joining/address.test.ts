import { describe, expect, it } from "vitest";
import { qrPath } from "./address";

describe("the path of a QR code", () => {
  it("covers each dark module once, and no light one", () => {
    const rows = ["0000", "0110", "1011"];
    const drawn = rows.map((row) => Array.from(row, () => 0));
    for (const [, x, y, width] of qrPath(rows).matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g))
      for (let i = 0; i < Number(width); i++) drawn[Number(y)]![Number(x) + i]! += 1;
    expect(drawn.map((row) => row.join(""))).toEqual(rows);
  });
});
