import { describe, expect, it } from "vitest";
import {
  AFTERGLOW,
  MIN_STRENGTH,
  GLIDE_MS,
  glideProgress,
  beatBrightness,
  haloShares,
  lampStrengths,
} from "./easing";

describe("the light of a beat", () => {
  it("rises at once and has fallen to its afterglow before the next", () => {
    for (const gentle of [false, true]) {
      expect(beatBrightness(0, 680, 0, gentle)).toBe(AFTERGLOW);
      expect(beatBrightness(260, 260, 0, gentle)).toBe(gentle ? 1 : AFTERGLOW);
      expect(beatBrightness(680, 680, 0, gentle)).toBe(AFTERGLOW);
      expect(beatBrightness(50_000, 680, 0, gentle)).toBe(AFTERGLOW);
    }
    expect(beatBrightness(70, 680, 0, false)).toBe(1);
  });

  it("is never dim, and is at full strength in a frozen picture", () => {
    for (let age = -10; age < 900; age += 5) {
      expect(beatBrightness(age, 680, 0, false)).toBeGreaterThanOrEqual(AFTERGLOW);
      if (age < 0 || age >= 70) expect(beatBrightness(age, 680, 1, false)).toBe(1);
    }
  });

  it("rises only once: one flash a beat", () => {
    for (const gentle of [false, true]) {
      let fell = false;
      let last = 0;
      for (let age = 0; age <= 700; age += 5) {
        const glow = beatBrightness(age, 680, 0, gentle);
        if (glow < last - 1e-9) fell = true;
        else if (glow > last + 1e-9) expect(fell).toBe(false);
        last = glow;
      }
    }
  });

  it("stays on until the next beat", () => {
    expect(beatBrightness(9_000, 680, 0.6, false)).toBe(0.6);
  });

  it("shows the weakest row and tells strong from weak", () => {
    const [weak, middle, strong] = lampStrengths(Float32Array.of(0.001, 0.25, 1));
    expect(weak).toBeGreaterThan(0.2);
    expect(middle).toBeGreaterThan(weak!);
    expect(strong).toBe(1);
    expect(lampStrengths(new Float32Array(0))).toHaveLength(0);
    const [known, unknown] = lampStrengths(Float32Array.of(1, NaN));
    expect(known).toBe(1);
    expect(unknown).toBeCloseTo(MIN_STRENGTH);
    // Without recorded gradients, the rows read are lit alike.
    const alike = lampStrengths(Float32Array.of(NaN, NaN));
    expect(alike[0]).toBeGreaterThan(MIN_STRENGTH);
    expect(alike[1]).toBe(alike[0]);
    expect([...lampStrengths(Float32Array.of(0, 0))].every(Number.isFinite)).toBe(true);
  });
});

describe("a glide", () => {
  it("ends, and is skipped with reduced motion", () => {
    expect(glideProgress(0, false)).toBe(0);
    expect(glideProgress(GLIDE_MS, false)).toBe(1);
    expect(glideProgress(0, true)).toBe(1);
  });
});

it("shrinks the halos of words that nearly every step lights, and of no others", () => {
  const counts = Float64Array.from({ length: 1_000 }, (_, id) => (id === 0 ? 5_000 : 10));
  const [common, rare] = haloShares(counts);
  expect(rare).toBe(255);
  expect(common).toBeGreaterThan(0);
  expect(common).toBeLessThan(60);
  // A small vocabulary has no such words, and unknown counts tell of none.
  expect([...haloShares(Float64Array.of(4, 5, 6))]).toEqual([255, 255, 255]);
  expect([...haloShares(Float64Array.of(NaN, 9))]).toEqual([255, 255]);
});
