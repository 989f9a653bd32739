/** The timeline as a Plotly figure: loss and smoothed loss by step. */

import { QUIET_AXIS, quietLayout } from "../plotly/plotly";
import { scaledPixels } from "../../model/type-scale";
import type { PlotlyLayout, PlotlyTrace } from "../plotly/library.d";

/** The series of the timeline, each indexed like `steps`. */
interface TimelineSeries {
  steps: number[];
  losses: number[];
  smooth: number[];
}

/** Return the lines, the most important last, so that it is on top. */
export function timelineTraces({ steps, losses, smooth }: TimelineSeries): PlotlyTrace[] {
  const line = (y: number[], style: Record<string, unknown>) => ({
    type: "scatter",
    mode: "lines",
    x: steps,
    y,
    line: style,
    hoverinfo: "skip",
  });
  return [
    line(losses, { color: "rgba(143,163,200,0.3)", width: 1 }),
    line(smooth, { color: "#ffe9c4", width: 1.6 }),
  ];
}

/** Return the layout of an axis that ends with step `last`; distances in pixels. */
export function timelineLayout({
  left,
  right,
  last,
  heights,
  ticks,
}: {
  left: number;
  right: number;
  last: number;
  /** Range of the loss axis; null for Plotly's own. */
  heights: [number, number] | null;
  /** Limit on the steps named below the axis. */
  ticks: number;
}): PlotlyLayout {
  const axis = { ...QUIET_AXIS, fixedrange: true, showgrid: false };
  return quietLayout({
    margin: { l: left, r: right, t: scaledPixels(4), b: scaledPixels(22) },
    hovermode: false,
    xaxis: { ...axis, range: [0, last], tickangle: 0, nticks: ticks },
    yaxis: { ...axis, visible: false, ...(heights && { range: heights }) },
  });
}
