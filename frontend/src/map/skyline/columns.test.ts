import { describe, expect, it } from "vitest";
import { buildVocabulary } from "../../api/vocabulary";
import type { Layout } from "../../api/frames";
import {
  columnsOf,
  highestApart,
  HOME_CAMERA,
  homeCamera,
  orbitCamera,
  panCamera,
  ticksUpTo,
} from "./columns";
import { skylineFigure } from "./plotly-figure";

const TOKENS = ["<b>a</b>", "b", "c", "d"];
const vocabulary = buildVocabulary(
  "run",
  TOKENS.map((token, token_id) => ({ token_id, token, count: 9 - token_id, class: null })),
  [],
);
const layout = {
  vocabulary: 4,
  x0: 0,
  x1: 4,
  y0: 0,
  y1: 2,
  places: Uint16Array.of(0, 0, 65_535, 0, 0, 65_535, 65_535, 65_535),
} as Layout;
const heights = Float32Array.of(99, 9, NaN, 0);
const skyline = {
  vocabulary,
  layout,
  heights,
  tints: new Uint8Array(16).fill(200),
  logarithmic: true,
  axis: "times lit (batches)",
};

const type = (size: number) => ({ family: "serif", size });

describe("skyline", () => {
  it("has a column for the most frequent, and for what is looked at", () => {
    expect(columnsOf(vocabulary.byCount, heights, [], 2)).toEqual({
      withHeight: [0, 1],
      withoutHeight: [],
    });
    expect(columnsOf(vocabulary.byCount, heights, [2, 77], 2)).toEqual({
      withHeight: [0, 1],
      withoutHeight: [2],
    });
  });

  it("knows which token each column, point and ring is", () => {
    const {
      traces,
      tokens,
      layout: figure,
    } = skylineFigure(skyline, { chosen: 1, ringed: [3] }, HOME_CAMERA, type);
    expect(traces[1]).toMatchObject({ x: [0, 0, null, 4, 4, null, 4, 4, null] });
    expect((traces[1] as { z: number[] }).z[1]).toBeCloseTo(2);
    expect(tokens.get(1)).toEqual([0, 0, 0, 1, 1, 1, 3, 3, 3]);
    expect([2, 3, 4, 5].map((trace) => tokens.get(trace))).toEqual([[0, 1, 3], [2], [3], [1]]);
    const scene = figure["scene"] as {
      annotations: { text: string }[];
      zaxis: { title: { text: string }; ticktext: string[] };
    };
    expect(scene.zaxis.title.text).toBe("times lit (batches)");
    expect(scene.zaxis.ticktext).toEqual(["0", "1", "10"]);
    // Hostile text is shown letter by letter.
    expect(scene.annotations.map(({ text }) => text)).toContain("&lt;b&gt;a&lt;/b&gt;");
  });

  it("names the highest that have room for it, and none that is flat", () => {
    const xy = Float32Array.of(0, 0, 0.1, 0, 5, 5, 9, 9);
    const high = Float32Array.of(5, 4, 3, 0);
    expect(highestApart([0, 1, 2, 3], high, xy)).toEqual([0, 2]);
    expect(highestApart([0, 1, 2, 3], high, xy, [], 1)).toEqual([0]);
    expect(highestApart([0, 1, 2, 3], high, xy, [0])).toEqual([2]);
  });

  it("has round numbers on its axis", () => {
    expect(ticksUpTo(0)).toEqual([0]);
    expect(ticksUpTo(450)).toEqual([0, 1, 10, 100]);
  });

  it("is turned and tilted about the city, never under the ground or through the top", () => {
    const far = (camera: typeof HOME_CAMERA) =>
      Math.hypot(
        camera.eye.x - camera.center.x,
        camera.eye.y - camera.center.y,
        camera.eye.z - camera.center.z,
      );
    let camera = orbitCamera(HOME_CAMERA, 90, 0);
    expect(far(camera)).toBeCloseTo(far(HOME_CAMERA), 6);
    for (let i = 0; i < 3; i++) camera = orbitCamera(camera, 90, 0);
    expect(camera.eye.x).toBeCloseTo(HOME_CAMERA.eye.x, 6);
    for (const tilt of [500, -500]) {
      const { eye, center } = orbitCamera(HOME_CAMERA, 0, tilt);
      expect(eye.z).toBeGreaterThan(center.z);
      expect(Math.hypot(eye.x - center.x, eye.y - center.y)).toBeGreaterThan(0.01);
    }
    expect(far(orbitCamera(HOME_CAMERA, 0, 0, 0.5))).toBeCloseTo(far(HOME_CAMERA) / 2, 6);
    expect(far(homeCamera(1_280, 540))).toBeCloseTo(far(HOME_CAMERA), 6);
    expect(far(homeCamera(390, 500))).toBeGreaterThan(1.5 * far(HOME_CAMERA));
  });
});

describe("a shifted camera", () => {
  it("looks the same way from as far, and sees a point to the right of the middle there", () => {
    const before = orbitCamera(HOME_CAMERA, 30, 10);
    const after = panCamera(before, 0.5, 0.25);
    const way = ({ eye, center }: typeof before) =>
      [center.x - eye.x, center.y - eye.y, center.z - eye.z] as const;
    way(after).forEach((part, i) => expect(part).toBeCloseTo(way(before)[i]!));
    // It moves at a right angle to the direction of sight, and half to the right as much as a quarter up.
    const [dx, dy, dz] = way(before);
    const went = [
      after.eye.x - before.eye.x,
      after.eye.y - before.eye.y,
      after.eye.z - before.eye.z,
    ];
    expect(went[0]! * dx + went[1]! * dy + went[2]! * dz).toBeCloseTo(0);
    const right = (went[0]! * dy - went[1]! * dx) / Math.hypot(dx, dy);
    expect(right / Math.hypot(...went)).toBeCloseTo(2 / Math.sqrt(5));
    expect(went[2]).toBeGreaterThan(0);
  });
});
