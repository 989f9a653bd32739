import { describe, expect, it } from "vitest";
import type { Beat } from "../api/beat-frames";
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
