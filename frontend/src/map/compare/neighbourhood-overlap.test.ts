import { describe, expect, it } from "vitest";
import { neighbourhoodOverlap, pickCoordinates } from "./neighbourhood-overlap";

function strewn(count: number, seed: number): Float32Array {
  let state = seed;
  const next = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
  return Float32Array.from({ length: 2 * count }, next);
}

/** Compute the overlap slowly, straight from the definition. */
function plainly(a: Float32Array, b: Float32Array, k: number): number {
  const count = a.length / 2;
  const nearest = (xy: Float32Array, of: number) => {
    const far = (id: number) =>
      Math.hypot(xy[2 * id]! - xy[2 * of]!, xy[2 * id + 1]! - xy[2 * of + 1]!);
    const others = [...Array(count).keys()].filter((id) => id !== of);
    return new Set(others.sort((p, q) => far(p) - far(q)).slice(0, k));
  };
  let common = 0;
  for (let of = 0; of < count; of++) {
    const there = nearest(b, of);
    for (const id of nearest(a, of)) if (there.has(id)) common += 1;
  }
  return common / (count * k);
}

describe("neighbourhoodOverlap", () => {
  it("matches its definition", () => {
    const [a, b] = [strewn(80, 1), strewn(80, 2)];
    const half = a.map((value, i) => (i < 80 ? value : b[i]!));
    for (const other of [b, half]) {
      expect(neighbourhoodOverlap(a, other, 5)!.share).toBeCloseTo(plainly(a, other, 5), 9);
    }
  });

  it("is 1 between a map and its rotated, mirrored and scaled copy", () => {
    const a = strewn(60, 3);
    const turned = a.map((_, i) => (i % 2 ? 3 * a[i - 1]! : -3 * a[i + 1]! + 7));
    expect(neighbourhoodOverlap(a, turned)).toMatchObject({ share: 1, sampled: 60, tokens: 60 });
  });

  it("samples large maps, and is null for too few tokens", () => {
    expect(neighbourhoodOverlap(strewn(200, 4), strewn(200, 4), 10, 2_000)!.sampled).toBe(10);
    expect(neighbourhoodOverlap(strewn(11, 5), strewn(11, 5), 10)).toBeNull();
    expect(() => neighbourhoodOverlap(strewn(20, 5), strewn(21, 5))).toThrow(RangeError);
  });

  it("picks coordinates in the requested order", () => {
    expect([...pickCoordinates(Float32Array.of(0, 1, 2, 3, 4, 5), Uint32Array.of(2, 0))]).toEqual([
      4, 5, 0, 1,
    ]);
  });
});
