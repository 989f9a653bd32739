/** German texts of the matrix panel. */

import type { matrix as english } from "./matrix.strings";
import { count } from "../../strings/numbers";
import type { Translated } from "../../strings/translation";

export const matrix: Translated<typeof english> = {
  matrixPanel: {
    label:
      "Das Embedding als Bild. Die Pfeiltasten bewegen die gelesene Zelle, Plus und Minus vergrößern und verkleinern, Pos1 zeigt alles, Enter öffnet das Wort.",
    dimension: "Zahl im Vektor (Dimension)",
    order: "Zeilen",
    orders: { district: "Viertel", class: "Art", frequency: "Häufigkeit", id: "Token-Nummer" },
    noDistricts: "In diesem Lauf hat niemand nach Vierteln gesucht: nach Häufigkeit.",
    noClasses: "Niemand hat die wahren Arten dieser Wörter angegeben: nach Häufigkeit.",
    inNone: { district: "in keinem", class: "keine Art" },
    least: (times) => (times ? `${count(times)} × und mehr` : "nie"),
    pooling: "Bildpunkt",
    poolings: { mean: "Mittel", largest: "größter" },
    poolingMore: "Was ein Bildpunkt zeigt, der mehrere Zeilen bedeckt",
    orderMore: "Wonach die Zeilen geordnet sind",
    change: "Änderung seit Schritt",
    changeStep: "Der Schritt zum Vergleichen",
    exactly: (each, how) =>
      each <= 1
        ? "Jede Zelle ist eine Zahl der Matrix."
        : `Ein Bildpunkt bedeckt bis zu ${count(Math.ceil(each))} Zeilen: Er zeigt ${how === "mean" ? "ihr Mittel" : "den Wert, der am weitesten von 0 weg ist"}. Geh näher heran für einzelne Zellen.`,
    step: (step) => `Das Embedding nach Schritt ${count(step)}.`,
    stepNear: (step, asked) =>
      `Das Embedding nach Schritt ${count(step)}: Schritt ${count(asked)} selbst ist nicht ganz gespeichert.`,
    minus: (step, then) =>
      `Das Embedding nach Schritt ${count(step)}, minus das nach Schritt ${count(then)}.`,
    lit: (rows, step) =>
      `Striche am rechten Rand: die ${count(rows)} Zeilen im Batch von Schritt ${count(step)}.`,
    scale: (end) =>
      `Jenseits von ±${end} bleibt die Farbe gleich; dort liegt höchstens 1 Zahl von 100.`,
    none: "Zeig auf eine Zelle, um sie zu lesen.",
    cell: (token, column, value) => `${token} · Zahl ${column} · ${value}`,
    closer: "Näher",
    farther: "Weiter weg",
    whole: "Alle Zeilen",
    larger: "Groß",
    smaller: "Das große Bild schließen",
    size: (size) => `Die Matrix hat ${size}: Sie wird geholt, wenn du es sagst.`,
    fetch: "Holen",
    fetching: "Die Matrix wird geholt",
    fetchAgain: "Die neueste holen",
    waiting: "Noch keine Matrix: Die erste wird gespeichert, wenn das Training beginnt.",
    unlike: "Die beiden Matrizen haben verschiedene Formen.",
  },
};
