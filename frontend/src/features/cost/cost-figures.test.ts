import { describe, expect, it } from "vitest";
import { halfWay, lampSeconds, spentMeasure, type CostCurve } from "./cost-figures";

type Point = CostCurve[number];
const point = (step: number, more: Partial<Point> = {}): Point => ({
  step,
  joules: null,
  processor_seconds: null,
  flops: null,
  loss: null,
  held_out_loss: null,
  bits: null,
  ...more,
});

describe("figures of the cost", () => {
  it("turn ten joules into one second of a ten-watt lamp", () => {
    expect(lampSeconds(1_200)).toBe(120);
  });

  it("draw the curve over joules, else over operations, else over nothing", () => {
    expect(spentMeasure([point(0, { joules: 0 }), point(5, { joules: 3 })])).toBe("joules");
    expect(spentMeasure([point(0, { joules: 0, flops: 0 }), point(5, { flops: 3 })])).toBe("flops");
    expect(spentMeasure([point(0), point(5)])).toBeNull();
  });

  it("tell what the first half of the energy bought", () => {
    const curve = [
      point(0, { joules: 0, bits: 0.5 }),
      point(100, { joules: 40, bits: 5 }),
      point(125, { joules: 51 }),
      point(150, { joules: 60, bits: 6 }),
      point(200, { joules: 100, bits: 6.5 }),
    ];
    expect(halfWay(curve)).toEqual({ step: 150, bits: [0.5, 6, 6.5] });
  });

  it("omit an unknown order", () => {
    expect(halfWay([point(0, { joules: 0 }), point(5, { joules: 3 })])).toBeNull();
    expect(
      halfWay([point(0, { bits: 1 }), point(5, { bits: 2 }), point(9, { bits: 3 })]),
    ).toBeNull();
  });
});
