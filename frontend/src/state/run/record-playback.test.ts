import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, type Failure } from "../../api/failure";
import { TouchCounts } from "../../model/touch-counts";
import { NewestStep } from "../live/newest-step.svelte";
import type { PastStore } from "../past/past-store";
import { RecordPlayback } from "./record-playback";
import { SPEEDS, speedOptions } from "./replay";

/** Errors that the record returns before it can be read. */
let errors: ApiError[];
let told: (Failure | null)[];

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
});
afterEach(() => {
  vi.useRealTimers();
});

function play() {
  const newest = new NewestStep(
    () => ({ method: "umap", played: true, growing: false, stepwise: false, speed: 50 }),
    { onMap: () => undefined, onBeat: () => undefined, onCensus: () => undefined },
  );
  newest.setVocabulary(3);
  newest.lastStep = 4;
  const past = {
    fetchStep(step: number) {
      const error = errors.shift();
      if (error) return Promise.reject(error);
      const touchCounts = new TouchCounts(3);
      touchCounts.step = step;
      return Promise.resolve({ attempt: 1, step, beat: null, touchCounts, layouts: {} });
    },
  } as unknown as PastStore;
  const playback = new RecordPlayback(
    {
      newest,
      past: () => past,
      method: () => "umap",
      newestStep: () => 4,
      failed: (failure) => told.push(failure),
    },
    false,
  );
  return { newest, playback, over: playback.play(50) };
}

/** Let time pass, so that the player loads at each attempt. */
async function pass(seconds: number) {
  for (let i = 0; i < seconds; i++) {
    await vi.dynamicImportSettled();
    await vi.advanceTimersByTimeAsync(1_000);
  }
}

describe("an unavailable record", () => {
  it("is requested again while the server is away or busy", async () => {
    errors = [new ApiError(0, { code: "silent" }), new ApiError(429, { code: "broken" })];
    const { newest, over } = play();
    await pass(6);
    expect(await over).toBe(true);
    expect(told).toEqual([{ code: "silent" }, { code: "broken" }, null]);
    expect(newest.step).toBe(4);
  });

  it("is not requested again if the server refuses it", async () => {
    errors = [new ApiError(404, { code: "noStep", step: 4 })];
    const { over } = play();
    await pass(10);
    expect(await over).toBe(false);
    expect(told).toEqual([{ code: "noStep", step: 4 }]);
  });

  it("is not requested again once playback was stopped", async () => {
    errors = Array.from({ length: 9 }, () => new ApiError(0, { code: "silent" }));
    const { playback, over } = play();
    await pass(1);
    playback.stop();
    await pass(10);
    expect(await over).toBe(false);
    expect(told.length).toBe(1);
  });
});

describe("a replay", () => {
  it("includes its own speed in the options", () => {
    expect(speedOptions(50)).toEqual(SPEEDS);
    expect(speedOptions(7)).toEqual([1, 4, 7, 10, 50, 200, 1_000]);
  });
});
