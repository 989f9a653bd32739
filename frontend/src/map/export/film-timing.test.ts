import { expect, it } from "vitest";
import { FilmTiming } from "./film-timing";

it("shows the shots in order, and lights at most three a second", () => {
  for (const rate of [0.5, 1, 2, 3, 6, 12]) {
    const timing = new FilmTiming(30, rate);
    const seen = new Set<number>();
    const lit: number[] = [];
    for (let frame = 0; frame < timing.seconds * 24; frame++) {
      const { frame: shownFrame, beat, age, mixing } = timing.instantAt(frame / 24);
      seen.add(shownFrame);
      if (lit.at(-1) !== beat) lit.push(beat);
      expect(age).toBeGreaterThanOrEqual(-1e-9);
      expect(beat).toBeLessThanOrEqual(shownFrame);
      expect(mixing).toBeLessThanOrEqual(1);
    }
    expect([...seen]).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(timing.beatDuration).toBeGreaterThanOrEqual(1 / 3);
    for (let i = 1; i < lit.length; i++) {
      expect((lit[i]! - lit[i - 1]!) / rate).toBeGreaterThanOrEqual(1 / 3 - 1e-9);
    }
    if (rate <= 2) expect(lit).toHaveLength(30);
  }
});
