import { describe, expect, it, afterEach, beforeEach, vi } from "vitest";
import { tooltipPosition } from "../tooltip/tooltip-position";
import { lookPlace } from "../../model/look";
import { toPixel, unitsPerPixel } from "../../model/plane/viewport";
import { MapCamera } from "./camera";
import { MapPointer } from "./pointer";
import { tokensWithin, type Point } from "./lasso";

const line = (...corners: [number, number][]): Point[] => corners.map(([x, y]) => ({ x, y }));

describe("tokensWithin", () => {
  const places = Float32Array.of(1, 1, 5, 5, 9, 1, 5, 1.5, -3, 2);

  it("finds the tokens inside the line, whichever way it was drawn", () => {
    const triangle = line([0, 0], [10, 0], [5, 4]);
    // Points above the left slope, and left of everything, are outside.
    expect(tokensWithin(places, triangle)).toEqual([3]);
    expect(tokensWithin(places, [...triangle].reverse())).toEqual([3]);
    expect(tokensWithin(places, line([0, 0], [10, 0], [10, 2], [0, 2]))).toEqual([0, 2, 3]);
  });

  it("leaves out a bay, and the area that a self-crossing line encloses twice", () => {
    const bay = line([0, 0], [10, 0], [10, 10], [6, 10], [6, 1], [4, 1], [4, 10], [0, 10]);
    expect(tokensWithin(places, bay)).toEqual([0, 2]);
    const twice = [
      ...line([0, 0], [8, 0], [8, 8], [0, 8]),
      ...line([0, 0], [8, 0], [8, 8], [0, 8]),
    ];
    expect(tokensWithin(places, twice)).toEqual([]);
  });

  it("finds nothing in a dot, a stroke, or a line with invalid corners", () => {
    expect(tokensWithin(places, line([1, 1]))).toEqual([]);
    expect(tokensWithin(places, line([0, 0], [9, 9]))).toEqual([]);
    expect(tokensWithin(places, line([0, 0], [NaN, 0], [9, 9]))).toEqual([]);
  });

  it("agrees with a circle on 50,000 tokens", () => {
    const many = new Float32Array(100_000);
    let seed = 1;
    for (let i = 0; i < many.length; i++) {
      seed = (seed * 48_271) % 2_147_483_647;
      many[i] = (seed / 2_147_483_647) * 4 - 2;
    }
    const circle = Array.from({ length: 360 }, (_, degree) => ({
      x: Math.cos((degree * Math.PI) / 180),
      y: Math.sin((degree * Math.PI) / 180),
    }));
    const found = new Set(tokensWithin(many, circle));
    for (let id = 0; id < 50_000; id++) {
      const far = Math.hypot(many[2 * id]!, many[2 * id + 1]!);
      // Between the polygon's sides and the circle itself, either is right.
      if (Math.abs(far - 1) > 1e-3) expect(found.has(id)).toBe(far < 1);
    }
  });
});

const page = new EventTarget();
const button = { closest: () => null };

/** Return a pointer event at a position of the map, whose corner is at (100, 50). */
function pointerEvent(kind: string, x: number, y: number, more: object = {}): Event {
  const event = new Event(kind);
  Object.defineProperty(event, "target", { value: button });
  const place = { clientX: 100 + x, clientY: 50 + y, pointerId: 1, pointerType: "mouse" };
  return Object.assign(event, { ...place, buttons: 0, shiftKey: false, altKey: false, ...more });
}

function map(drawing = false) {
  const box = Object.assign(new EventTarget(), {
    getBoundingClientRect: () => ({ left: 100, top: 50 }),
  });
  const told: unknown[] = [];
  const targets = {
    // Token 7 is at (20, 20), the label of district 3 above y = 5.
    tokenAt: (x: number, y: number, reach: number) =>
      Math.hypot(x - 20, y - 20) <= reach ? 7 : null,
    districtAt: (_: number, y: number) => (y < 5 ? 3 : null),
    isDrawing: () => drawing,
  };
  const pointer = new MapPointer(box as unknown as HTMLElement, targets, {
    pointed: () => undefined,
    hovered: (id) => told.push(["hovered", id]),
    choose: (id) => told.push(["choose", id]),
    chooseDistrict: (id) => told.push(["district", id]),
    select: (id, modifier) => told.push(["select", id, modifier]),
    doubleTapped: () => told.push("home"),
  });
  const both = (kind: string, x: number, y: number, more: object = {}) => {
    box.dispatchEvent(pointerEvent(kind, x, y, more));
    page.dispatchEvent(pointerEvent(kind, x, y, more));
  };
  const click = (x: number, y: number, more: object = {}) => {
    both("pointerdown", x, y, more);
    both("pointerup", x, y, more);
  };
  return { pointer, told, both, click };
}

describe("the pointer on the map", () => {
  beforeEach(() => {
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  });
  afterEach(() => vi.unstubAllGlobals());

  it("reports the token under it once, and when it left", () => {
    const { told, both } = map();
    both("pointermove", 22, 20);
    both("pointermove", 23, 20);
    both("pointermove", 80, 80);
    expect(told).toEqual([
      ["hovered", 7],
      ["hovered", null],
    ]);
  });

  it("points at nothing while a button is down or an outline is drawn", () => {
    const { told, both } = map();
    both("pointermove", 20, 20, { buttons: 1 });
    const other = map(true);
    other.both("pointermove", 20, 20);
    expect([told, other.told]).toEqual([[], []]);
  });

  it("chooses the clicked element, labels before lamps", () => {
    const { told, click } = map();
    click(20, 20);
    click(20, 4);
    click(90, 90);
    expect(told).toEqual([
      ["choose", 7],
      ["district", 3],
    ]);
  });

  it("selects with a modifier, and remembers the modifier for a lasso", () => {
    const { pointer, told, click } = map();
    click(20, 20, { shiftKey: true });
    click(20, 20, { altKey: true });
    expect(told).toEqual([
      ["select", 7, "add"],
      ["select", 7, "take"],
    ]);
    expect(pointer.held).toBe("take");
  });

  it("does not click at the end of a drag, even one that returns", () => {
    const { told, both } = map();
    both("pointerdown", 20, 20);
    both("pointermove", 60, 60, { buttons: 1 });
    both("pointerup", 20, 20);
    expect(told).toEqual([]);
  });

  it("taps with one finger only, and goes home by a double tap on empty ground", () => {
    const { told, both, click } = map();
    const touch = { pointerType: "touch" };
    both("pointerdown", 20, 20, { ...touch, pointerId: 1 });
    both("pointerdown", 40, 40, { ...touch, pointerId: 2 });
    both("pointerup", 20, 20, { ...touch, pointerId: 1 });
    both("pointerup", 40, 40, { ...touch, pointerId: 2 });
    expect(told).toEqual([]);
    click(90, 90, touch);
    click(91, 90, touch);
    expect(told).toEqual(["home"]);
  });

  it("ignores events after it was stopped", () => {
    const { pointer, told, click } = map();
    pointer.stop();
    click(20, 20);
    expect(told).toEqual([]);
  });
});

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
