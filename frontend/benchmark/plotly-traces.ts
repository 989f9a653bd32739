/** The map as Plotly traces, which the benchmark compares with ours: the same data and colours. Pure. */

import type { Layout } from "../src/api/frames";
import type { Vocabulary } from "../src/api/vocabulary";
import type { PlotlyTrace } from "../src/charts/plotly/library.d";
import { lampStrengths } from "../src/map/easing";
import { INK } from "../src/map/palette";
import { densityOf } from "../src/map/regions/density";
import { coordinates, placementOf, robustBounds } from "../src/model/plane/placement";

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

/** Return the lamps, the glow of the lit ones and the lit ones as scattergl traces. */
export function lampTraces(
  layout: Layout,
  vocabulary: Vocabulary,
  beat: { ids: Uint32Array; norms: Float32Array },
  /** Four bytes per token, as in the WebGL renderer. */
  tints: Uint8Array,
): PlotlyTrace[] {
  const xy = coordinates(placementOf(layout));
  const every = Array.from(vocabulary.byCount);
  const lit = Array.from(beat.ids);
  const bright = lampStrengths(beat.norms);
  const tint = (id: number) => `rgb(${tints.subarray(4 * id, 4 * id + 3).join()})`;
  const trace = (ids: number[], marker: Record<string, unknown>): PlotlyTrace => ({
    type: "scattergl",
    mode: "markers",
    x: ids.map((id) => xy[2 * id]),
    y: ids.map((id) => xy[2 * id + 1]),
    hoverinfo: "skip",
    marker,
  });
  return [
    trace(every, { size: 3, opacity: 0.5, color: every.map(tint) }),
    trace(lit, {
      size: lit.map((_, i) => 10 + 16 * bright[i]!),
      opacity: 0.2,
      color: lit.map(tint),
    }),
    trace(lit, { size: lit.map((_, i) => 4 + 3 * bright[i]!), opacity: 1, color: INK.lamp }),
  ];
}
