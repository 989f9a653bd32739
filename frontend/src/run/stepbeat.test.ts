import { describe, expect, it } from "vitest";
import type { Pulse } from "../wire/frames";
import type { StepDetail } from "../wire/rest";
import { beatOfPulse, beatOfRecord } from "./stepbeat";

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
    const beat = beatOfPulse(pulse, 700, 1);
    expect([...beat.norms]).toEqual([1, 0, 7]);
    expect(beat.rows).toEqual({ batch: 3, gradient: 4, moved: 1 });
  });

  it("can come from the record", () => {
    const detail = {
      step: 5,
      tokens: [
        [7, 1],
        [10, 7],
      ],
      gradient: [
        [7, 0.5],
        [1, 0.25],
      ],
      batch_rows: 3,
      gradient_rows: 3,
      moved_rows: 3,
    } as unknown as StepDetail;
    const beat = beatOfRecord(detail, 700);
    expect([...beat.ids]).toEqual([1, 7, 10]);
    expect([...beat.norms]).toEqual([0.25, 0.5, 0]);
    expect(beat.decodedAt).toBeNull();
  });
});
