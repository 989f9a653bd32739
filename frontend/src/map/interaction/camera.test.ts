import { describe, expect, it } from "vitest";
import { lookPlace } from "../../model/look";
import { toPixel, unitsPerPixel } from "../../model/plane/viewport";
import { MapCamera } from "./camera";

const INSETS = { top: 0, right: 0, bottom: 0, left: 0 };

function camera(): MapCamera {
  const made = new MapCamera(() => undefined);
  made.setViewport(1_000, 600, INSETS);
  made.followBounds({ x0: -1, x1: 1, y0: -1, y1: 1 }, true);
  return made;
}

describe("the camera", () => {
  it("pans to a place out of view, which counts as moving the view", () => {
    const made = camera();
    made.panTo([0, 0]);
    expect(made.userControlled).toBe(false);
    made.panTo([50, 0]);
    expect(made.userControlled).toBe(true);
    expect(toPixel(made, [50, 0])[0]).toBeCloseTo(500);
  });

  it("does not pan to a place that will be in view on arrival: a map with other units", () => {
    const made = camera();
    made.followBounds({ x0: -20, x1: 20, y0: -20, y1: 20 });
    expect(made.moving).toBe(true);
    made.panTo([15, 15]);
    expect(made.userControlled).toBe(false);
    made.advance(performance.now() + 10_000, false);
    const [x, y] = toPixel(made, [15, 15]);
    expect(x > 0 && x < 1_000 && y > 0 && y < 600).toBe(true);
  });

  it("shows the whole map's edge, however small it is", () => {
    const made = camera();
    made.setViewport(90, 90, INSETS);
    made.panTo([1, 1]);
    expect(made.userControlled).toBe(false);
  });
});

describe("the camera in a window that changes its shape", () => {
  it("keeps the map's proportions, also of a part that the viewer chose", () => {
    const made = camera();
    const scales = () => unitsPerPixel(made);
    const [x, y] = scales();
    expect(x).toBeCloseTo(y, 9);
    made.setView({ x0: -0.5, x1: 0.5, y0: -0.3, y1: 0.3 });
    made.setViewport(400, 800, INSETS);
    const [ux, uy] = scales();
    expect(ux).toBeCloseTo(uy, 9);
    expect(made.view).toMatchObject({ x0: -0.5, x1: 0.5 });
    expect(made.userControlled).toBe(true);
  });
});

describe("the camera on a part of the map", () => {
  const EXTENT = { x0: -2, x1: 2, y0: -2, y1: 2 };
  const later = () => performance.now() + 10_000;

  it("centres the position at the requested zoom, and reports it back", () => {
    const made = camera();
    const place = lookPlace(0.75, 0.25, 4);
    made.lookAt(place, EXTENT, true);
    expect(toPixel(made, [1, -1])).toEqual([expect.closeTo(500), expect.closeTo(300)]);
    expect(made.zoom).toBeCloseTo(4);
    expect(made.placeWithin(EXTENT)).toEqual(place);
    // Covering the picture's edges does not move the middle of the rest.
    made.setViewport(1_000, 600, { top: 40, right: 300, bottom: 160, left: 20 });
    made.lookAt(place, EXTENT, true);
    expect(toPixel(made, [1, -1])).toEqual([expect.closeTo(360), expect.closeTo(240)]);
    expect(made.placeWithin(EXTENT)).toEqual(place);
  });

  it("finds the position around a part, clear of the covered edges, and at most as far out as home", () => {
    const made = camera();
    made.setViewport(1_000, 600, { top: 40, right: 300, bottom: 160, left: 20 });
    const part = { x0: 0.2, x1: 0.6, y0: 0.1, y1: 0.4 };
    made.lookAt(made.placeAround(part, EXTENT), EXTENT, true);
    const [left, bottom] = toPixel(made, [part.x0, part.y0]);
    const [right, top] = toPixel(made, [part.x1, part.y1]);
    expect(left).toBeGreaterThanOrEqual(19);
    expect(right).toBeLessThanOrEqual(701);
    expect(top).toBeGreaterThanOrEqual(39);
    expect(bottom).toBeLessThanOrEqual(441);
    expect(made.zoom).toBeGreaterThan(2);
    expect(made.placeAround({ x0: -9, x1: 9, y0: -9, y1: 9 }, EXTENT).zoom).toBe(1);
  });

  it("glides there and back home", () => {
    const made = camera();
    const home = made.view;
    made.lookAt(lookPlace(0.5, 0.5, 2), EXTENT);
    expect(made.view).toEqual(home);
    expect(made.moving).toBe(true);
    made.advance(later(), false);
    expect(made.zoom).toBeCloseTo(2);
    made.goHome();
    made.advance(later(), false);
    expect(made.view).toEqual(home);
    expect(made.atHome).toBe(true);
  });

  it("follows the moving part until the viewer moves the view", () => {
    const made = camera();
    made.followPart({ x0: 0.5, x1: 1, y0: 0, y1: 0.5 }, true);
    expect(toPixel(made, [0.75, 0.25])).toEqual([expect.closeTo(500), expect.closeTo(300)]);
    expect(made.atHome).toBe(false);
    const near = made.view;
    made.followPart({ x0: 0.501, x1: 1.001, y0: 0, y1: 0.5 });
    expect(made.moving).toBe(false);
    made.followPart({ x0: -1, x1: -0.5, y0: 0, y1: 0.5 });
    made.advance(later(), false);
    expect(made.view.x1 - made.view.x0).toBeCloseTo(near.x1 - near.x0);
    made.setView(near);
    made.followBounds({ x0: -5, x1: 5, y0: -5, y1: 5 });
    expect(made.view).toEqual(near);
  });
});
