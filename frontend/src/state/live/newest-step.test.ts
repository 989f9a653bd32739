import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Census, Layout, LayoutMethod, Pulse } from "../../api/frames";
import { NewestStep } from "./newest-step.svelte";

const none = new Uint32Array();

const layout = (step: number, method: LayoutMethod = "umap") =>
  ({ kind: "layout", method, attempt: 1, step }) as Layout;

const pulse = (step: number): Pulse =>
  ({
    ...{ kind: "pulse", attempt: 1, step, first: step, vocabulary: 3, merged: false, loss: 1 },
    ...{ batchIds: none, gradientIds: none, movedIds: none, gradientNorms: new Float32Array() },
    ...{ layerNorms: new Float32Array(), verified: false, dropped: 0 },
  }) as unknown as Pulse;

const census = (step: number) =>
  ({
    ...{ kind: "census", attempt: 1, step, vocabulary: 3 },
    ...{ touches: new Uint32Array(3), lastLit: new Uint32Array(3) },
  }) as unknown as Census;

function played() {
  const newest = new NewestStep(
    () => ({ method: "umap", played: true, stepwise: false, speed: 50 }),
    { onMap: () => undefined, onPulse: () => undefined, onCensus: () => undefined },
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

  it("does not keep the last map of a run when it begins where there is none", () => {
    const newest = played();
    newest.receive(layout(5_000));
    newest.leaveTime();
    pass(newest, 500);
    expect(newest.layouts.umap?.step).toBe(5_000);
    newest.receive(census(0));
    pass(newest, 120);
    expect(newest.step).toBe(0);
    expect(newest.layouts).toEqual({});
    newest.receive(pulse(126));
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

  it("shows a map with the beat of its step, or the first after it", () => {
    const newest = played();
    newest.receive(census(0));
    newest.receive(layout(0));
    newest.receive(pulse(1));
    expect(newest.beat?.step).toBe(1);
    for (let step = 2; step <= 20; step++) {
      pass(newest, 20);
      newest.receive(pulse(step));
      if (step % 10 === 0) newest.receive(layout(step));
    }
    expect(newest.layouts.umap?.step).toBe(0);
    pass(newest, 700);
    newest.receive(pulse(21));
    pass(newest, 60);
    expect(newest.beat!.step).toBeGreaterThanOrEqual(20);
    expect(newest.layouts.umap?.step).toBe(20);
  });

  it("shows a map without a beat where steps are merged", () => {
    const newest = played();
    newest.receive(census(0));
    newest.receive(pulse(1));
    newest.receive({ ...pulse(40), merged: true });
    newest.receive(layout(40));
    pass(newest, 1_000);
    expect(newest.layouts.umap).toBeUndefined();
    pass(newest, 1_000);
    expect(newest.layouts.umap?.step).toBe(40);
  });
});
