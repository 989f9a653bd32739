/** Texts of the matrix panel. */

import { count } from "../../strings/numbers";
import { table } from "../../strings/translation";

export const matrix = table("matrix", {
  matrixPanel: {
    label:
      "The embedding as a picture. Arrow keys move the cell that is read, plus and minus zoom, Home shows all, Enter opens the word.",
    dimension: "number in the vector (dimension)",
    order: "Rows",
    orders: { district: "neighbourhood", class: "kind", frequency: "frequency", id: "token id" },
    noDistricts: "This run has not been searched for neighbourhoods: rows are by frequency.",
    noClasses: "The kinds of these words are unknown: rows are by frequency.",
    inNone: { district: "in none", class: "no kind" },
    least: (times: number) => (times ? `${count(times)} × or more` : "never"),
    pooling: "Pixel",
    poolings: { mean: "mean", largest: "largest" },
    poolingMore: "What a pixel shows where it covers several rows",
    orderMore: "What the rows are ordered by",
    change: "Change since step",
    changeStep: "The step to compare with",
    exactly: (each: number, how: "mean" | "largest") =>
      each <= 1
        ? "Every cell is one number of the matrix."
        : `A pixel covers up to ${count(Math.ceil(each))} rows: it shows ${how === "mean" ? "their mean" : "the value farthest from 0"}. Zoom in for single cells.`,
    step: (step: number) => `The embedding after step ${count(step)}.`,
    stepNear: (step: number, asked: number) =>
      `The embedding after step ${count(step)}: the whole matrix of step ${count(asked)} was not saved.`,
    minus: (step: number, then: number) =>
      `The embedding after step ${count(step)}, minus that after step ${count(then)}.`,
    lit: (rows: number, step: number) =>
      `Marks at the right edge: the ${count(rows)} rows in the batch of step ${count(step)}.`,
    scale: (end: string) =>
      `Beyond ±${end} the colour no longer changes; at most 1 number in 100 lies there.`,
    none: "Point at a cell to read it.",
    cell: (token: string, column: number, value: string) =>
      `${token} · number ${column} · ${value}`,
    closer: "Zoom in",
    farther: "Zoom out",
    whole: "All rows",
    larger: "Large",
    smaller: "Close the large picture",
    size: (size: string) => `The matrix is ${size}: load it when you like.`,
    fetch: "Load it",
    fetching: "Loading the matrix",
    fetchAgain: "Load the newest",
    waiting: "No matrix yet: the first is saved when training starts.",
    unlike: "The two matrices have different shapes.",
  },
} as const);
