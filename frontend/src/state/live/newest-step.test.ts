import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Beat } from "../../api/beat-frames";
import { NEVER, type Census, type Frame, type Layout, type LayoutMethod } from "../../api/frames";
import { passedPoints } from "./loss-series";
import { NewestStep, type FrameContext } from "./newest-step.svelte";

const layout = (step: number, method: LayoutMethod = "umap") =>
  ({ kind: "layout", method, attempt: 1, step }) as Layout;

/** Return a beat that reads rows, after steps that read rows twice each. */
const beat = (
  step: number,
  firstStep = step,
  read: number[] = [],
  between: number[] = [],
): Beat => ({
  ...{ kind: "beat", attempt: 1, step, time: 0, firstStep, vocabulary: 3, loss: 1 },
  ...{ learningRate: 1, tokensPerSecond: 1, stepSeconds: 1, observeSeconds: 1 },
  batchIds: Uint32Array.from(read),
  batchCounts: Uint32Array.from(read, () => 1),
  gradientNorms: Float32Array.from(read, () => 0.5),
  layerNorms: new Float32Array(),
  ...{ gradientRows: 1, movedRows: 1, driftingRows: null, elsewhere: false, gradients: null },
  between: {
    ids: Uint32Array.from(between),
    touches: Uint32Array.from(between, () => 2),
    lastLit: Uint32Array.from(between, () => step - 1),
    norms: null,
  },
});

const census = (step: number) =>
  ({
    ...{ kind: "census", attempt: 1, step, vocabulary: 3 },
    ...{ touches: new Uint32Array(3), lastLit: new Uint32Array(3) },
  }) as unknown as Census;

function played() {
  const newest = new NewestStep(
    () => ({ method: "umap", played: true, growing: false, stepwise: false, speed: 50 }),
    { onMap: () => undefined, onBeat: () => undefined, onCensus: () => undefined },
  );
  newest.setVocabulary(3);
  return newest;
}

describe("a replay", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const pass = (newest: NewestStep, milliseconds: number) => {
    vi.advanceTimersByTime(milliseconds);
    newest.tick(performance.now());
  };

  it("drops the last map of a run if it starts before the first map", () => {
    const newest = played();
    newest.receive(layout(5_000));
    newest.leaveTime();
    pass(newest, 500);
    expect(newest.layouts.umap?.step).toBe(5_000);
    newest.receive(census(0));
    pass(newest, 120);
    expect(newest.step).toBe(0);
    expect(newest.layouts).toEqual({});
    newest.receive(beat(126));
    newest.receive(layout(126));
    pass(newest, 60);
    expect(newest.layouts.umap?.step).toBe(126);
  });

  it("glides from the last map of a run to one that comes with its census", () => {
    const newest = played();
    newest.receive(layout(5_000));
    newest.leaveTime();
    newest.receive(census(200));
    pass(newest, 60);
    expect(newest.layouts.umap?.step).toBe(5_000);
    newest.receive(layout(196));
    pass(newest, 120);
    expect(newest.layouts.umap?.step).toBe(196);
  });

  it("shows a map with the beat of its step, or the first later one", () => {
    const newest = played();
    newest.receive(census(0));
    newest.receive(layout(0));
    newest.receive(beat(1));
    expect(newest.beat?.step).toBe(1);
    for (let step = 2; step <= 20; step++) {
      pass(newest, 20);
      newest.receive(beat(step));
      if (step % 10 === 0) newest.receive(layout(step));
    }
    expect(newest.layouts.umap?.step).toBe(0);
    pass(newest, 700);
    newest.receive(beat(21));
    pass(newest, 60);
    expect(newest.beat!.step).toBeGreaterThanOrEqual(20);
    expect(newest.layouts.umap?.step).toBe(20);
  });

  it("shows a map after a while if its step is not played", () => {
    const newest = played();
    newest.receive(census(0));
    newest.receive(beat(1));
    newest.receive(layout(40));
    pass(newest, 1_000);
    expect(newest.layouts.umap).toBeUndefined();
    pass(newest, 1_000);
    expect(newest.layouts.umap?.step).toBe(40);
  });
});

const WHOLE: FrameContext = {
  ...{ method: "umap", played: false, growing: true, stepwise: false, speed: null },
};
const EVENTS = { onMap: () => undefined, onBeat: () => undefined, onCensus: () => undefined };

function newestStep(context: Partial<FrameContext>) {
  const newest = new NewestStep(() => ({ ...WHOLE, ...context }), EVENTS);
  newest.setVocabulary(3);
  return newest;
}

function follow(context: Partial<FrameContext>, frames: Frame[]) {
  const newest = newestStep(context);
  return frames.map((frame) => {
    newest.receive(frame);
    return newest.layouts.umap?.step ?? null;
  });
}

describe("the newest step", () => {
  it("shows the linear view until the map has caught up", () => {
    const missed = [0, 60, 120].map((step) => layout(step, "umap"));
    expect(follow({}, [layout(120, "linear"), ...missed])).toEqual([null, null, null, 120]);
    // From then on the map may lag by one frame.
    const later = [layout(130, "linear"), layout(125, "umap")];
    expect(follow({}, [layout(120, "linear"), layout(120, "umap"), ...later])).toEqual([
      null,
      120,
      120,
      125,
    ]);
  });

  it("shows the map of the first matrix at once while the run waits for it", () => {
    expect(follow({}, [layout(0, "linear"), layout(0, "umap")])).toEqual([null, 0]);
  });

  it("shows an older map of a run that has ended, or in a replay", () => {
    const frames = [layout(120, "linear"), layout(60, "umap")];
    expect(follow({ growing: false }, frames)).toEqual([null, 60]);
  });
});

describe("a beat", () => {
  it("is shown with the counts of all steps up to it", () => {
    const newest = newestStep({});
    newest.receive({ ...census(4), lastLit: new Uint32Array(3).fill(NEVER) });
    newest.receive(beat(5, 5, [0], []));
    expect(newest.counters).toMatchObject({ step: 5, ever: 1 });
    expect([...newest.beat!.ids]).toEqual([0]);
    newest.receive(beat(9, 6, [0], [0, 2]));
    expect([...newest.touchCounts!.touches]).toEqual([4, 0, 2]);
    expect([...newest.touchCounts!.lastLit]).toEqual([9, NEVER, 8]);
    expect(newest.countersAt(9)).toMatchObject({ step: 9, ever: 2 });
    expect(newest.series!.steps).toEqual([5]);
    expect(newest.frameCounts.lost).toBe(0);
  });

  it("has the points of the previous steps that no beat shows", () => {
    const newest = newestStep({});
    newest.receive(census(4));
    const passed = { attempt: 1, steps: [5, 6], losses: [3, null], norms: [[1], [2]] };
    newest.addPassed(passedPoints({ type: "passed", ...passed, ever_rows: [1, 2] }));
    newest.receive(beat(7, 5));
    expect(newest.series).toMatchObject({ steps: [5, 6, 7], losses: [3, NaN, 1] });
    expect(newest.series!.ever.slice(0, 2)).toEqual([1, 2]);
  });

  it("is kept until the tokens are there, and so is the newest map", () => {
    const newest = new NewestStep(() => ({ ...WHOLE, growing: false }), EVENTS);
    newest.receive({ ...census(4), lastLit: new Uint32Array(3).fill(NEVER) });
    newest.receive(layout(4));
    newest.receive(beat(5, 5, [0], []));
    newest.receive(beat(9, 6, [1], [2]));
    newest.setVocabulary(3);
    expect([...newest.touchCounts!.touches]).toEqual([1, 1, 2]);
    expect(newest.layouts.umap?.step).toBe(4);
  });
});
