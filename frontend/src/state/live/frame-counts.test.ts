import { describe, expect, it } from "vitest";
import type { Frame } from "../../api/frames";
import { FrameCounts } from "./frame-counts";

const pulse = (step: number, firstStep = step, attempt = 1) =>
  ({ kind: "pulse", attempt, step, firstStep, merged: firstStep < step }) as Frame;
const census = (step: number, attempt = 1) => ({ kind: "census", attempt, step }) as Frame;

describe("tally", () => {
  it("counts the steps of merged pulses, and what falls between two connections", () => {
    const tally = new FrameCounts();
    for (const frame of [census(4), pulse(5), pulse(9, 6), census(12), pulse(13)])
      tally.receive(frame);
    expect(tally.frames.pulse).toBe(3);
    expect(tally.merged).toBe(1);
    expect(tally.ranges).toEqual([
      { attempt: 1, first: 5, last: 9, pulses: 2 },
      { attempt: 1, first: 13, last: 13, pulses: 1 },
    ]);
    expect(tally.gaps.map(({ first, last }) => [first, last])).toEqual([[1, 4], [10, 12]]); // prettier-ignore
    expect(tally.lost).toBe(0);
  });

  it("knows what is still to be read from the record", () => {
    const tally = new FrameCounts();
    tally.markFetched(4);
    tally.receive(census(4));
    expect(tally.hasGaps).toBe(false);
    tally.receive(pulse(5));
    tally.receive(census(9));
    tally.markFetched(8);
    expect(tally.hasGaps).toBe(true);
    tally.markFetched(9);
    expect(tally.hasGaps).toBe(false);
  });

  it("notices a lost pulse", () => {
    const tally = new FrameCounts();
    for (const frame of [census(0), pulse(1), pulse(4)]) tally.receive(frame);
    expect(tally.lost).toBe(2);
    expect(tally.ranges.map(({ first, last }) => [first, last])).toEqual([[1, 1], [4, 4]]); // prettier-ignore
  });

  it("misses nothing that a new attempt took, or that is of another time", () => {
    const tally = new FrameCounts();
    for (const frame of [census(0), pulse(1), census(9), census(5, 2), pulse(6, 6, 2)])
      tally.receive(frame);
    tally.markFetched(5);
    expect(tally.hasGaps).toBe(false);
    tally.breakSequence();
    tally.receive(census(300));
    expect(tally.gaps.length).toBe(1);
    expect(tally.lost).toBe(0);
  });
});
