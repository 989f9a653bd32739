/** The timeline as a Plotly figure: loss, smoothed loss and coverage by step. */

import { QUIET_AXIS, quietLayout, scaledPixels } from "../plotly/plotly";
import type { PlotlyLayout, PlotlyTrace } from "../plotly/library.d";

/** The series of the timeline, each by index of `steps`. */
interface TimelineSeries {
  steps: number[];
  losses: number[];
  smooth: number[];
  /** Share of rows that were in a batch at least once, 0 to 1; null where not known. */
  coverage: (number | null)[];
}

/** Return the lines, the most important last, above the others. */
export function timelineTraces({ steps, losses, smooth, coverage }: TimelineSeries): PlotlyTrace[] {
  const line = (y: (number | null)[], style: Record<string, unknown>, more: PlotlyTrace = {}) => ({
    type: "scatter",
    mode: "lines",
    x: steps,
    y,
    line: style,
    hoverinfo: "skip",
    ...more,
  });
  return [
    line(losses, { color: "rgba(143,163,200,0.3)", width: 1 }),
    line(coverage, { color: "#7fb2ff", width: 1.4, dash: "dot" }, { yaxis: "y2" }),
    line(smooth, { color: "#ffe9c4", width: 1.6 }),
  ];
}

/** Return the layout of an axis that ends with step `last`; distances in pixels. */
export function timelineLayout({
  left,
  right,
  last,
  heights,
  compact,
  handleReach,
}: {
  left: number;
  right: number;
  last: number;
  /** Range of the loss axis; null for Plotly's own. */
  heights: [number, number] | null;
  /** True to leave out the scales beside the axis. */
  compact: boolean;
  /** Reach of the handle around its line, which labels keep clear of. */
  handleReach: number;
}): PlotlyLayout {
  const axis = { ...QUIET_AXIS, fixedrange: true, showticklabels: !compact };
  return quietLayout({
    margin: { l: left, r: right, t: scaledPixels(8), b: scaledPixels(22) },
    hovermode: false,
    xaxis: { ...QUIET_AXIS, fixedrange: true, showgrid: false, range: [0, last] },
    yaxis: { ...axis, nticks: 4, ...(heights && { range: heights }) },
    yaxis2: {
      ...axis,
      overlaying: "y",
      side: "right",
      range: [0, 1.04],
      tickvals: [0, 0.5, 1],
      tickformat: ".0%",
      ticklabelstandoff: handleReach,
      showgrid: false,
      tickfont: { color: "#9cc3ff" },
    },
  });
}
