import { expect, it } from "vitest";
import type { Vocabulary } from "../api/vocabulary";
import { districtTints } from "./district-tints";
import { classTint, tintOf } from "./palette";

it("a district in a list has the colour of most of its words, or its own where the map has that", () => {
  // Three classes of two families.
  const vocabulary = {
    classOf: Int16Array.of(0, 1, 2, -1, 2, 0),
    familyOfClass: Int16Array.of(3, 3, 4),
  } as unknown as Vocabulary;
  const districts = { ids: Uint32Array.of(7, 12), of: Uint16Array.of(1, 1, 1, 0, 2, 2) };
  const tints = districtTints(districts, vocabulary, "family");
  expect(tints[0]).toBe(classTint(vocabulary, 0));
  expect(tints[0]).toBe(classTint(vocabulary, 1));
  expect([classTint(vocabulary, 0), classTint(vocabulary, 2)]).toContain(tints[1]);
  const owners: [number, number][] = [
    [0, 1],
    [1, 5],
  ];
  expect(districtTints(districts, vocabulary, "owner", owners)).toEqual([tintOf(1), tintOf(1)]);
  expect(districtTints(districts, vocabulary, "owner")).toEqual(
    districtTints(districts, vocabulary, "family"),
  );
  expect(districtTints(districts, vocabulary, "district")).toEqual([tintOf(7), tintOf(12)]);
});
