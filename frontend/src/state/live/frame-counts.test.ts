import { describe, expect, it } from "vitest";
import type { Frame } from "../../api/frames";
import { FrameCounts } from "./frame-counts";

const beat = (step: number, firstStep = step, attempt = 1) =>
  ({ kind: "beat", attempt, step, firstStep }) as Frame;
const census = (step: number, attempt = 1) => ({ kind: "census", attempt, step }) as Frame;

describe("frame counts", () => {
  it("count the steps of beats, and the gap between two connections", () => {
    const frameCounts = new FrameCounts();
    for (const frame of [census(4), beat(5), beat(9, 6), census(12), beat(13)])
      frameCounts.receive(frame);
    expect(frameCounts.frames.beat).toBe(3);
    expect(frameCounts.ranges).toEqual([
      { attempt: 1, first: 5, last: 9, beats: 2 },
      { attempt: 1, first: 13, last: 13, beats: 1 },
    ]);
    expect(frameCounts.gaps.map(({ first, last }) => [first, last])).toEqual([[1, 4], [10, 12]]); // prettier-ignore
    expect(frameCounts.lost).toBe(0);
  });

  it("list the steps still missing from the record", () => {
    const frameCounts = new FrameCounts();
    frameCounts.markFetched(4);
    frameCounts.receive(census(4));
    expect(frameCounts.hasGaps).toBe(false);
    frameCounts.receive(beat(5));
    frameCounts.receive(census(9));
    frameCounts.markFetched(8);
    expect(frameCounts.hasGaps).toBe(true);
    frameCounts.markFetched(9);
    expect(frameCounts.hasGaps).toBe(false);
  });

  it("detect a lost step", () => {
    const frameCounts = new FrameCounts();
    for (const frame of [census(0), beat(1), beat(4)]) frameCounts.receive(frame);
    expect(frameCounts.lost).toBe(2);
    expect(frameCounts.ranges.map(({ first, last }) => [first, last])).toEqual([[1, 1], [4, 4]]); // prettier-ignore
  });

  it("report nothing missing after a new attempt or a jump in time", () => {
    const frameCounts = new FrameCounts();
    for (const frame of [census(0), beat(1), census(9), census(5, 2), beat(6, 6, 2)])
      frameCounts.receive(frame);
    frameCounts.markFetched(5);
    expect(frameCounts.hasGaps).toBe(false);
    frameCounts.breakSequence();
    frameCounts.receive(census(300));
    expect(frameCounts.gaps.length).toBe(1);
    expect(frameCounts.lost).toBe(0);
  });
});
