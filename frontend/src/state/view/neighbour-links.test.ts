import { describe, expect, it } from "vitest";
import type { Layout } from "../../api/frames";
import { buildLinks, nearestOnMap } from "./neighbour-links";

/** Return positions in 65,535ths of a box four times as wide as high. */
function layout(...places: number[]): Layout {
  return { places: Uint16Array.from(places), x0: 0, x1: 4, y0: 0, y1: 1 } as unknown as Layout;
}

describe("neighbours on the map", () => {
  it("are near in map units, not in stored coordinates", () => {
    // Token 1 is 100 to the right, token 2 is 300 above: but a unit to the right is four times as far.
    const map = layout(1_000, 1_000, 1_100, 1_000, 1_000, 1_300, 9_000, 9_000);
    expect(nearestOnMap(map, 0, 2)).toEqual([2, 1]);
    expect(nearestOnMap(map, 0, 9)).toEqual([2, 1, 3]);
    expect(nearestOnMap(map, 7, 2)).toEqual([]);
  });
});

describe("links", () => {
  const space = [
    { token_id: 1, cosine: 0.9 },
    { token_id: 2, cosine: 0.8 },
  ];
  const ends = (links: { id: number; kind: string }[]) =>
    links.map(({ id, kind }) => `${id} ${kind}`);

  it("tell whether a neighbour is near in the space, on the map, or both", () => {
    expect(ends(buildLinks("both", space, [2, 5]))).toEqual(["1 space", "2 both", "5 map"]);
    expect(ends(buildLinks("space", space, [2, 5]))).toEqual(["1 space", "2 both"]);
    expect(ends(buildLinks("map", space, [2, 5]))).toEqual(["2 both", "5 map"]);
    expect(buildLinks("none", space, [2, 5])).toEqual([]);
    expect(buildLinks("map", [], [5])).toEqual([{ id: 5, cosine: null, kind: "map" }]);
  });
});
