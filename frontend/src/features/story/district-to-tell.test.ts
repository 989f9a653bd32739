import { describe, expect, it } from "vitest";
import type { Districts, Layout } from "../../api/frames";
import { districtToTell, placeOfDistrict } from "./district-to-tell";

/** Make a map of words at these heights and in these districts by number, and the districts with these names. */
function mapOf(words: [height: number, district: number][], names: string[]) {
  const places = Uint16Array.from(words.flatMap(([height]) => [0, height * 65_535]));
  const layout = { x0: 0, x1: 1, y0: 0, y1: 1, places } as unknown as Layout;
  const of = Uint16Array.from(words, ([, district]) => district);
  const ids = Uint32Array.from(names, (_, i) => 10 + i);
  return [{ ids, names, of } as unknown as Districts, layout] as const;
}

const KINDS = ["rivers", "numbers", "trees"];

describe("the district to point out", () => {
  it("is null without districts", () => {
    expect(districtToTell(null, null, KINDS)).toBeNull();
    expect(districtToTell(...mapOf([[0.5, 0]], []), KINDS)).toBeNull();
    // One that has lost all of its words.
    expect(districtToTell(...mapOf([[0.5, 0]], ["rivers"]), KINDS)).toBeNull();
  });

  it("is large, then clear of a card, then named after its kind, then the largest", () => {
    const words: [number, number][] = [
      [0.1, 1],
      [0.2, 1],
      [0.9, 2],
      [0.8, 2],
      [0.9, 3],
      // Too small, despite its good name.
      [0.9, 4],
    ];
    words.push(...words.filter(([, district]) => district < 4));
    const [districts, layout] = mapOf(words, ["rivers", "tom · anna", "car · bus", "trees"]);
    const tom = { id: 11, name: "tom · anna" };
    expect(districtToTell(districts, layout, KINDS)).toEqual({
      ...tom,
      ...{ telling: false, planted: false },
    });
    // In a text without kinds no better name will come.
    expect(districtToTell(districts, layout, [])).toEqual({
      ...tom,
      ...{ telling: true, planted: false },
    });
    expect(districtToTell(...mapOf(words, ["rivers", "tom · anna", "numbers"]), KINDS)).toEqual({
      id: 12,
      name: "numbers",
      telling: true,
      planted: true,
    });
  });

  it("has lasted", () => {
    const words: [number, number][] = [
      [0.9, 1],
      [0.9, 1],
      [0.9, 1],
      [0.9, 1],
      [0.9, 2],
    ];
    const [districts, layout] = mapOf(words, ["rivers", "trees"]);
    // Lasting does not make up for a small size.
    expect(districtToTell(districts, layout, KINDS, (id) => id === 11)).toBeNull();
    expect(districtToTell(districts, layout, KINDS, (id) => id === 10)?.name).toBe("rivers");
  });

  it("is viewed from near, a little above the middle, and only while it is on the map", () => {
    const [districts, layout] = mapOf(
      [
        [0.6, 1],
        [0.6, 1],
        [0.1, 1],
        [0.9, 0],
      ],
      ["rivers"],
    );
    const rivers = { id: 10, name: "rivers", telling: true, planted: true };
    const place = placeOfDistrict(rivers, districts, layout)!;
    expect(place.y).toBeCloseTo(0.53, 2);
    expect(place.zoom).toBeGreaterThan(1);
    expect(placeOfDistrict({ ...rivers, id: 4 }, districts, layout)).toBeNull();
    expect(placeOfDistrict(rivers, null, layout)).toBeNull();
  });
});
