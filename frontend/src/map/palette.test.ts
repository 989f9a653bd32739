import { describe, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import { THEMES } from "../model/theme";
import {
  entryColour,
  frequencyRanks,
  lampColours,
  nameColour,
  PALETTES,
  unit,
  classTint,
  tintOf,
} from "./palette";
import { lampGrowth } from "./webgl/glow-falloff";
import type { Vocabulary } from "../api/vocabulary";
import { districtTints } from "./district-tints";

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

it("grows lamps with the square root of the zoom, never below their design and up to a limit", () => {
  expect([0.5, 1, 4, 9].map(lampGrowth)).toEqual([1, 1, 2, 3]);
  expect(lampGrowth(10_000)).toBe(lampGrowth(100));
});

type Triple = [number, number, number];

/**
 * Colours as people see them, in linear light: with all cones, and without one kind (Machado 2009, severity
 * 1).
 */
const VISION: Record<string, Triple[]> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

function linear(hex: string): Triple {
  return unit(hex).map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  ) as Triple;
}

function times(matrix: Triple[], [r, g, b]: Triple): Triple {
  return matrix.map(([x, y, z]) => x * r + y * g + z * b) as Triple;
}

/** Return the position of a colour in OKLab, in which distances are roughly perceptual. */
function perceived(light: Triple): Triple {
  const cones = times(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    light,
  );
  return times(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    cones.map(Math.cbrt) as Triple,
  );
}

/** Return the minimum distance between two of the tints under one kind of vision. */
function leastDistance(tints: readonly string[], seen: Triple[]): number {
  const places = tints.map((tint) =>
    perceived(times(seen, linear(tint)).map((part) => Math.min(1, Math.max(0, part))) as Triple),
  );
  return Math.min(
    ...places.flatMap((a, i) =>
      places.slice(i + 1).map((b) => Math.hypot(...a.map((part, axis) => part - b[axis]!))),
    ),
  );
}

function contrast(a: string, b: string): number {
  const [low, high] = [a, b]
    .map((hex) => {
      const [r, g, blue] = linear(hex);
      return 0.2126 * r + 0.7152 * g + 0.0722 * blue;
    })
    .sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

describe.each(THEMES)("the tints of the %s", (theme) => {
  const { ink, tints } = PALETTES[theme];

  it("are distinguishable with every kind of colour vision", () => {
    expect(tints).toHaveLength(8);
    expect(leastDistance(tints, VISION["normal"]!)).toBeGreaterThan(0.13);
    for (const [name, seen] of Object.entries(VISION))
      expect(leastDistance(tints, seen), name).toBeGreaterThan(0.09);
  });

  it("stand out from the water and from the land", () => {
    // WCAG 1.4.11 asks for 3.
    for (const tint of tints) {
      expect(contrast(tint, ink.night), tint).toBeGreaterThan(3);
      expect(contrast(tint, ink.land), tint).toBeGreaterThan(theme === "night" ? 4.5 : 3.4);
    }
  });
});

describe.each(THEMES)("text at %s", (theme) => {
  const { ink } = PALETTES[theme];

  it("is legible on the map", () => {
    for (const name of ["text", "quiet", "lamp", "lit", "doubt"] as const)
      for (const ground of [ink.night, ink.land])
        expect(contrast(ink[name], ground), name).toBeGreaterThan(4.5);
  });

  it("is legible on every panel", () => {
    const sheet = readFileSync(new URL("../app/page.css", import.meta.url), "utf8");
    const start = theme === "night" ? ":root {" : `:root[data-theme="${theme}"] {`;
    const block = sheet.slice(sheet.indexOf(start)).split("}")[0]!;
    const colours = Object.fromEntries(
      [...block.matchAll(/--([\w-]+): (#\w{6});/g)].map(([, name, hex]) => [name!, hex!]),
    );
    expect(colours).toMatchObject({ night: ink.night, land: ink.land, text: ink.text });
    const grounds = ["night", "panel", "raised", "well"];
    const inks = ["text", "quiet", "lamp", "ember", "link", "alert", "good", "fair", "bad"];
    for (const name of inks)
      for (const ground of grounds)
        expect(contrast(colours[name]!, colours[ground]!), `${name}, ${ground}`).toBeGreaterThan(
          4.5,
        );
    expect(contrast(colours["on-lamp"]!, colours["lamp"]!)).toBeGreaterThan(4.5);
  });
});

describe("the name of a small district", () => {
  it.each(THEMES)("is legible on the land of the %s in the colour of any lamp", (theme) => {
    const palette = PALETTES[theme];
    const ramp = Array.from({ length: 6 }, (_, i) => entryColour({ part: i / 5 }, palette));
    for (const colour of [...palette.tints, ...ramp, palette.plain, palette.unknown]) {
      const lamp = unit(colour).map((part) => 255 * part);
      const name = nameColour(Uint8Array.of(...lamp, 200), [0], palette)
        .match(/\d+/g)!
        .map(Number);
      const hex = `#${name.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
      expect(contrast(hex, palette.ink.land), colour).toBeGreaterThan(5.5);
    }
  });

  it("has the colour of most of its lamps", () => {
    const tints = Uint8Array.of(...[0, 0, 250, 9], ...[250, 0, 0, 9], ...[250, 0, 0, 99]);
    expect(nameColour(tints, [0, 1, 2])).toBe(nameColour(tints, [1]));
    expect(nameColour(tints, [0, 1, 2])).not.toBe(nameColour(tints, [0]));
  });
});

describe("the rank of a word", () => {
  it("is its frequency, and equal for all if that is not known", () => {
    const byCount = Uint32Array.of(1, 0);
    expect([...frequencyRanks({ byCount, counts: Float64Array.of(3, 9) })]).toEqual([0.5, 1]);
    expect([...frequencyRanks({ byCount, counts: Float64Array.of(NaN, NaN) })]).toEqual([0.5, 0.5]);
  });

  it("dims a token that the map only places", () => {
    const counts = Float64Array.of(NaN, NaN);
    const scale = { entries: [{ colour: "plain" as const }], entryOf: Uint16Array.of(0, 0) };
    const placed = [false, true];
    const tints = lampColours(scale, { byCount: Uint32Array.of(0, 1), counts, placed });
    expect(tints[7]! / tints[3]!).toBeCloseTo(0.6, 1);
  });
});
