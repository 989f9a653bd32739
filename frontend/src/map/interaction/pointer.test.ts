import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MapPointer } from "./pointer";

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
