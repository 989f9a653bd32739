import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Beat } from "../api/beat-frames";
import { decodeEnvelope } from "../api/envelope";
import { NEVER, type Census, type Frame } from "../api/frames";
import { TouchCounts } from "./touch-counts";
import { lightOfBeat } from "./light";

const beat = {
  ...{ kind: "beat", attempt: 2, step: 5, firstStep: 1, loss: 3 },
  batchIds: Uint32Array.of(1, 4),
  gradientNorms: Float32Array.of(0.5, 0),
  layerNorms: Float32Array.of(1),
  ...{ gradientRows: 1, movedRows: 9, driftingRows: 7 },
} as Beat;

describe("a light", () => {
  it("has the rows of its step, and the number of other rows", () => {
    expect(lightOfBeat(beat, 700, 1)).toMatchObject({
      ids: beat.batchIds,
      norms: beat.gradientNorms,
      rows: { batch: 2, gradient: 1, moved: 9 },
      ...{ attempt: 2, step: 5, drifting: 7, verified: true, duration: 700, decodedAt: 1 },
    });
    const unseen = lightOfBeat({ ...beat, driftingRows: null }, 700, 1);
    expect([unseen.drifting, unseen.verified]).toEqual([null, false]);
  });

  it("does not take missing records for empty sets", () => {
    const unrecorded = {
      ...beat,
      ...{ gradientRows: 0, movedRows: 5, driftingRows: 3 },
      layerNorms: Float32Array.of(NaN),
    };
    const light = lightOfBeat(unrecorded, 700, 1);
    expect(light.rows).toEqual({ batch: 2, gradient: null, moved: 5 });
    expect([[...light.norms], light.drifting]).toEqual([[NaN, NaN], 3]);
    const still = { ...unrecorded, layerNorms: Float32Array.of(0), movedRows: 0, driftingRows: 0 };
    expect(lightOfBeat(still, 700, 1).rows).toEqual({ batch: 2, gradient: 0, moved: 0 });
    expect(lightOfBeat({ ...still, driftingRows: null }, 700, 1).rows.moved).toBeNull();
    const series = lightOfBeat({ ...unrecorded, batchIds: new Uint32Array(0) }, 700, 1);
    expect([series.rows.batch, series.drifting]).toEqual([null, null]);
  });
});

const none = new Uint32Array(0);

/** Return the beat of one step that read some rows, each of which got a gradient. */
const beatOf = (step: number, ids: number[]) =>
  ({
    ...{ kind: "beat", attempt: 1, step, firstStep: step, vocabulary: 5 },
    batchIds: Uint32Array.from(ids),
    gradientNorms: Float32Array.from(ids, (id) => id / 2),
    between: { ids: none, touches: none, lastLit: none, norms: null },
    ...{ elsewhere: false, gradients: null },
  }) as unknown as Beat;

const census = {
  attempt: 1,
  step: 10,
  vocabulary: 5,
  touches: Uint32Array.of(3, 0, 1, 0, 9),
  lastLit: Uint32Array.of(9, NEVER, 2, NEVER, 10),
} as Census;

describe("touch counts", () => {
  it("continue from a census", () => {
    const touchCounts = new TouchCounts(5);
    touchCounts.loadCensus(census);
    touchCounts.apply(beatOf(11, [0, 3]));
    expect([...touchCounts.touches]).toEqual([4, 0, 1, 1, 9]);
    expect([...touchCounts.lastLit]).toEqual([11, NEVER, 2, 11, 10]);
    expect(touchCounts.gradient[3]).toBe(1.5);
    expect(touchCounts.everTouched).toBe(4);
  });

  it("know that reads are not recorded, once there are steps", () => {
    const touchCounts = new TouchCounts(5);
    expect(touchCounts.unread).toBe(false);
    touchCounts.apply(beatOf(1, []));
    expect(touchCounts.unread).toBe(true);
    touchCounts.apply(beatOf(2, [3]));
    expect(touchCounts.unread).toBe(false);
  });

  it("count no step twice", () => {
    const touchCounts = new TouchCounts(5);
    touchCounts.loadCensus(census);
    touchCounts.apply(beatOf(10, [1]));
    expect(touchCounts.touches[1]).toBe(0);
  });

  it("have the gradients of rows in no batch, which come with the step or after it", () => {
    const gradients = { ids: Uint32Array.of(0, 4), norms: Float32Array.of(1, 9) };
    const touchCounts = new TouchCounts(5);
    touchCounts.apply({ ...beatOf(1, [3]), gradients });
    expect([...touchCounts.gradient]).toEqual([1, NaN, NaN, 1.5, 9]);
    touchCounts.apply({ ...beatOf(2, [3]), elsewhere: true });
    expect([...touchCounts.gradient]).toEqual([NaN, NaN, NaN, 1.5, NaN]);
    expect(touchCounts.apply({ ...beatOf(2, [3]), gradients })).toBe(false);
    expect([...touchCounts.gradient]).toEqual([1, NaN, NaN, 1.5, 9]);
    expect(touchCounts.touches[3]).toBe(2);
  });

  it("ignore frames of another vocabulary", () => {
    const touchCounts = new TouchCounts(4);
    touchCounts.loadCensus(census);
    touchCounts.apply(beatOf(11, [4]));
    expect(touchCounts.everTouched).toBe(0);
  });
});

describe("beats", () => {
  const parts = (name: string) => {
    const file = readFileSync(new URL(`../../../tests/golden/${name}.bin`, import.meta.url));
    return decodeEnvelope(new Uint8Array(file).buffer) as Promise<Frame[]>;
  };

  it("give the same counts as all pulses, and no wrong gradient", async () => {
    const whole = new TouchCounts(24);
    const beaten = new TouchCounts(24);
    const beats = await parts("envelope-beats");
    let known = 0;
    for (const frame of await parts("envelope-pulses")) {
      if (frame.kind === "census") whole.loadCensus(frame);
      else if (frame.kind === "beat") whole.apply(frame);
      if (beats[0]?.step !== frame.step) continue;
      const beat = beats.shift()!;
      if (beat.kind === "census") beaten.loadCensus(beat);
      else if (beat.kind === "beat") beaten.apply(beat);
      expect(beaten.step).toBe(whole.step);
      expect(beaten.touches).toEqual(whole.touches);
      expect(beaten.lastLit).toEqual(whole.lastLit);
      expect(beaten.everTouched).toBe(whole.everTouched);
      beaten.gradient.forEach((norm, id) => {
        if (Number.isNaN(norm)) return;
        expect(norm).toBe(whole.gradient[id]);
        known += 1;
      });
    }
    expect(beats).toEqual([]);
    expect(known).toBeGreaterThan(400);
  });

  it("count once, and only rows of this vocabulary", async () => {
    const counts = new TouchCounts(24);
    const beat = (await parts("envelope-beats"))[1] as Beat;
    counts.apply(beat);
    const touches = counts.touches.slice();
    counts.apply(beat);
    expect(counts.touches).toEqual(touches);
    const others = new TouchCounts(23);
    others.apply(beat);
    expect(others.everTouched).toBe(0);
  });
});
