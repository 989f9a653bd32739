import { describe, expect, it, vi } from "vitest";
import { buildVocabulary } from "../../api/vocabulary";
import type { Layout } from "../../api/frames";
import { columnsOf, highestApart, ticksUpTo } from "./columns";
import { HOME_CAMERA } from "./orbit-camera";
import { skylineFigure } from "./plotly-figure";

// Ticks are written in the language of the page.
vi.stubGlobal("document", { documentElement: { lang: "en" } });

const TOKENS = ["<b>a</b>", "b", "c", "d"];
const vocabulary = buildVocabulary(
  "run",
  TOKENS.map((token, token_id) => ({
    token_id,
    token,
    text: token,
    count: 9 - token_id,
    class: null,
  })),
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
});
