import { describe, expect, it } from "vitest";
import type { Pulse } from "../api/frames";
import type { StepDetail } from "../api/rest-types";
import type { ClassBeat } from "../api/class-frames";
import { beatFromFrame, beatFromPulse, beatFromRecord } from "./step-beat";

/** A step without rows. */
const DETAIL: StepDetail = {
  attempt: 1,
  step: 1,
  time: 0,
  loss: 2,
  learning_rate: 0.003,
  tokens_per_second: 0,
  step_seconds: 0,
  observe_seconds: 0,
  batch_rows: 0,
  gradient_rows: 0,
  moved_rows: 0,
  verified: false,
  layer_norms: [],
  tokens: [],
  gradient: [],
  moved: [],
};

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
    const detail: StepDetail = {
      ...DETAIL,
      tokens: [[1, 7, 4]],
      gradient: [],
      moved: [
        [9, 0.2],
        [1, 0.1],
      ],
      batch_rows: 2,
      moved_rows: 2,
      verified: true,
    };
    expect(beatFromRecord(detail, 700).drifting).toBe(1);
    expect(beatFromRecord({ ...detail, moved_rows: 600 }, 700).drifting).toBeNull();
    expect(beatFromRecord({ ...detail, verified: false }, 700).drifting).toBeNull();
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

  it("can come from the record, without the targets that the model does not read", () => {
    const detail: StepDetail = {
      ...DETAIL,
      step: 5,
      tokens: [
        [7, 1, 3],
        [10, 7, 1],
        [1, 10, 12],
      ],
      gradient: [
        [7, 0.5],
        [1, 0.25],
      ],
      batch_rows: 3,
      gradient_rows: 2,
      moved_rows: 3,
    };
    const beat = beatFromRecord(detail, 700);
    expect([...beat.ids]).toEqual([1, 7, 10]);
    expect([...beat.norms]).toEqual([0.25, 0.5, 0]);
    expect(beat.decodedAt).toBeNull();
  });

  it("does not take a norm that the record leaves out for none", () => {
    const detail: StepDetail = {
      ...DETAIL,
      tokens: [[7, 1, 10]],
      gradient: [[7, 0.5]],
      batch_rows: 2,
      moved: [],
    };
    expect([...beatFromRecord({ ...detail, gradient_rows: 1 }, 700).norms]).toEqual([0, 0.5]);
    expect([...beatFromRecord({ ...detail, gradient_rows: 2 }, 700).norms]).toEqual([NaN, 0.5]);
  });

  it("has no loss and no norm where the record has none", () => {
    const beat = beatFromRecord({ ...DETAIL, loss: null, layer_norms: [1, null] }, 700);
    expect([beat.loss, ...beat.layerNorms]).toEqual([NaN, 1, NaN]);
  });

  it("takes rows with a gradient, or that moved, where the text is not kept", () => {
    const detail: StepDetail = {
      ...DETAIL,
      tokens: [],
      gradient: [
        [7, 0.5],
        [1, 0.25],
      ],
      moved: [[4, 0.1]],
      batch_rows: 2,
      gradient_rows: 2,
      moved_rows: 1,
    };
    const ids = (changed: Partial<StepDetail>) => [
      ...beatFromRecord({ ...detail, ...changed }, 700).ids,
    ];
    expect(ids({})).toEqual([1, 7]);
    expect(ids({ gradient: [], gradient_rows: 0 })).toEqual([4]);
    // Tied weights give every row a gradient: which rows were read is then not known.
    expect(ids({ gradient_rows: 500, moved_rows: 500 })).toEqual([]);
  });
});
