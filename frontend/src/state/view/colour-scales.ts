/**
 * The colour scales of the lamps. Every token belongs to one legend entry: a kind of token, or a band of a
 * quantity. Unknown values have a separate entry, and never count as zero. Pure.
 */

import type { Districts } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import type { LegendEntry, EntryColour, ColourScale } from "../../model/colour-scale";
import { clockSize } from "../../model/clock";
import { ownerOf } from "../../model/districts/counting";
import type { ColourBy } from "../../model/view/view-options";

/** Limit on the ringed tokens of an entry: more would hide the map. */
export const MAX_RINGED = 3_000;

/** Number of bands of a quantity. */
export const BANDS = 6;
/**
 * Edges in steps since lit. A band is a power of ten, so that a lamp's colour changes only with its own age.
 */
export const AGE_EDGES = [1, 10, 100, 1_000, 10_000];
/** Fixed edges, by quantity. The first band of trust is the doubtful one. */
const EDGES: Partial<Record<ColourBy, number[]>> = {
  since: AGE_EDGES,
  trust: [0.25, 0.4, 0.55, 0.7, 0.85],
  neighbours: [2, 4, 6, 8, 10],
};
/** Digits of the edges in a decade; fewer digits cover more decades. */
const EDGE_DIGITS = [[1, 2, 5], [1, 3], [1]];

/** Build a scale of token kinds. `kindOf` returns a token's kind plus one, 0 for none; `tints` is by kind. */
export function kindScale(
  by: ColourBy,
  names: string[],
  tints: number[],
  kindOf: (id: number) => number,
  count: number,
): ColourScale {
  const entries = names.map((name, at) => entry(`k${at}`, { kind: tints[at]! }, { name }));
  entries.push(entry("none", "plain", { other: "none" }));
  const entryOf = new Uint16Array(count);
  for (let id = 0; id < count; id++) {
    const kind = kindOf(id);
    entryOf[id] = kind > 0 && kind <= names.length ? kind - 1 : names.length;
  }
  const ends = { least: NaN, greatest: NaN };
  return countEntries({ by, entries, entryOf, values: null, ...ends, finer: null });
}

/**
 * Build a scale of bands between `edges` (ascending; a band includes its lower edge).
 *
 * NaN is unknown; a value equal to `resting` is off the scale, in a separate entry. `warmLow`: the low end is
 * the bright one.
 */
export function valueScale(
  by: ColourBy,
  values: Float32Array,
  edges: number[],
  { resting = -1, warmLow = false }: { resting?: number; warmLow?: boolean } = {},
): ColourScale {
  const bands = edges.length + 1;
  const entryOf = new Uint16Array(values.length);
  let least = Infinity;
  let greatest = -Infinity;
  for (let id = 0; id < values.length; id++) {
    const value = values[id]!;
    if (Number.isNaN(value)) entryOf[id] = bands + 1;
    else if (value === resting) entryOf[id] = bands;
    else {
      let band = 0;
      while (band < edges.length && value >= edges[band]!) band += 1;
      entryOf[id] = band;
      if (value < least) least = value;
      if (value > greatest) greatest = value;
    }
  }
  const entries = Array.from({ length: bands }, (_, band) => {
    const part = band / Math.max(1, bands - 1);
    const ends = { from: edges[band - 1] ?? null, to: edges[band] ?? null };
    return entry(`b${band}`, { part: warmLow ? 1 - part : part }, ends);
  });
  entries.push(entry("rest", "plain", { other: "rest" }));
  entries.push(entry("unknown", "unknown", { other: "unknown" }));
  const none = least > greatest;
  return countEntries({
    by,
    entries,
    entryOf,
    values,
    least: none ? NaN : least,
    greatest: none ? NaN : greatest,
    finer: null,
  });
}

/**
 * Return the requested colouring, or a replacement if the run lacks its data; any until the tokens are known.
 */
export function availableColour(requested: ColourBy, vocabulary: Vocabulary | null): ColourBy {
  if (!vocabulary) return requested;
  const by = requested === "family" && !vocabulary.families.length ? "class" : requested;
  if (clockSize(vocabulary)) return by === "class" ? "phase" : by;
  return by === "phase" || (by === "class" && !vocabulary.classes.length) ? "district" : by;
}

/** Build the scale of a colouring by kinds of token; null for another colouring. */
export function scaleOfKinds(
  by: ColourBy,
  vocabulary: Vocabulary,
  districts: Districts | null,
): ColourScale | null {
  if (by === "family") return familyScale(vocabulary);
  if (by === "class") return classScale(vocabulary);
  return by === "district" ? districtScale(districts, vocabulary.tokens.length) : null;
}

function classScale({ tokens, classes, classOf }: Vocabulary): ColourScale {
  const tints = classes.map((_, place) => place);
  return kindScale("class", classes, tints, (id) => classOf[id]! + 1, tokens.length);
}

/** Build the scale of the families, with their classes one level deeper, in the same tints. */
function familyScale(vocabulary: Vocabulary): ColourScale {
  const { tokens, classOf, families, familyOfClass } = vocabulary;
  const tints = families.map((_, place) => place);
  const familyOf = (id: number) => (familyOfClass[classOf[id]!] ?? -1) + 1;
  const finer = classScale(vocabulary);
  const entries = finer.entries.map((one, place): LegendEntry => {
    const family = familyOfClass[place] ?? -1;
    return { ...one, key: `c${place}`, colour: { kind: family }, within: `k${family}` };
  });
  const scale = kindScale("family", families, tints, familyOf, tokens.length);
  return { ...scale, finer: { ...finer, entries } };
}

/** Build the scale of the districts. A district keeps its tint for its lifetime. */
function districtScale(districts: Districts | null, count: number): ColourScale {
  const { names, ids, of } = districts ?? { names: [], ids: [], of: [] };
  return kindScale("district", names, [...ids], (id) => of[id] ?? 0, count);
}

/** Build the scale of the processes that own the rows: the first row and the number of rows of each. */
export function ownerScale(owners: [number, number][], count: number): ColourScale {
  return kindScale(
    "owner",
    owners.map((_, process) => String(process)),
    owners.map((_, process) => process),
    (id) => ownerOf(owners, id) + 1,
    count,
  );
}

/** Build the scale of a quantity. `edges`: those of the quantity, unless given. */
export function quantityScale(
  by: ColourBy,
  values: Float32Array,
  edges = EDGES[by] ?? roundEdges(values),
): ColourScale {
  // -1 marks a token never lit, and 0 a row without a gradient or a move; but a trust of 0 is on the scale.
  const resting = by === "since" || by === "trust" ? -1 : 0;
  return valueScale(by, values, edges, { resting, warmLow: by === "since" });
}

/**
 * Return round numbers that divide a quantity into `BANDS` bands, with the greatest value in the top one.
 * They are as close together as the spread of the values allows, and stay put when the values change
 * slightly.
 */
export function roundEdges(values: Float32Array): number[] {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value)).sort();
  if (!positive.length) return [];
  const [low, high] = [
    positive[Math.floor(0.05 * (positive.length - 1))]!,
    positive[positive.length - 1]!,
  ];
  for (const series of EDGE_DIGITS) {
    const edges = greatestBelow(high, series);
    if (edges[0]! <= low * 10 ** (1 / series.length) || series.length === 1) return edges;
  }
  return [];
}

/** Return the steps since each token was lit; -1 if never. */
export function stepsSinceLit(lastLit: Uint32Array, never: number, step: number): Float32Array {
  return Float32Array.from(lastLit, (last) => (last === never ? -1 : Math.max(0, step - last)));
}

/** Return the ids in one entry; of very many, only the lowest `MAX_RINGED`. */
export function idsInEntry(scale: ColourScale | null, key: string | null): number[] {
  const entry = scale?.entries.findIndex((one) => one.key === key) ?? -1;
  const ids: number[] = [];
  if (!scale) return ids;
  if (entry < 0) return idsInEntry(scale.finer, key);
  for (let id = 0; id < scale.entryOf.length && ids.length < MAX_RINGED; id++) {
    if (scale.entryOf[id] === entry) ids.push(id);
  }
  return ids;
}

/** Return the name of a token's kind; null if it has none. */
export function kindNameOf(scale: ColourScale, id: number): string | null {
  return scale.entries[scale.entryOf[id]!]?.name ?? null;
}

/** Return the `BANDS - 1` greatest numbers with these digits that are at most `high`, ascending. */
function greatestBelow(high: number, series: number[]): number[] {
  const edges: number[] = [];
  for (let decade = Math.floor(Math.log10(high)) + 1; edges.length < BANDS - 1; decade--) {
    for (const digit of series.toReversed()) {
      const edge = Number(`${digit}e${decade}`);
      if (edge <= high && edges.length < BANDS - 1) edges.unshift(edge);
    }
  }
  return edges;
}

function entry(key: string, colour: EntryColour, more: Partial<LegendEntry>): LegendEntry {
  const none = { name: null, from: null, to: null, other: null, count: 0, within: null };
  return { key, colour, ...none, ...more };
}

function countEntries(scale: ColourScale): ColourScale {
  for (const entry of scale.entryOf) scale.entries[entry]!.count += 1;
  return scale;
}
