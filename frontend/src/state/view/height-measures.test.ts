import { describe, expect, it } from "vitest";
import { NEVER, type Census, type Layout, type Pulse } from "../../api/frames";
import { buildVocabulary } from "../../api/vocabulary";
import { computeHeights } from "./height-measures";
import { HEIGHT_MEASURES } from "../../model/view-options";
import { TouchCounts } from "../../model/touch-counts";

const counts = [9, 4, 1];
const vocabulary = buildVocabulary(
  "run",
  counts.map((count, token_id) => ({
    token_id,
    token: `w${token_id}`,
    text: `w${token_id}`,
    count,
    class: null,
  })),
  [],
);
const touchCounts = new TouchCounts(3);
touchCounts.loadCensus({
  vocabulary: 3,
  attempt: 1,
  step: 10,
  touches: Uint32Array.of(3, 0, 1),
  lastLit: Uint32Array.of(9, NEVER, 2),
} as Census);
touchCounts.applyPulse({
  attempt: 1,
  step: 11,
  firstStep: 11,
  vocabulary: 3,
  batchIds: Uint32Array.of(0),
  batchCounts: Uint32Array.of(2),
  gradientIds: Uint32Array.of(0),
  gradientNorms: Float32Array.of(0.5),
} as Pulse);
const layout = { byToken: Uint8Array.of(255, 0, 51) } as unknown as Layout;
const known = {
  vocabulary,
  touchCounts,
  layout,
  serverValues: Float32Array.of(1, 2, 3),
};
const heights = (of: (typeof HEIGHT_MEASURES)[number], more = {}) =>
  Array.from(computeHeights(of, { ...known, ...more }), (one) => +one.toFixed(3));

describe("heights", () => {
  it("are the numbers that are known", () => {
    expect(heights("touches")).toEqual([4, 0, 1]);
    expect(heights("frequency")).toEqual(counts);
    expect(heights("trust")).toEqual([1, 0, 0.2]);
    expect(heights("norm")).toEqual([1, 2, 3]);
    expect(heights("moved")).toEqual([1, 2, 3]);
  });

  it("are not known where they are not, never zero", () => {
    expect(heights("since")).toEqual([0, NaN, 9]);
    expect(heights("gradient")).toEqual([0.5, NaN, NaN]);
    const unread = new TouchCounts(3);
    unread.loadCensus({
      ...{ vocabulary: 3, attempt: 1, step: 10 },
      touches: new Uint32Array(3),
      lastLit: new Uint32Array(3).fill(NEVER),
    } as Census);
    expect(heights("touches", { touchCounts: unread })).toEqual([NaN, NaN, NaN]);
    const nothing = { touchCounts: null, layout: null, serverValues: null };
    for (const of of HEIGHT_MEASURES.filter((one) => one !== "frequency")) {
      expect(heights(of, nothing), of).toEqual([NaN, NaN, NaN]);
    }
    expect(heights("norm", { serverValues: Float32Array.of(1) })).toEqual([NaN, NaN, NaN]);
  });
});
