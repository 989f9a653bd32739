import { describe, expect, it } from "vitest";
import { AFTERGLOW, GLIDE_MS } from "../easing";
import { SceneClock } from "./shown-content";

const beat = { step: 1, ids: new Uint32Array(1), norms: new Float32Array(1), duration: 400 };

describe("the clock of a scene", () => {
  it("is at rest until a change begins", () => {
    const clock = new SceneClock(false);
    expect(clock.instantAt(5)).toEqual({ mixing: 1, landProgress: 1, glow: 0 });
    expect([clock.isGliding(5), clock.isFading(5)]).toEqual([false, false]);
  });

  it("starts the lamps before the land", () => {
    const clock = new SceneClock(false);
    clock.startLamps(0, false);
    clock.startLand(100, false);
    const { mixing, landProgress } = clock.instantAt(200);
    expect(mixing).toBeGreaterThan(landProgress);
    expect(clock.isGliding(GLIDE_MS)).toBe(true);
    expect(clock.isGliding(GLIDE_MS + 100)).toBe(false);
  });

  it("ends all movement at once on request, and with reduced motion", () => {
    const clock = new SceneClock(false);
    clock.startLamps(0, true);
    expect(clock.isGliding(0)).toBe(false);
    clock.startLamps(0, false);
    clock.reducedMotion = true;
    expect(clock.isGliding(1)).toBe(false);
  });

  it("lights a beat, lets it fade, and holds it if asked to", () => {
    const clock = new SceneClock(false);
    clock.startBeat(beat, 1_000);
    expect(clock.instantAt(1_070).glow).toBe(1);
    expect(clock.isFading(1_100)).toBe(true);
    expect(clock.instantAt(1_500).glow).toBe(AFTERGLOW);
    expect(clock.isFading(1_600)).toBe(false);
    clock.held = 0.6;
    expect(clock.instantAt(1_500).glow).toBe(0.6);
    clock.reducedMotion = true;
    clock.startBeat(beat, 2_000);
    expect(clock.instantAt(2_100).glow).toBeLessThan(1);
    clock.startBeat({ ...beat, atOnce: true }, 2_000);
    expect(clock.instantAt(2_000).glow).toBe(1);
    clock.startBeat(null, 2_100);
    expect(clock.instantAt(2_100).glow).toBe(0);
    expect(clock.isFading(2_100)).toBe(false);
  });

  it("is reset with the map", () => {
    const clock = new SceneClock(false);
    clock.startLamps(0, false);
    clock.startBeat(beat, 0);
    clock.reset();
    expect(clock.instantAt(1)).toEqual({ mixing: 1, landProgress: 1, glow: 0 });
  });
});
