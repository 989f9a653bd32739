/**
 * Strokes of trails for Plotly and for exported pictures. Older parts are fainter, and the two ends differ in
 * shape. Pure.
 */

import type { PlotlyTrace } from "../../charts/plotly/library.d";
import type { DrawnTrail } from "../../model/plane/trail";
import { INK, tintOf } from "../palette";

/** Opacity of the parts of a trail, oldest first. */
const AGES = [0.22, 0.38, 0.58, 0.85];

/** Lines of one style in sequence; null ends a line. */
interface TrailStroke {
  x: (number | null)[];
  y: (number | null)[];
  color: string;
  width: number;
  opacity: number;
  /** Set if these are markers of this size at each position instead of lines. */
  sign?: { symbol: "square-open" | "triangle-up"; size: number };
}

const OTHERS = tintOf(1);

/** Return all trails as a few strokes, independent of the number of trails. */
export function trailStrokes(trails: DrawnTrail[]): TrailStroke[] {
  const drawn = trails.filter(({ xs }) => xs.length > 1);
  return [false, true].flatMap((own) => {
    const some = drawn.filter((trail) => trail.own === own);
    return some.length ? strokes(some, own ? INK.lamp : OTHERS) : [];
  });
}

/** Return all trails as Plotly traces. */
export function trailTraces(trails: DrawnTrail[]): PlotlyTrace[] {
  return trailStrokes(trails).map(({ x, y, color, width, opacity, sign }) => ({
    type: "scatter",
    hoverinfo: "skip",
    cliponaxis: true,
    connectgaps: false,
    x,
    y,
    opacity,
    ...(sign
      ? { mode: "markers", marker: { ...sign, color, line: { width } } }
      : { mode: "lines", line: { color, width } }),
  }));
}

function strokes(trails: DrawnTrail[], color: string): TrailStroke[] {
  const lines = AGES.map((opacity, age): TrailStroke => {
    const x: (number | null)[] = [];
    const y: (number | null)[] = [];
    for (const { xs, ys } of trails) {
      // Consecutive parts share a point, so that they connect.
      const last = xs.length - 1;
      const from = Math.floor((age * last) / AGES.length);
      const to = Math.floor(((age + 1) * last) / AGES.length);
      if (to === from) continue;
      x.push(...xs.slice(from, to + 1), null);
      y.push(...ys.slice(from, to + 1), null);
    }
    return { x, y, color, width: 1.1 + 0.25 * age, opacity };
  });
  const ends = (at: 0 | -1) => ({
    x: trails.map(({ xs }) => xs.at(at)!),
    y: trails.map(({ ys }) => ys.at(at)!),
    color,
  });
  return [
    ...lines,
    { ...ends(0), width: 1.4, opacity: 1, sign: { symbol: "square-open", size: 7 } },
    { ...ends(-1), width: 0, opacity: 0.95, sign: { symbol: "triangle-up", size: 9 } },
  ];
}
