import { describe, expect, it } from "vitest";
import type { Beat, GridChange, GridLayout } from "../../api/class-frames";
import type { Layout, Pulse } from "../../api/frames";
import { beatFromPulse } from "../../model/step-beat";
import { TouchCounts } from "../../model/touch-counts";
import { ClassStream } from "./class-stream";

const HEADER = { attempt: 1, step: 10, time: 0, vocabulary: 2 };

const grid = {
  ...{ ...HEADER, kind: "grid-layout", method: "umap", drawnBy: "umap", number: 4 },
  ...{ trust: 0.9, trustError: 0, recall: 0.5, sample: 2 },
  ...{ x0: -1, x1: 1, y0: 0, y1: 4 },
  places: Uint16Array.of(0, 4_095, 2_000, 7),
  byToken: Uint8Array.of(250, 3),
} satisfies GridLayout;

const change = (base: number, moves: number[]) =>
  ({
    ...{ ...HEADER, kind: "grid-change", method: "umap", drawnBy: "umap", step: 11 },
    ...{ trust: 0.8, trustError: 0, recall: 0.5, sample: 2, number: base + 1, base },
    ...{ moves: Int16Array.from(moves), byToken: Uint8Array.of(10, 254), fromBase: true },
  }) as GridChange;

describe("a layout on a grid", () => {
  it("has the places of its grid, and a change starts from the one before", () => {
    const stream = new ClassStream();
    const first = stream.translate(grid) as Layout;
    expect(first).toMatchObject({ kind: "layout", method: "umap", x0: -1, trust: 0.9 });
    expect([...first.places]).toEqual([0, 65_535, 32_007, 112]);
    const next = stream.translate(change(4, [1, -4_095, 0, 1])) as Layout;
    expect(next).toMatchObject({ kind: "layout", step: 11, x1: 1, trust: 0.8 });
    expect([...next.places]).toEqual([16, 0, 32_007, 128]);
    expect([...next.byToken!]).toEqual([4, 1]);
    const last = stream.translate(change(5, [1, 0, 0, 0])) as Layout;
    expect(last.places[0]).toBe(32);
  });

  it("is left out where the one that it starts from is not here", () => {
    const stream = new ClassStream();
    expect(stream.translate(change(4, [0, 0, 0, 0]))).toBeNull();
    stream.translate(grid);
    expect(stream.translate(change(3, [0, 0, 0, 0]))).toBeNull();
    expect(stream.translate(change(4, [0, 0, 0, 0]))).not.toBeNull();
  });
});

describe("a beat", () => {
  const beat = {
    ...{ ...HEADER, kind: "beat", vocabulary: 4, firstStep: 8, loss: 2 },
    ...{ learningRate: 0, tokensPerSecond: 0, stepSeconds: 0, observeSeconds: 0 },
    batchIds: Uint32Array.of(0, 2),
    batchCounts: Uint32Array.of(3, 1),
    gradientNorms: Float32Array.of(0, 0.5),
    layerNorms: Float32Array.of(1),
    ...{ gradientRows: 1, movedRows: 3, driftingRows: 2, elsewhere: false },
    between: {
      ids: Uint32Array.of(1, 2),
      touches: Uint32Array.of(2, 1),
      lastLit: Uint32Array.of(9, 8),
      norms: Float32Array.of(0.25, 0),
    },
  } satisfies Beat;

  it("is the pulse of its step, with the counts that it states", () => {
    const pulse = new ClassStream().translate(beat) as Pulse;
    expect(pulse).toMatchObject({ kind: "pulse", step: 10, firstStep: 10, merged: false });
    const shown = beatFromPulse(pulse, 100, 0);
    expect([...shown.ids]).toEqual([0, 2]);
    expect([...shown.norms]).toEqual([0, 0.5]);
    expect(shown.rows).toEqual({ batch: 2, gradient: 1, moved: 3 });
    expect(shown.drifting).toBe(2);
  });

  it("counts the steps since the beat before as their pulses would", () => {
    const counts = new TouchCounts(4);
    counts.loadCensus({
      ...{ ...HEADER, kind: "census", step: 7, vocabulary: 4 },
      touches: Uint32Array.of(1, 0, 5, 0),
      lastLit: Uint32Array.of(7, 0xffffffff, 6, 0xffffffff),
    });
    counts.applyPulse(new ClassStream().translate(beat) as Pulse);
    expect([...counts.touches]).toEqual([2, 2, 7, 0]);
    expect([...counts.lastLit]).toEqual([10, 9, 10, 0xffffffff]);
    expect([...counts.gradient].slice(1, 3)).toEqual([0.25, 0.5]);
    expect(counts.everTouched).toBe(3);
    expect(counts.step).toBe(10);
    expect(counts.litRecently().about).toBe(false);
  });
});
