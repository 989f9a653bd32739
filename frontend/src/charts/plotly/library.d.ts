/** Types of the small part of plotly.js that this page uses. The server takes the library from the `plotly` package. */

export interface PlotlyAxis {
  range: [number, number];
}

export interface PlotlyDiv extends HTMLElement {
  _fullLayout?: { xaxis: PlotlyAxis; yaxis: PlotlyAxis };
  on?(event: string, handler: (data: Record<string, unknown>) => void): void;
}

export type PlotlyTrace = Record<string, unknown>;
export type PlotlyLayout = Record<string, unknown>;

export interface PlotlyButton {
  name: string;
  title: string;
  icon: unknown;
  /** Attribute of the layout that the button sets, and its value; Plotly marks the button while it has that value. */
  attr?: string;
  val?: string;
  click: () => void;
}

export interface PlotlyConfig {
  displaylogo?: boolean;
  displayModeBar?: boolean | "hover";
  modeBarButtons?: (string | PlotlyButton)[][];
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
  Icons: Record<string, unknown>;
}

declare global {
  interface Window {
    Plotly?: PlotlyLibrary;
  }
}
