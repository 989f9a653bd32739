/** Types of the small part of plotly.js that this page uses. */

export interface PlotlyAxis {
  range: [number, number];
}

export interface PlotlyDiv extends HTMLElement {
  _fullLayout?: { xaxis: PlotlyAxis; yaxis: PlotlyAxis };
  on?(event: string, handler: (data: Record<string, unknown>) => void): void;
}

export type PlotlyTrace = Record<string, unknown>;
export type PlotlyLayout = Record<string, unknown>;

export interface PlotlyConfig {
  displaylogo?: boolean;
  displayModeBar?: boolean | "hover";
  scrollZoom?: boolean;
  doubleClick?: false | "reset";
  responsive?: boolean;
  staticPlot?: boolean;
  showTips?: boolean;
}

export interface PlotlyLibrary {
  newPlot(
    div: HTMLElement,
    data: PlotlyTrace[],
    layout: PlotlyLayout,
    config?: PlotlyConfig,
  ): Promise<PlotlyDiv>;
  react(
    div: HTMLElement,
    data: PlotlyTrace[],
    layout: PlotlyLayout,
    config?: PlotlyConfig,
  ): Promise<PlotlyDiv>;
  relayout(div: HTMLElement, changes: PlotlyLayout): Promise<PlotlyDiv>;
  purge(div: HTMLElement): void;
  Plots: { resize(div: HTMLElement): Promise<void> };
}

declare global {
  interface Window {
    Plotly?: PlotlyLibrary;
  }
}
