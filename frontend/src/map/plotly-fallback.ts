/**
 * The map as Plotly traces, for browsers without WebGL2: the same data and colours, plainer, in SVG. Labels,
 * rings, crosses and links are drawn above it as usual. Pure.
 */

import type { PlotlyTrace } from "../charts/plotly/library.d";
import type { Layout } from "../api/frames";
import type { Vocabulary } from "../api/vocabulary";
import { lampStrengths } from "./easing";
import { coordinates, placementOf, robustBounds } from "../model/placement";
import { INK } from "./palette";
import { densityOf } from "./regions/density";

/** Limit on lamps drawn as SVG; the rarest tokens are left out. */
const MAX_LAMPS = 5_000;

/** Return the land as a contour trace. */
export function landTrace(layout: Layout): PlotlyTrace {
  const xy = coordinates(placementOf(layout));
  const { size, heights, box } = densityOf(xy, robustBounds(xy), 96);
  return {
    type: "contour",
    x0: box.x0,
    dx: (box.x1 - box.x0) / size,
    y0: box.y0,
    dy: (box.y1 - box.y0) / size,
    z: Array.from({ length: size }, (_, row) => heights.slice(row * size, (row + 1) * size)),
    colorscale: [
      [0, INK.night],
      [1, INK.land],
    ],
    contours: { start: 0.1, end: 1, size: 0.13 },
    line: { color: INK.contour, width: 1, smoothing: 1 },
    showscale: false,
    hoverinfo: "skip",
  };
}

/** Return the land, the lamps and the lit lamps as traces. `maxLamps` limits the lamps; `glow` is the beat's brightness. */
export function lampTraces(
  layout: Layout,
  vocabulary: Vocabulary,
  beat: { ids: Uint32Array; norms: Float32Array } | null,
  /** Four bytes per token, as in the WebGL renderer; null while they are not known. */
  tints: Uint8Array | null = null,
  maxLamps = MAX_LAMPS,
  glow = 1,
): PlotlyTrace[] {
  const xy = coordinates(placementOf(layout));
  const every = Array.from(vocabulary.byCount.subarray(0, maxLamps));
  const lit = beat ? Array.from(beat.ids) : [];
  const bright = beat ? lampStrengths(beat.norms) : new Float32Array(0);
  const tint = (id: number) =>
    tints ? `rgb(${tints.subarray(4 * id, 4 * id + 3).join()})` : INK.text;
  const trace = (ids: number[], marker: Record<string, unknown>): PlotlyTrace => ({
    type: "scatter",
    mode: "markers",
    x: ids.map((id) => xy[2 * id]),
    y: ids.map((id) => xy[2 * id + 1]),
    hoverinfo: "skip",
    marker,
  });
  return [
    landTrace(layout),
    trace(every, { size: 3, opacity: 0.5, color: every.map(tint) }),
    trace(lit, {
      size: lit.map((_, i) => 10 + 16 * bright[i]!),
      opacity: 0.2 * glow,
      color: lit.map(tint),
    }),
    trace(lit, {
      size: lit.map((_, i) => 4 + 3 * bright[i]!),
      opacity: Math.sqrt(glow),
      color: INK.lamp,
    }),
  ];
}
