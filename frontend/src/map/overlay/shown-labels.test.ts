import { describe, expect, it } from "vitest";
import type { LabelCandidate } from "./label-placement";
import { ShownLabels, type ShownLabel } from "./overlay";

const WITHIN = { left: 0, top: 0, right: 1_000, bottom: 600 };
/** Milliseconds between two frames. */
const FRAME = 16;

const label = (key: string, x = 0, y = 0): LabelCandidate => {
  return { key, text: key, x, y, width: 60, height: 16 };
};
const still = ({ x, y }: LabelCandidate) => [x, y] as const;

/** Return by how many pixels the texts of two labels overlap, in either direction. */
function overlap(a: ShownLabel<LabelCandidate>, b: ShownLabel<LabelCandidate>): number {
  const text = ({ candidate: { x, y, width, height }, dx, dy }: typeof a) => {
    const [left, top] = [x + dx, y + dy - height / 2];
    return { left, top, right: left + width, bottom: top + height };
  };
  const [p, q] = [text(a), text(b)];
  return Math.min(
    Math.min(p.right, q.right) - Math.max(p.left, q.left),
    Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top),
  );
}

function worstOverlap(labels: ShownLabel<LabelCandidate>[]): number {
  return Math.max(
    -Infinity,
    ...labels.flatMap((a, i) => labels.slice(i + 1).map((b) => overlap(a, b))),
  );
}

const keysOf = (labels: ShownLabel<LabelCandidate>[]) =>
  labels.map(({ candidate }) => candidate.key);

/** Return a generator of numbers from 0 to 1, the same for each seed. */
function numbers(seed: number): () => number {
  return () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
}

describe("the labels of a map that moves", () => {
  it("never overlap, in any frame of a series of glides and beats", () => {
    const next = numbers(7);
    const COUNT = 90;
    // Each layout is far from the previous one, as in the first steps of a run.
    const layouts = Array.from({ length: 12 }, () =>
      Array.from({ length: COUNT }, () => [1_000 * next(), 600 * next()] as const),
    );
    const labels = new ShownLabels();
    let [frames, most] = [0, 0];
    for (let to = 1; to < layouts.length; to++) {
      // Some labels persist across layouts, such as districts; the others belong to one beat.
      const beat = Array.from({ length: 30 }, () => label(`${30 + Math.floor(60 * next())}`));
      const all = [...Array.from({ length: 30 }, (_, i) => label(`${i}`)), ...beat];
      labels.choose([...new Map(all.map((one) => [one.key, one])).values()], 40);
      for (let time = 0; time <= 600; time += FRAME) {
        const at = time / 600;
        const mix = (key: number) => {
          const [[x, y], [nextX, nextY]] = [layouts[to - 1]![key]!, layouts[to]![key]!];
          return [x + (nextX - x) * at, y + (nextY - y) * at] as const;
        };
        labels.advance(({ key }) => mix(Number(key)), WITHIN, FRAME);
        expect(worstOverlap(labels.drawn)).toBeLessThanOrEqual(0);
        frames += 1;
        most = Math.max(most, labels.drawn.length);
      }
    }
    expect(frames).toBeGreaterThan(300);
    expect(most).toBeGreaterThan(15);
  });

  it("stay with their subject", () => {
    const labels = new ShownLabels();
    labels.choose([label("a")], 9);
    labels.advance(() => [100, 100], WITHIN, Infinity);
    const [before] = labels.drawn;
    labels.advance(() => [150, 130], WITHIN, FRAME);
    const [after] = labels.drawn;
    expect([after!.candidate.x, after!.candidate.y]).toEqual([150, 130]);
    expect([after!.dx, after!.dy]).toEqual([before!.dx, before!.dy]);
  });

  it("keep their side until they would touch another, and do not flicker", () => {
    const labels = new ShownLabels();
    labels.choose([label("a"), label("b")], 9);
    const seen: string[] = [];
    for (let time = 0; time <= 400; time += FRAME) {
      // They come as close together as allowed, trembling.
      const gap = 64 + Math.max(0, 40 - time / 4) + (time % 32 ? 0.6 : -0.6);
      labels.advance(({ key }) => (key === "a" ? [400, 300] : [400 + gap, 300]), WITHIN, FRAME);
      seen.push(labels.drawn.map(({ candidate, dx }) => `${candidate.key}${dx}`).join());
    }
    expect(new Set(seen).size).toBe(1);
  });

  it("fade, and take a place only once the previous label has faded", () => {
    const labels = new ShownLabels();
    const narrow = { left: 490, top: 285, right: 578, bottom: 313 };
    labels.choose([label("old", 500, 300)], 1);
    labels.advance(still, narrow, Infinity);
    labels.choose([label("new", 500, 300)], 1);
    expect(labels.advance(still, narrow, FRAME)).toBe(true);
    expect(keysOf(labels.drawn)).toEqual(["old"]);
    expect(keysOf(labels.wanted)).toEqual(["new"]);
    let fading = true;
    for (let frame = 0; fading && frame < 40; frame++)
      fading = labels.advance(still, narrow, FRAME);
    expect(labels.drawn).toMatchObject([{ candidate: { key: "new" }, alpha: 1 }]);
    // Without fading, at once.
    labels.choose([label("last", 500, 300)], 1);
    labels.advance(still, narrow, Infinity);
    expect(labels.drawn).toMatchObject([{ candidate: { key: "last" }, alpha: 1 }]);
  });

  it("fade from the frame in which they change, however long ago the last one was", () => {
    const labels = new ShownLabels();
    labels.choose([label("a", 500, 300)], 1);
    expect(labels.advance(still, WITHIN, 60_000)).toBe(true);
    expect(labels.drawn[0]!.alpha).toBeLessThan(0.5);
  });

  it("disappear at once with their subject", () => {
    const labels = new ShownLabels();
    labels.choose([label("a", 500, 300)], 1);
    labels.advance(still, WITHIN, Infinity);
    labels.advance(() => null, WITHIN, FRAME);
    expect(labels.drawn).toEqual([]);
  });
});
