/**
 * What the colour of each lamp says: every token stands in one entry of a legend, a kind of token or a band of a
 * quantity. What is not known of a token is an entry of its own, never a zero. Pure.
 */

import type { Districts } from "../wire/frames";
import type { Vocabulary } from "../wire/vocabulary";
import type { ColourBy } from "./address";

/** What an entry is coloured with: a kind's own tint, a part of the ramp (0 to 1), or one of two neutrals. */
export type Shade = { kind: number } | { part: number } | "plain" | "unknown";

export interface Entry {
  key: string;
  shade: Shade;
  /** A kind's name, with text of the run in it. Hostile: show with `shownLine`. */
  name: string | null;
  /** A band's ends; null where it is open, and for what is no band. */
  from: number | null;
  to: number | null;
  /** What is no kind and no band: in none, at rest (never lit, did not move), or not known. */
  other: "none" | "rest" | "unknown" | null;
  count: number;
}

export interface Shades {
  by: ColourBy;
  entries: Entry[];
  /** By token id: its entry's place. */
  of: Uint16Array;
  /** By token id, of a quantity; NaN where not known. */
  values: Float32Array | null;
  /** Least and greatest of what is known. */
  least: number;
  greatest: number;
}

/** Tokens of one entry that are ringed at most: more would hide the city. */
export const RINGED = 3_000;

/** Bands of a quantity. */
export const BANDS = 6;
/** Steps since lit: a band a power of ten, so that a lamp's colour changes by its own age alone. */
const AGES = [1, 10, 100, 1_000, 10_000];
/** Trust: the first band is what is called doubtful. */
const TRUSTS = [0.25, 0.4, 0.55, 0.7, 0.85];
/** Edges in a decade; the fewer, the further they reach. */
const SERIES = [[1, 2, 5], [1, 3], [1]];

/** Kinds of token: `place` of each is its kind plus one, 0 for none. `tints` by kind. */
export function shadesOfKinds(
  by: ColourBy,
  names: string[],
  tints: number[],
  placeOf: (id: number) => number,
  count: number,
): Shades {
  const entries = names.map((name, at) => entry(`k${at}`, { kind: tints[at]! }, { name }));
  entries.push(entry("none", "plain", { other: "none" }));
  const of = new Uint16Array(count);
  for (let id = 0; id < count; id++) {
    const place = placeOf(id);
    of[id] = place > 0 && place <= names.length ? place - 1 : names.length;
  }
  return counted({ by, entries, of, values: null, least: NaN, greatest: NaN });
}

/**
 * A quantity in bands between `edges` (ascending; a band holds its lower edge). NaN is not known; a value for
 * which `resting` holds has come from nowhere on the scale. `warmLow`: the low end is the bright one.
 */
export function shadesOfValues(
  by: ColourBy,
  values: Float32Array,
  edges: number[],
  { resting = -1, warmLow = false }: { resting?: number; warmLow?: boolean } = {},
): Shades {
  const bands = edges.length + 1;
  const of = new Uint16Array(values.length);
  let least = Infinity;
  let greatest = -Infinity;
  for (let id = 0; id < values.length; id++) {
    const value = values[id]!;
    if (Number.isNaN(value)) of[id] = bands + 1;
    else if (value === resting) of[id] = bands;
    else {
      let band = 0;
      while (band < edges.length && value >= edges[band]!) band += 1;
      of[id] = band;
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
  return counted({
    by,
    entries,
    of,
    values,
    least: none ? NaN : least,
    greatest: none ? NaN : greatest,
  });
}

/** By class. */
export function shadesOfClasses({ tokens, classes, classOf }: Vocabulary): Shades {
  const tints = classes.map((_, place) => place);
  return shadesOfKinds("class", classes, tints, (id) => classOf[id]! + 1, tokens.length);
}

/** By district; a tint for each of them. */
export function shadesOfDistricts(
  { names, of, vocabulary }: Pick<Districts, "names" | "of" | "vocabulary">,
  tints: number[],
): Shades {
  return shadesOfKinds("district", names, tints, (id) => of[id] ?? 0, vocabulary);
}

/** By a quantity, each in its own manner; `edges`: of a scale that is settled. */
export function shadesOfQuantity(
  by: ColourBy,
  values: Float32Array,
  edges = by === "since" ? AGES : by === "trust" ? TRUSTS : edgesOf(values),
): Shades {
  // Never lit is -1; elsewhere nothing is 0, but of trust that too is a number on its scale.
  const resting = by === "since" || by === "trust" ? -1 : 0;
  return shadesOfValues(by, values, edges, { resting, warmLow: by === "since" });
}

/**
 * Round numbers that cut a quantity into `BANDS` bands, the topmost with its greatest value in it: as close together
 * as the spread of the values allows, so that they stay where they are while the values change a little.
 */
export function edgesOf(values: Float32Array): number[] {
  const some = values.filter((value) => value > 0 && Number.isFinite(value)).sort();
  if (!some.length) return [];
  const [low, high] = [some[Math.floor(0.05 * (some.length - 1))]!, some[some.length - 1]!];
  for (const series of SERIES) {
    const edges = below(high, series);
    if (edges[0]! <= low * 10 ** (1 / series.length) || series.length === 1) return edges;
  }
  return [];
}

/** Steps since each token was lit; -1 where it never was, NaN where that is not known. */
export function agesOf(lastLit: Uint32Array, never: number, step: number): Float32Array {
  return Float32Array.from(lastLit, (last) => (last === never ? -1 : Math.max(0, step - last)));
}

export const ageEdges = AGES;

/** The ids in one entry; of very many the lowest. */
export function idsIn(shades: Shades | null, key: string | null): number[] {
  const place = shades?.entries.findIndex((one) => one.key === key) ?? -1;
  const ids: number[] = [];
  if (!shades || place < 0) return ids;
  for (let id = 0; id < shades.of.length && ids.length < RINGED; id++) {
    if (shades.of[id] === place) ids.push(id);
  }
  return ids;
}

/** The name of the kind a token is of; null for one of none. */
export function nameIn(shades: Shades, id: number): string | null {
  return shades.entries[shades.of[id]!]?.name ?? null;
}

/** The `BANDS - 1` greatest numbers of a series that are not above `high`, ascending. */
function below(high: number, series: number[]): number[] {
  const edges: number[] = [];
  for (let decade = Math.floor(Math.log10(high)) + 1; edges.length < BANDS - 1; decade--) {
    for (const digit of series.toReversed()) {
      const edge = Number(`${digit}e${decade}`);
      if (edge <= high && edges.length < BANDS - 1) edges.unshift(edge);
    }
  }
  return edges;
}

function entry(key: string, shade: Shade, more: Partial<Entry>): Entry {
  return { key, shade, name: null, from: null, to: null, other: null, count: 0, ...more };
}

function counted(shades: Shades): Shades {
  for (const place of shades.of) shades.entries[place]!.count += 1;
  return shades;
}
