import { describe, expect, it } from "vitest";
import type { Pulse } from "../api/frames";
import type { ClassBeat } from "../api/class-frames";
import { beatFromFrame, beatFromPulse } from "./step-beat";

describe("a beat", () => {
  it("lights the rows of the batch, by their gradients", () => {
    const pulse = {
      step: 5,
      batchIds: Uint32Array.of(1, 4, 7),
      gradientIds: Uint32Array.of(0, 1, 7, 9),
      gradientNorms: Float32Array.of(9, 1, 7, 9),
      movedIds: Uint32Array.of(1),
      layerNorms: Float32Array.of(0.5),
    } as Pulse;
    const beat = beatFromPulse(pulse, 700, 1);
    expect([...beat.norms]).toEqual([1, 0, 7]);
    expect(beat.rows).toEqual({ batch: 3, gradient: 4, moved: 1 });
    expect(beat.drifting).toBeNull();
  });

  it("knows how many rows moved though they slept, where all were looked at", () => {
    const pulse = {
      batchIds: Uint32Array.of(1, 4, 7),
      gradientIds: Uint32Array.of(1, 4, 7),
      gradientNorms: Float32Array.of(1, 4, 7),
      movedIds: Uint32Array.of(0, 1, 7, 8),
      layerNorms: new Float32Array(0),
      verified: true,
    } as Pulse;
    expect(beatFromPulse(pulse, 700, 1).drifting).toBe(2);
    expect(beatFromPulse({ ...pulse, movedIds: pulse.batchIds }, 700, 1).drifting).toBe(0);
  });

  it("can come from a beat of a class, with the rows of its step and the number of the others", () => {
    const beat = {
      ...{ kind: "beat", attempt: 2, step: 5, firstStep: 1, loss: 3 },
      batchIds: Uint32Array.of(1, 4),
      gradientNorms: Float32Array.of(0.5, 0),
      layerNorms: Float32Array.of(1),
      ...{ gradientRows: 1, movedRows: 9, driftingRows: 7 },
    } as ClassBeat;
    expect(beatFromFrame(beat, 700, 1)).toMatchObject({
      ids: beat.batchIds,
      norms: beat.gradientNorms,
      rows: { batch: 2, gradient: 1, moved: 9 },
      ...{ attempt: 2, step: 5, drifting: 7, verified: true, duration: 700, decodedAt: 1 },
    });
    const unseen = beatFromFrame({ ...beat, driftingRows: null }, 700, 1);
    expect([unseen.drifting, unseen.verified]).toEqual([null, false]);
  });

  it("does not take what nobody recorded for none", () => {
    const none = new Uint32Array(0);
    const pulse = {
      batchIds: Uint32Array.of(1, 4),
      gradientIds: none,
      gradientNorms: new Float32Array(0),
      movedIds: Uint32Array.of(0, 1, 2, 3, 4),
      layerNorms: Float32Array.of(NaN),
      verified: true,
    } as Pulse;
    const beat = beatFromPulse(pulse, 700, 1);
    expect(beat.rows).toEqual({ batch: 2, gradient: null, moved: 5 });
    expect([[...beat.norms], beat.drifting]).toEqual([[NaN, NaN], 3]);
    const still = { ...pulse, layerNorms: Float32Array.of(0), movedIds: none };
    expect(beatFromPulse(still, 700, 1).rows).toEqual({ batch: 2, gradient: 0, moved: 0 });
    expect(beatFromPulse({ ...still, verified: false }, 700, 1).rows.moved).toBeNull();
    const series = beatFromPulse({ ...pulse, batchIds: none }, 700, 1);
    expect([series.rows.batch, series.drifting]).toEqual([null, null]);
    const shown = beatFromFrame(
      {
        ...{ kind: "beat", batchIds: Uint32Array.of(1), gradientNorms: Float32Array.of(0) },
        ...{ layerNorms: new Float32Array(0), gradientRows: 0, movedRows: 5, driftingRows: 4 },
      } as ClassBeat,
      700,
      1,
    );
    expect([shown.rows.gradient, ...shown.norms]).toEqual([null, NaN]);
  });
});
