/** Trails as Plotly draws them, in the figure above the lamps: older parts fainter, both ends told apart by shape. Pure. */

import type { Trace } from "../charts/library";
import { INK, TINTS } from "./palette";

export interface Trail {
  id: number;
  /** In map units, in the order of time. */
  xs: number[];
  ys: number[];
  /** The chosen token's, or one that was selected with it; the others are those that moved most. */
  own: boolean;
}

/** Parts of a trail, the oldest first, and how strongly each is drawn. */
const AGES = [0.22, 0.38, 0.58, 0.85];

const OTHERS = TINTS[1];

/** All trails in a handful of traces, however many there are. */
export function trailTraces(trails: Trail[]): Trace[] {
  const drawn = trails.filter(({ xs }) => xs.length > 1);
  return [false, true].flatMap((own) => {
    const some = drawn.filter((trail) => trail.own === own);
    return some.length ? traces(some, own ? INK.lamp : OTHERS) : [];
  });
}

function traces(trails: Trail[], color: string): Trace[] {
  const lines = AGES.map((opacity, age): Trace => {
    const x: (number | null)[] = [];
    const y: (number | null)[] = [];
    for (const { xs, ys } of trails) {
      // The parts of equal length meet, so each ends where the next begins.
      const last = xs.length - 1;
      const from = Math.floor((age * last) / AGES.length);
      const to = Math.floor(((age + 1) * last) / AGES.length);
      if (to === from) continue;
      x.push(...xs.slice(from, to + 1), null);
      y.push(...ys.slice(from, to + 1), null);
    }
    return { ...QUIET, mode: "lines", x, y, line: { color, width: 1.1 + 0.25 * age }, opacity };
  });
  return [
    ...lines,
    ends(trails, 0, { symbol: "square-open", size: 7, color, line: { width: 1.4 } }),
    ends(trails, -1, { symbol: "triangle-up", size: 9, color, opacity: 0.95 }),
  ];
}

function ends(trails: Trail[], at: 0 | -1, marker: Record<string, unknown>): Trace {
  const x = trails.map(({ xs }) => xs.at(at)!);
  const y = trails.map(({ ys }) => ys.at(at)!);
  return { ...QUIET, mode: "markers", x, y, marker };
}

const QUIET = { type: "scatter", hoverinfo: "skip", cliponaxis: true, connectgaps: false };
