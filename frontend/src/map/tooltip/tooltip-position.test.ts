import { describe, expect, it } from "vitest";
import { tooltipPosition } from "./tooltip-position";

describe("tooltipPosition", () => {
  const phone = { width: 390, height: 844 };
  const projector = { width: 1280, height: 720 };

  it("is beside the pointer, never below it or off the map", () => {
    for (const around of [phone, projector]) {
      for (const card of [
        { width: 200, height: 70 },
        { width: 374, height: 90 },
      ]) {
        for (let x = 0; x <= around.width; x += 13) {
          for (let y = 0; y <= around.height; y += 13) {
            const [left, top] = tooltipPosition({ x, y }, card, around);
            expect(left).toBeGreaterThanOrEqual(0);
            expect(top).toBeGreaterThanOrEqual(0);
            expect(left + card.width).toBeLessThanOrEqual(around.width);
            expect(top + card.height).toBeLessThanOrEqual(around.height);
            const under = x > left && x < left + card.width && y > top && y < top + card.height;
            expect(under).toBe(false);
          }
        }
      }
    }
  });

  it("is to the right and below if there is room", () => {
    const [left, top] = tooltipPosition({ x: 100, y: 100 }, { width: 200, height: 70 }, projector);
    expect([left > 100, top > 100]).toEqual([true, true]);
  });
});
