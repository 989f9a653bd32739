/**
 * The 3-D view as a Plotly figure: points, lines and a flat surface.
 *
 * plotly.js 4.1.1 draws those without compiling code at run time, which our content security policy forbids;
 * its scattergl does compile, so it is not used here. Pure.
 */

import type { PlotlyLayout, PlotlyTrace } from "../../charts/plotly/library.d";
import { escapeText } from "../../charts/plotly/plotly";
import type { Layout } from "../../api/frames";
import { printableToken } from "../../api/vocabulary";
import { INK, unit } from "../palette";
import { coordinates, placementOf } from "../../model/placement";
import { densityOf } from "../regions/density";
import {
  columnsOf,
  highestApart,
  drawnHeight,
  ticksUpTo,
  type SkylineMarks,
  type Skyline,
} from "./columns";
import type { SkylineCamera } from "./orbit-camera";

/** Cells per side of the density grid on the ground. */
const GROUND = 56;

/** Returns a font of a size relative to the page's type. */
type Type = (size: number) => { family: string; size: number };

/** A figure, and the tokens of its points. */
interface SkylineFigure {
  traces: PlotlyTrace[];
  layout: PlotlyLayout;
  /** Token by trace and point; points that are missing here are no tokens. */
  tokens: Map<number, number[]>;
}

/** Return the figure. The viewer owns the camera, so the caller must put it back when redrawing. */
export function skylineFigure(
  skyline: Skyline,
  marks: SkylineMarks,
  camera: SkylineCamera,
  type: Type,
): SkylineFigure {
  const { vocabulary, layout, tints, heights, logarithmic, axis } = skyline;
  const xy = coordinates(placementOf(layout));
  const always = marks.chosen === null ? marks.ringed : [...marks.ringed, marks.chosen];
  const { withHeight, withoutHeight } = columnsOf(vocabulary.byCount, heights, always);
  const z = (id: number) =>
    Number.isFinite(heights[id]) ? drawnHeight(heights[id]!, logarithmic) : 0;
  let top = 0;
  for (const id of withHeight) top = Math.max(top, z(id));
  top = top > 0 ? top : 1;
  const points = (ids: number[], more: PlotlyTrace): PlotlyTrace => ({
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
  const named = new Set([...chosen, ...highestApart(withHeight, heights, xy, chosen)]);
  const traces = [
    groundOf(xy, layout),
    stemsOf(withHeight, xy, z, tints),
    points(withHeight, {
      marker: { size: 2.6, color: withHeight.map((id) => ink(tints, id, 1)), opacity: 1 },
    }),
    points(withoutHeight, { marker: { size: 2, color: INK.quiet, symbol: "circle-open" } }),
    points(ringed, { marker: { size: 9, color: INK.lamp, symbol: "circle-open" } }),
    points(chosen, { marker: { size: 13, color: INK.lamp, symbol: "diamond-open" } }),
  ];
  const tokens = new Map([
    [1, withHeight.flatMap((id) => [id, id, id])],
    [2, withHeight],
    [3, withoutHeight],
    [4, ringed],
    [5, chosen],
  ]);
  const annotations = [...named].map((id) => ({
    x: xy[2 * id],
    y: xy[2 * id + 1],
    z: z(id),
    text: escapeText(printableToken(vocabulary.tokens[id])),
    showarrow: false,
    yshift: 11,
    captureevents: false,
    font: {
      ...type(id === marks.chosen ? 15 : 13),
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
      title: { text: axis, font: { ...type(13), color: INK.quiet } },
      tickfont: { ...type(13), color: INK.quiet },
      gridcolor: "rgba(143,163,200,0.16)",
      zeroline: false,
      showspikes: false,
      ...(ticks && {
        tickvals: ticks.map((tick) => drawnHeight(tick, true)),
        ticktext: ticks.map((tick) => tick.toLocaleString(document.documentElement.lang)),
      }),
    },
    aspectmode: "manual",
    aspectratio: { ...sidesOf(box), z: 0.5 },
    camera,
    // Plotly's own turntable goes beneath the ground: the page moves the camera itself.
    dragmode: false,
    annotations,
  };
  return {
    traces,
    layout: { margin: { l: 0, r: 0, t: 0, b: 0 }, hovermode: "closest", scene },
    tokens,
  };
}

/** Return the sides of the ground, about 1, in the map's proportions. */
function sidesOf({ x0, x1, y0, y1 }: { x0: number; x1: number; y0: number; y1: number }) {
  const wide = Math.sqrt(Math.max(0.4, Math.min(2.5, (x1 - x0) / (y1 - y0))));
  return { x: 1.15 * wide, y: 1.15 / wide };
}

/** Return one line per column: dark at the foot, the token's own colour at the top. */
function stemsOf(
  ids: number[],
  xy: Float32Array,
  z: (id: number) => number,
  tints: Uint8Array,
): PlotlyTrace {
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

/** Return the map's density grid, flat on the ground. */
function groundOf(xy: Float32Array, layout: Layout): PlotlyTrace {
  const { box } = placementOf(layout);
  const { size, heights, box: land } = densityOf(xy, box, GROUND);
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

/** Return a token's colour at an opacity of `part` over the background. */
function ink(tints: Uint8Array, id: number, part: number): string {
  const mixed = NIGHT.map((night, i) =>
    Math.round(part * tints[4 * id + i]! + (1 - part) * 255 * night),
  );
  return `rgb(${mixed.join(",")})`;
}
