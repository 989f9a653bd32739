/**
 * The city in three dimensions, as Plotly draws it: each token a column where it lies on the map, as high as some
 * number that is known of it. Lines and points only, which plotly.js draws without compiling code at run time. Pure.
 */

import type { Figure, Trace } from "../charts/library";
import { plain, quietFigure, type } from "../charts/plotly";
import type { Layout } from "../wire/frames";
import { shown, type Vocabulary } from "../wire/vocabulary";
import { INK, unit } from "./palette";
import { coordinates, placementOf } from "./placement";
import { reliefOf } from "./relief";

/** So many columns stay smooth; of more tokens the most frequent have one. */
export const MOST_COLUMNS = 5_000;
/** The highest are named, so many of them. */
const NAMED = 7;
/** Part of the ground within which only one of the highest is named. */
const APART = 0.09;
/** Cells a side of the relief on the ground. */
const GROUND = 56;

/** What stands on the ground. */
export interface Skyline {
  vocabulary: Vocabulary;
  layout: Layout;
  /** Four bytes a token, as the map's lamps have them. */
  tints: Uint8Array;
  /** By token id; NaN where not known. */
  heights: Float32Array;
  logarithmic: boolean;
  /** What the axis says, with its unit. */
  axis: string;
}

/** What is marked on it. */
export interface Marks {
  chosen: number | null;
  /** Ringed: looked at, gathered, or under the pointer on the map beside. */
  ringed: number[];
}

export interface Camera {
  eye: Point;
  center: Point;
  up: Point;
}

interface Point {
  x: number;
  y: number;
  z: number;
}

export interface Columns {
  /** Tokens with a column, the most frequent first. */
  standing: number[];
  /** Tokens whose height is not known: they lie on the ground. */
  lying: number[];
}

export const HOME: Camera = {
  eye: { x: 0.25, y: -1.45, z: 0.85 },
  center: { x: 0, y: 0, z: -0.16 },
  up: { x: 0, y: 0, z: 1 },
};

/** Which tokens are drawn: the most frequent, and always those in `always`. */
export function columnsOf(
  byCount: Uint32Array,
  heights: Float32Array,
  always: number[],
  most = MOST_COLUMNS,
): Columns {
  const drawn = new Set(byCount.subarray(0, most));
  for (const id of always) if (id < heights.length) drawn.add(id);
  const standing: number[] = [];
  const lying: number[] = [];
  for (const id of drawn) (Number.isFinite(heights[id]) ? standing : lying).push(id);
  return { standing, lying };
}

/** How high a number is drawn. */
export function raised(value: number, logarithmic: boolean): number {
  return logarithmic ? Math.log10(1 + Math.max(0, value)) : value;
}

/** Round numbers for a logarithmic axis, up to the highest. */
export function ticksUpTo(highest: number): number[] {
  const ticks = [0, 1];
  while (ticks[ticks.length - 1]! < highest && ticks.length < 12) {
    ticks.push(10 * ticks[ticks.length - 1]!);
  }
  return highest > 0 ? ticks.filter((tick) => tick <= highest) : [0];
}

/** The highest columns, so far from one another that their names have room. */
export function highest(
  standing: number[],
  heights: Float32Array,
  xy: Float32Array,
  most = NAMED,
): number[] {
  const [w, h] = spanOf(standing, xy);
  const named: number[] = [];
  for (const id of standing.toSorted((a, b) => heights[b]! - heights[a]! || a - b)) {
    if (named.length >= most || !(heights[id]! > 0)) break;
    const near = named.some(
      (other) =>
        Math.hypot((xy[2 * id]! - xy[2 * other]!) / w, (xy[2 * id + 1]! - xy[2 * other + 1]!) / h) <
        APART,
    );
    if (!near) named.push(id);
  }
  return named;
}

function spanOf(ids: number[], xy: Float32Array): [number, number] {
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const id of ids) {
    [x0, x1] = [Math.min(x0, xy[2 * id]!), Math.max(x1, xy[2 * id]!)];
    [y0, y1] = [Math.min(y0, xy[2 * id + 1]!), Math.max(y1, xy[2 * id + 1]!)];
  }
  return [x1 > x0 ? x1 - x0 : 1, y1 > y0 ? y1 - y0 : 1];
}

export interface Drawn {
  traces: Trace[];
  layout: Figure;
  /** By trace and point: the token; what is not listed is no token. */
  tokens: Map<number, number[]>;
}

/** The figure. The camera is the viewer's own and must be put back by whoever draws. */
export function figureOf(skyline: Skyline, marks: Marks, camera: Camera): Drawn {
  const { vocabulary, layout, tints, heights, logarithmic, axis } = skyline;
  const xy = coordinates(placementOf(layout));
  const always = marks.chosen === null ? marks.ringed : [...marks.ringed, marks.chosen];
  const { standing, lying } = columnsOf(vocabulary.byCount, heights, always);
  const z = (id: number) => (Number.isFinite(heights[id]) ? raised(heights[id]!, logarithmic) : 0);
  let top = 0;
  for (const id of standing) top = Math.max(top, z(id));
  top = top > 0 ? top : 1;
  const named = new Set(highest(standing, heights, xy));
  if (marks.chosen !== null && marks.chosen < heights.length) named.add(marks.chosen);
  const points = (ids: number[], more: Trace): Trace => ({
    type: "scatter3d",
    mode: "markers",
    x: ids.map((id) => xy[2 * id]),
    y: ids.map((id) => xy[2 * id + 1]),
    z: ids.map(z),
    hoverinfo: "none",
    ...more,
  });
  const ringed = marks.ringed.filter((id) => id < heights.length);
  const chosen = marks.chosen !== null && marks.chosen < heights.length ? [marks.chosen] : [];
  const traces = [
    groundOf(xy, layout),
    stemsOf(standing, xy, z, tints),
    points(standing, {
      marker: { size: 2.6, color: standing.map((id) => ink(tints, id, 1)), opacity: 1 },
    }),
    points(lying, { marker: { size: 2, color: INK.quiet, symbol: "circle-open" } }),
    points(ringed, { marker: { size: 9, color: INK.lamp, symbol: "circle-open" } }),
    points(chosen, { marker: { size: 13, color: INK.lamp, symbol: "diamond-open" } }),
  ];
  const tokens = new Map([
    [1, standing.flatMap((id) => [id, id, id])],
    [2, standing],
    [3, lying],
    [4, ringed],
    [5, chosen],
  ]);
  const annotations = [...named].map((id) => ({
    x: xy[2 * id],
    y: xy[2 * id + 1],
    z: z(id),
    text: plain(shown(vocabulary.tokens[id])),
    showarrow: false,
    yshift: 11,
    captureevents: false,
    font: {
      ...type(id === marks.chosen ? 15 : 12),
      color: id === marks.chosen ? INK.lamp : INK.text,
    },
  }));
  const { box } = placementOf(layout);
  const flat = { visible: false, showspikes: false };
  const ticks = logarithmic ? ticksUpTo(10 ** top - 1) : null;
  const scene = {
    xaxis: { ...flat, range: [box.x0, box.x1] },
    yaxis: { ...flat, range: [box.y0, box.y1] },
    zaxis: {
      range: [0, 1.06 * top],
      title: { text: axis, font: { ...type(12), color: INK.quiet } },
      tickfont: { ...type(11), color: INK.quiet },
      gridcolor: "rgba(143,163,200,0.16)",
      zeroline: false,
      showspikes: false,
      ...(ticks && {
        tickvals: ticks.map((tick) => raised(tick, true)),
        ticktext: ticks.map((tick) => tick.toLocaleString("en")),
      }),
    },
    aspectmode: "manual",
    aspectratio: { ...sidesOf(box), z: 0.5 },
    camera,
    dragmode: "turntable",
    annotations,
  };
  const figure = quietFigure({
    margin: { l: 0, r: 0, t: 0, b: 0 },
    hovermode: "closest",
    scene,
  });
  return { traces, layout: figure, tokens };
}

/** The sides of the ground, about 1, as the map has them. */
function sidesOf({ x0, x1, y0, y1 }: { x0: number; x1: number; y0: number; y1: number }) {
  const wide = Math.sqrt(Math.max(0.4, Math.min(2.5, (x1 - x0) / (y1 - y0))));
  return { x: 1.15 * wide, y: 1.15 / wide };
}

/** A line a column: dark at the foot, the token's own colour at the top. */
function stemsOf(
  ids: number[],
  xy: Float32Array,
  z: (id: number) => number,
  tints: Uint8Array,
): Trace {
  const x: (number | null)[] = [];
  const y: (number | null)[] = [];
  const up: (number | null)[] = [];
  const color: string[] = [];
  for (const id of ids) {
    x.push(xy[2 * id]!, xy[2 * id]!, null);
    y.push(xy[2 * id + 1]!, xy[2 * id + 1]!, null);
    up.push(0, z(id), null);
    const above = ink(tints, id, 0.85);
    color.push(ink(tints, id, 0.22), above, above);
  }
  return {
    type: "scatter3d",
    mode: "lines",
    x,
    y,
    z: up,
    connectgaps: false,
    line: { color, width: 2 },
    hoverinfo: "none",
  };
}

/** The relief of the map, flat on the ground. */
function groundOf(xy: Float32Array, layout: Layout): Trace {
  const { box } = placementOf(layout);
  const { size, heights, box: land } = reliefOf(xy, box, GROUND);
  const along = (from: number, to: number) =>
    Array.from({ length: size }, (_, i) => from + ((to - from) * (i + 0.5)) / size);
  const rows = (of: (i: number) => number) =>
    Array.from({ length: size }, (_, row) =>
      Array.from({ length: size }, (_, column) => of(row * size + column)),
    );
  return {
    type: "surface",
    x: along(land.x0, land.x1),
    y: along(land.y0, land.y1),
    z: rows(() => 0),
    surfacecolor: rows((i) => heights[i]!),
    cmin: 0,
    cmax: 1.1,
    colorscale: [
      [0, INK.night],
      [1, "#1d3260"],
    ],
    showscale: false,
    hoverinfo: "skip",
    lighting: { ambient: 1, diffuse: 0, specular: 0, fresnel: 0 },
    contours: { x: { highlight: false }, y: { highlight: false }, z: { highlight: false } },
  };
}

const NIGHT = unit(INK.night);

/** A token's colour, so much of it over the night. */
function ink(tints: Uint8Array, id: number, part: number): string {
  const mixed = NIGHT.map((night, i) =>
    Math.round(part * tints[4 * id + i]! + (1 - part) * 255 * night),
  );
  return `rgb(${mixed.join(",")})`;
}

/** The camera turned about the city by degrees, tilted, and nearer (below 1) or farther. */
export function moved(camera: Camera, turn: number, tilt: number, factor = 1): Camera {
  const { eye, center } = camera;
  const [dx, dy, dz] = [eye.x - center.x, eye.y - center.y, eye.z - center.z];
  const flat = Math.hypot(dx, dy);
  const far = Math.max(0.3, Math.min(6, factor * Math.hypot(flat, dz)));
  const round = Math.atan2(dy, dx) + (turn * Math.PI) / 180;
  const lowest = 0.03;
  const up = Math.max(
    lowest,
    Math.min(Math.PI / 2 - lowest, Math.atan2(dz, flat) + (tilt * Math.PI) / 180),
  );
  return {
    center,
    up: HOME.up,
    eye: {
      x: center.x + far * Math.cos(up) * Math.cos(round),
      y: center.y + far * Math.cos(up) * Math.sin(round),
      z: center.z + far * Math.sin(up),
    },
  };
}
