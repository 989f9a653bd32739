/**
 * Colours of the map, one palette for each theme. The tints are distinguishable on the land with every kind of
 * colour vision, and never the only sign.
 */

import type { Vocabulary } from "../api/vocabulary";
import type { ColourScale, EntryColour, LegendEntry } from "../model/colour-scale";
import { countKinds } from "../model/districts/counting";
import { THEME, type Theme } from "../model/theme";

interface Palette {
  ink: Record<"night" | "land" | "contour" | "text" | "quiet" | "lamp" | "lit" | "doubt", string>;
  tints: readonly string[];
  /**
   * Sequential colours from low to high, each further from the land in lightness by about the same amount
   * (OKLab), so that the order shows without colour too.
   */
  ramp: readonly string[];
  /** Colours of a lamp whose quantity is known to be zero, and, fainter, of one whose quantity is not known. */
  plain: string;
  unknown: string;
  /** Colour of a lit lamp, beside its tint. */
  ember: string;
  /** Whether lamps and contours darken the land: on light land, more light could not be seen. */
  darkens: boolean;
  /** Share of text colour in a district's name, which keeps the faintest tints legible on the land. */
  nameText: number;
}

export const PALETTES: Record<Theme, Palette> = {
  night: {
    ink: {
      night: "#0a0e1c",
      land: "#12203c",
      contour: "#1b2848",
      text: "#d7e0f5",
      quiet: "#8fa3c8",
      lamp: "#ffe9c4",
      lit: "#f2ead9",
      doubt: "#ff8f6b",
    },
    tints: [
      "#f1af64", // amber
      "#69b3eb", // sky
      "#38e3b5", // green
      "#d77ea6", // pink
      "#fde56f", // yellow
      "#8d7fee", // violet
      "#f5642b", // vermilion
      "#d6f0f9", // white
    ],
    ramp: ["#6176dc", "#af76db", "#eb7bbb", "#ff9c97", "#fec190", "#ffe570"],
    plain: "#a3b2d4",
    unknown: "#6d7a99",
    ember: "#ffe9c4",
    darkens: false,
    nameText: 0.3,
  },
  dusk: {
    ink: {
      night: "#e2e5f0",
      land: "#f6ead8",
      contour: "#3c3a30",
      text: "#1c2138",
      quiet: "#474f6e",
      lamp: "#863a00",
      lit: "#4f2a0c",
      doubt: "#b3200f",
    },
    tints: [
      "#b16f0e", // amber
      "#087ee9", // sky
      "#007d67", // green
      "#d93b8f", // pink
      "#6e5a00", // olive
      "#5836d4", // violet
      "#7c0b00", // brick
      "#202232", // black
    ],
    ramp: ["#a87800", "#b85f2c", "#b33f5e", "#942f80", "#672f92", "#312a80"],
    plain: "#6b7698",
    unknown: "#8d93a8",
    ember: "#d96b00",
    darkens: true,
    nameText: 0.5,
  },
};

/** The palette of the page's theme. */
const PALETTE = PALETTES[THEME];
export const { ink: INK, tints: TINTS, ember: EMBER, darkens: DARKENS } = PALETTE;

type Frequencies = Pick<Vocabulary, "byCount" | "counts">;

/** Return a colour as three numbers, 0 to 1. */
export function unit(hex: string): [number, number, number] {
  const value = parseInt(hex.slice(1), 16);
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

/** Return the tint at an index, which wraps around. */
export function tintOf(index: number): string {
  return TINTS[index % TINTS.length]!;
}

/** Return the tint of a class: that of its family, if any; a neutral colour for no class (-1). */
export function classTint({ familyOfClass }: Vocabulary, place: number): string {
  const family = familyOfClass[place] ?? -1;
  return place < 0 ? INK.quiet : tintOf(family < 0 ? place : family);
}

/** Return the colour of a legend entry. */
export function entryColour(colour: EntryColour, { ramp, ...palette } = PALETTE): string {
  if (typeof colour === "string") return palette[colour];
  if ("kind" in colour) return tintOf(colour.kind);
  return ramp[Math.max(0, Math.min(ramp.length - 1, Math.round(colour.part * (ramp.length - 1))))]!;
}

/** Return the minimum and maximum brightness of an entry's unlit lamps, 0 to 1. */
function unlitBrightness(colour: EntryColour): [number, number] {
  if (colour === "unknown") return [0.36, 0.46];
  if (colour === "plain") return [0.48, 0.7];
  return "part" in colour ? [0.5 + 0.3 * colour.part, 0.62 + 0.34 * colour.part] : [0.66, 0.94];
}

/**
 * Return the frequency rank of each token: 1 for the most common, near 0 for the rarest; equal for all if not
 * known.
 */
export function frequencyRanks({ byCount, counts }: Frequencies) {
  const ranks = new Float32Array(byCount.length).fill(0.5);
  if (counts.some(Number.isNaN)) return ranks;
  byCount.forEach((id, i) => (ranks[id] = 1 - i / byCount.length));
  return ranks;
}

/**
 * Return four bytes per token: rgb, and its unlit brightness. Within an entry, common tokens are brighter
 * than rare ones, and those that the map lays out than those that it only places.
 */
export function lampColours(
  {
    entries,
    entryOf,
  }: { entries: readonly Pick<LegendEntry, "colour">[]; entryOf: ColourScale["entryOf"] },
  vocabulary: Frequencies & Pick<Vocabulary, "placed">,
): Uint8Array {
  const rank = frequencyRanks(vocabulary);
  const rgb = entries.map(({ colour }) => unit(entryColour(colour)).map((part) => 255 * part));
  const ends = entries.map(({ colour }) => unlitBrightness(colour));
  const bytes = new Uint8Array(4 * entryOf.length);
  for (let id = 0; id < entryOf.length; id++) {
    const entry = entryOf[id]!;
    bytes.set(rgb[entry]!, 4 * id);
    const [low, high] = ends[entry]!;
    bytes[4 * id + 3] =
      (vocabulary.placed?.[id] ? 150 : 255) * (low + (high - low) * rank[id]! ** 2);
  }
  return bytes;
}

/** Maximum number of lamps that are compared for the colour of a name. */
const MAX_SAMPLE = 64;

/** Return the colour of a name among lamps: that of most of these tokens, nearer the text's. `tints` as of `lampColours`. */
export function nameColour(
  tints: Uint8Array,
  tokenIds: readonly number[],
  { ink, nameText } = PALETTE,
): string {
  const every = Math.max(1, Math.ceil(tokenIds.length / MAX_SAMPLE));
  const length = Math.ceil(tokenIds.length / every);
  const sample = Array.from({ length }, (_, i) => tokenIds[i * every]!);
  const [[tint]] = countKinds(
    sample,
    (id) => (tints[4 * id]! << 16) | (tints[4 * id + 1]! << 8) | tints[4 * id + 2]!,
  ) as [[number, number]];
  const parts = unit(`#${tint.toString(16).padStart(6, "0")}`);
  const text = unit(ink.text);
  const mixed = parts.map((part, i) => Math.round(255 * (part + nameText * (text[i]! - part))));
  return `rgb(${mixed.join()})`;
}

/** Return the tints with all other tokens dimmed; unchanged if `kept` is empty. */
export function dimOthers(tints: Uint8Array, kept: readonly number[]): Uint8Array {
  if (!kept.length) return tints;
  const out = tints.slice();
  for (let i = 3; i < out.length; i += 4) out[i] = tints[i]! * 0.6;
  for (const id of kept) out[4 * id + 3] = Math.max(tints[4 * id + 3]!, 200);
  return out;
}
