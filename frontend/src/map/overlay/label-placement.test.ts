import { describe, expect, it } from "vitest";
import { labelRect, placeLabels, type LabelCandidate } from "./label-placement";

const within = { left: 0, top: 0, right: 400, bottom: 300 };

const label = (
  key: string,
  x: number,
  y: number,
  more: Partial<LabelCandidate> = {},
): LabelCandidate => ({
  key,
  text: key,
  x,
  y,
  width: 60,
  height: 14,
  ...more,
});

describe("labels", () => {
  it("never overlap or leave the picture", () => {
    const many = Array.from({ length: 300 }, (_, i) =>
      label(`${i}`, (i * 37) % 400, (i * 53) % 300, { centred: i % 5 === 0 }),
    );
    const boxes = placeLabels(many, within, 500).map(({ candidate, dx, dy }) =>
      labelRect(candidate, dx, dy),
    );
    expect(boxes.length).toBeGreaterThan(20);
    boxes.forEach((a, i) => {
      expect(a.left).toBeGreaterThanOrEqual(0);
      expect(a.right).toBeLessThanOrEqual(400);
      expect(a.top).toBeGreaterThanOrEqual(0);
      expect(a.bottom).toBeLessThanOrEqual(300);
      for (const b of boxes.slice(i + 1)) {
        const apart =
          a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
        expect(apart).toBe(true);
      }
    });
  });

  it("prefer the more important candidate", () => {
    const crowd = Array.from({ length: 20 }, (_, i) => label(`${i}`, 200, 150));
    const placed = placeLabels(crowd, within, 20).map(({ candidate }) => candidate.key);
    expect(placed[0]).toBe("0");
    expect(placed.length).toBeLessThan(20);
    expect(placed).toEqual([...placed].sort((a, b) => Number(a) - Number(b)));
  });

  it("move to the other side at the edge", () => {
    const [placed] = placeLabels([label("edge", 390, 150)], within, 1);
    expect(placed!.dx).toBeLessThan(0);
  });

  it("stand above their position if there is no room on either side", () => {
    const [placed] = placeLabels([label("long", 200, 150, { width: 300 })], within, 1);
    expect(placed!.dx).toBe(-150);
    expect(placed!.dy).toBeLessThan(0);
  });

  it("do not exceed the requested number", () => {
    const many = Array.from({ length: 9 }, (_, i) => label(`${i}`, 20, 20 + i * 30));
    expect(placeLabels(many, within, 4)).toHaveLength(4);
  });
});
