/** German texts of the legend. */

import type { legend as english } from "../../first-screen/legend";
import { count, fixed, small } from "../../numbers";
import type { Translated } from "../../translation";

export const legend: Translated<typeof english> = {
  /** When and how often the text read a word. */
  wordRead: {
    occurs: (n) =>
      Number.isNaN(n)
        ? ""
        : n
          ? `kommt ${n === 1 ? "einmal" : `${count(n)}-mal`} vor`
          : "kommt nicht vor",
    placed: "neben die nächsten Wörter gesetzt",
    lastLit: "zuletzt gelesen",
    ago: (steps) => {
      if (steps <= 0) return "in diesem Schritt";
      return steps === 1 ? "vor 1 Schritt" : `vor ${count(steps)} Schritten`;
    },
    never: "noch nie",
  },
  legend: {
    label: "Legende",
    lead: "Farbe:",
    open: "Die Legende zeigen",
    close: "Die Legende schließen",
    none: {
      family: "keine Familie",
      class: "keine Art",
      district: "kein Viertel",
      phase: "keine Zahl",
      age: "kein Alter",
    },
    rest: {
      since: "noch nie gelesen",
      moved: "nicht bewegt",
      gradient: "kein Gradient",
      aligned: "gleich",
      raw: "gleich",
      neighbours: "dieselben",
      frequency: "nicht im Text",
    },
    unknown: "nicht bekannt",
    band: (by, from, to) => {
      const number = (edge: number) =>
        by === "trust" ? fixed(edge, 2) : edge < 1e3 ? small(edge) : count(edge);
      if (by === "since") return ages(from, to);
      if (from === null) return to === null ? "alle" : `unter ${number(to)}`;
      if (to === null) return `${number(from)} und mehr`;
      return `${number(from)} bis ${number(to)}`;
    },
    valueText: (by, of, over) => {
      if (by === "moved" && over) {
        const span = `von Schritt ${count(over.from)} bis ${count(over.to)}`;
        return of === 0
          ? `hat sich im Raum nicht bewegt, ${span}`
          : `hat sich im Raum um ${small(of)} bewegt, ${span}`;
      }
      if (by === "gradient") return `Norm seines letzten Gradienten ${small(of)}`;
      if (by === "trust") return `Verlässlichkeit seiner Stelle: ${fixed(of, 2)}`;
      if (by === "age") return `gelernt etwa bei Schritt ${count(of)}`;
      if (by === "neighbours") return `andere Nachbarn: ${of}`;
      if (by === "aligned" || by === "raw") return `Abstand zum anderen Lauf: ${small(of)}`;
      return "";
    },
    unknownText: {
      gradient: "Norm seines letzten Gradienten: nicht bekannt",
      moved: "wie weit es sich bewegt hat: nicht bekannt",
      trust: "Verlässlichkeit seiner Stelle: nicht bekannt",
    },
  },
};

function ages(from: number | null, to: number | null): string {
  if (from === null) return "in diesem Schritt";
  if (to === null) return `vor ${count(from)} und mehr Schritten`;
  return `vor ${count(from)} bis ${count(to - 1)} Schritten`;
}
