import { describe, expect, it } from "vitest";
import { placeRowLabels } from "./row-labels";

const groups = [
  { name: "wide", first: 0, last: 500 },
  { name: "slim", first: 500, last: 510 },
  { name: "rest", first: 510, last: 1_000 },
];
const row = (at: number) => `row ${at}`;

describe("placeRowLabels", () => {
  it("omits a name that would overlap that of a larger group", () => {
    const names = placeRowLabels(groups, [0, 1_000], 200, 14, row);
    expect(names).toEqual([
      { name: "wide", at: 50 },
      { name: "slim", at: 101 },
      { name: "rest", at: 151 },
    ]);
    expect(placeRowLabels(groups, [0, 1_000], 50, 14, row).map(({ name }) => name)).toEqual([
      "wide",
      "rest",
    ]);
  });

  it("names groups in view, within the view", () => {
    expect(placeRowLabels(groups, [400, 500], 200, 14, row)).toEqual([{ name: "wide", at: 100 }]);
    expect(placeRowLabels([], [0, 1_000], 200, 14, row)).toEqual([]);
  });

  it("names single rows if there is room for them", () => {
    const names = placeRowLabels(groups, [498.5, 502.5], 80, 14, row);
    expect(names.map(({ name }) => name)).toEqual(["row 499", "row 500", "row 501"]);
    expect(names[0]!.at).toBeCloseTo(20);
  });
});
