import { describe, expect, it } from "vitest";
import { fitView, zoomView } from "./viewport";

describe("the view", () => {
  const insets = { top: 50, right: 300, bottom: 100, left: 20 };

  it("shows the whole map in the part that nothing covers", () => {
    const box = { x0: 0, x1: 10, y0: 0, y1: 10 };
    const view = fitView(box, 1_280, 720, insets);
    const px = (x: number) => ((x - view.x0) / (view.x1 - view.x0)) * 1_280;
    const py = (y: number) => (1 - (y - view.y0) / (view.y1 - view.y0)) * 720;
    expect(px(0)).toBeGreaterThanOrEqual(19.9);
    expect(px(10)).toBeLessThanOrEqual(980.1);
    expect(py(10)).toBeGreaterThanOrEqual(49.9);
    expect(py(0)).toBeLessThanOrEqual(620.1);
    expect(px(5)).toBeCloseTo(500, 0);
  });

  it("zooms about a point that stays", () => {
    const view = zoomView({ x0: 0, x1: 10, y0: 0, y1: 10 }, 0.5, 0.2, 1);
    expect(view).toEqual({ x0: 1, x1: 6, y0: 5, y1: 10 });
  });
});
