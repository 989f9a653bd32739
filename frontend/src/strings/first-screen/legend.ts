/** Texts of the legend: the meaning of colours, trails and links. */

import { printableName } from "../../api/vocabulary";
import type { LegendEntry, ColourScale } from "../../model/colour-scale";
import type { ColourBy } from "../../model/view/view-options";
import { count, fixed, small } from "../numbers";

const times = (n: number) => (n === 1 ? "once" : `${count(n)} times`);

export const legend = {
  /** When and how often the text read a word. */
  wordRead: {
    /** Empty if unknown. */
    occurs: (n: number) => (Number.isNaN(n) ? "" : `occurs ${times(n)}`),
    placed: "placed beside the words nearest to it",
    lastLit: "last read",
    ago: (steps: number) => {
      if (steps <= 0) return "in this step";
      return steps === 1 ? "1 step ago" : `${count(steps)} steps ago`;
    },
    never: "never",
  },
  legend: {
    label: "Colour key",
    lead: "Colour:",
    open: "Show the colour key",
    close: "Close the colour key",
    none: {
      family: "no family",
      class: "no kind",
      district: "no neighbourhood",
      phase: "no number",
      age: "no age",
    } as Partial<Record<ColourBy, string>>,
    rest: {
      since: "never read yet",
      moved: "did not move",
      gradient: "no gradient",
      aligned: "equal",
      raw: "equal",
      neighbours: "the same",
      frequency: "not in the text",
    } as Partial<Record<ColourBy, string>>,
    unknown: "unknown",
    band: (by: ColourBy, from: number | null, to: number | null) => {
      const number = (edge: number) =>
        by === "trust" ? fixed(edge, 2) : edge < 1e3 ? small(edge) : count(edge);
      if (by === "since") return ages(from, to);
      if (from === null) return to === null ? "all" : `below ${number(to)}`;
      if (to === null) return `${number(from)} or more`;
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
      if (by === "gradient") return `last gradient norm ${small(of)}`;
      if (by === "trust") return `reliability of its place: ${fixed(of, 2)}`;
      if (by === "age") return `learned by about step ${count(of)}`;
      if (by === "neighbours") return `neighbours that differ: ${of}`;
      if (by === "aligned" || by === "raw") return `distance to the other run: ${small(of)}`;
      return "";
    },
    unknownText: {
      gradient: "last gradient norm: unknown",
      moved: "distance moved: unknown",
      trust: "reliability: unknown",
    } as Partial<Record<ColourBy, string>>,
  },
} as const;

function ages(from: number | null, to: number | null): string {
  if (from === null) return "in this step";
  if (to === null) return `${count(from)} or more steps ago`;
  return `${count(from)} to ${count(to - 1)} steps ago`;
}

/** Return the text of a legend entry. */
export function entryText({ name, from, to, other }: LegendEntry, by: ColourScale["by"]): string {
  const w = legend.legend;
  if (name !== null) return printableName(name);
  if (other === "none" || other === "unknown") return w.none[by] ?? w.unknown;
  if (other === "rest") return w.rest[by] ?? "0";
  return w.band(by, from, to);
}
