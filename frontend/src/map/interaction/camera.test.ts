import { describe, expect, it } from "vitest";
import { toPixel } from "../../model/viewport";
import { MapCamera } from "./camera";

const INSETS = { top: 0, right: 0, bottom: 0, left: 0 };

function camera(): MapCamera {
  const made = new MapCamera(() => undefined);
  made.setViewport(1_000, 600, INSETS);
  made.followBounds({ x0: -1, x1: 1, y0: -1, y1: 1 }, true);
  return made;
}

describe("the camera", () => {
  it("goes to a place that is not seen, and wanders from then on", () => {
    const made = camera();
    made.panTo([0, 0]);
    expect(made.userControlled).toBe(false);
    made.panTo([50, 0]);
    expect(made.userControlled).toBe(true);
    expect(toPixel(made, [50, 0])[0]).toBeCloseTo(500);
  });

  it("need not go to what will be seen when it is there: a map with other units", () => {
    const made = camera();
    made.followBounds({ x0: -20, x1: 20, y0: -20, y1: 20 });
    expect(made.moving).toBe(true);
    made.panTo([15, 15]);
    expect(made.userControlled).toBe(false);
    made.advance(performance.now() + 10_000, false);
    const [x, y] = toPixel(made, [15, 15]);
    expect(x > 0 && x < 1_000 && y > 0 && y < 600).toBe(true);
  });

  it("sees the whole map's edge, however small it is", () => {
    const made = camera();
    made.setViewport(90, 90, INSETS);
    made.panTo([1, 1]);
    expect(made.userControlled).toBe(false);
  });
});
