/** Texts of the legend: the meaning of colours, trails and links. */

import { printableName } from "../api/vocabulary";
import type { LegendEntry, ColourScale } from "../model/colour-scale";
import type { ColourBy } from "../model/view-options";
import { count, fixed, small } from "./numbers";

const steps = (n: number) => (n === 1 ? "1 step" : `${count(n)} steps`);

/** Endings of the sentence "Each lamp is a token, coloured by". */
const colour: Record<ColourBy, string> = {
  family: "its family of words, which we know and the model is never told",
  class: "its planted class",
  district: "the cluster of the space that it is in",
  frequency: "how often it stands in the corpus",
  since: "how many steps ago it was last in a batch",
  gradient: "the Euclidean norm of its row's gradient when it last got one, before clipping",
  moved: "how far its row has come in the space, not on the picture (Euclidean distance)",
  trust: "how far what lies around it on this map is near it in the space: 0 not at all, 1 wholly",
};

export const legend = {
  legend: {
    label: "Legend",
    lead: "Colour:",
    open: "Show the legend",
    close: "Close the legend",
    about: (by: ColourBy) => `Each lamp is a token, coloured by ${colour[by]}.`,
    familyHint: "Press a family to ring its tokens and see its classes.",
    hint: "Point at an entry, or press it, to ring its tokens.",
    cycled: (tints: number, kinds: number) =>
      `${count(kinds)} kinds share ${count(tints)} colours; the ring tells them apart.`,
    moved: (from: number, to: number) => `From step ${count(from)} to step ${count(to)}.`,
    waiting: "Being looked up.",
    ringed: (some: number, all: number) => `${count(some)} of its ${count(all)} tokens are ringed.`,
    ends: (by: ColourBy, least: number, greatest: number) =>
      `From ${value(by, least)} to ${value(by, greatest)}.`,
    none: { family: "in no family", class: "in no class", district: "in no district" } as Partial<
      Record<ColourBy, string>
    >,
    rest: {
      since: "never lit yet",
      moved: "did not move",
      gradient: "no gradient",
      frequency: "not in the corpus",
    } as Partial<Record<ColourBy, string>>,
    unknown: "not known",
    unknownMore: {
      gradient: "not lit in the steps that this page has looked at",
    } as Partial<Record<ColourBy, string>>,
    band: (by: ColourBy, from: number | null, to: number | null) => {
      const number = (edge: number) =>
        by === "trust" ? fixed(edge, 2) : edge < 1e3 ? small(edge) : count(edge);
      if (by === "since") return ages(from, to);
      if (from === null) return to === null ? "all" : `below ${number(to)}`;
      if (to === null) return `${number(from)} and more`;
      return `${number(from)} to ${number(to)}`;
    },
    /** Describe the value of one token. */
    valueText: (by: ColourBy, of: number, over: { from: number; to: number } | null) => {
      if (by === "moved" && over) {
        const span = `from step ${count(over.from)} to ${count(over.to)}`;
        return of === 0
          ? `did not move in the space ${span}`
          : `moved ${small(of)} in the space ${span}`;
      }
      if (by === "gradient") return `norm of its last gradient ${small(of)}`;
      if (by === "trust") return `trust of its place ${fixed(of, 2)} of 1`;
      return "";
    },
    unknownText: {
      gradient: "norm of its last gradient: not known",
      moved: "how far it moved: not known",
      trust: "trust of its place: not known",
    } as Partial<Record<ColourBy, string>>,

    over: "Over",
    overMore: "How many steps back distances and trails reach",
    overOf: (n: number) => (n === 0 ? "all steps" : `last ${steps(n)}`),
    trails: "Trails",
    trailsMore: "Where tokens went on the map",
    trailsOf: { none: "none", chosen: "chosen token", movers: "farthest movers" },
    trailsSaid: (drawn: number, asked: number, from: number, to: number) =>
      `${drawn} of ${asked} moved on this map from step ${count(from)} to ${count(to)}: a square where it began, a triangle where it is.`,
    trailsNone: "Choose a token, and its trail is drawn.",
    trailsStill: (from: number, to: number) =>
      `No row moved in the space from step ${count(from)} to ${count(to)}.`,
    trailsUmap: "On this map places also shift when what lies around them does.",
    trailsLinear: "On the linear map only a row that moved in the space leaves a trail.",

    links: "Links",
    linksMore: "From the chosen token to those nearest to it",
    linksTo: { none: "none", space: "in the space", map: "on the map", both: "both" },
    shared: (shared: number, k: number) =>
      `${shared} of ${k} neighbours on the map are neighbours in the space.`,
    apart: (map: number, space: number) =>
      `The map is of step ${count(map)}, the space of step ${count(space)}.`,
    kinds: {
      space: "near in the space only",
      map: "near on the map only",
      both: "near in both",
    },
  },
} as const;

function ages(from: number | null, to: number | null): string {
  if (from === null) return "in this step";
  if (to === null) return `${count(from)} and more steps ago`;
  return `${count(from)} to ${count(to - 1)} steps ago`;
}

function value(by: ColourBy, of: number): string {
  switch (by) {
    case "since":
      return of === 0 ? "this step" : `${steps(of)} ago`;
    case "frequency":
      return of === 1 ? "once" : `${count(of)} times`;
    case "trust":
      return fixed(of, 2);
    default:
      return small(of);
  }
}

/** Return the text of a legend entry. */
export function entryText({ name, from, to, other }: LegendEntry, by: ColourScale["by"]): string {
  const w = legend.legend;
  if (name !== null) return printableName(name);
  if (other === "none") return w.none[by] ?? w.unknown;
  if (other === "rest") return w.rest[by] ?? "0";
  if (other === "unknown") return w.unknown;
  return w.band(by, from, to);
}
