/**
 * The map's Plotly figure, which owns the axes, pan, wheel and lasso. Touch gestures are our own, because
 * Plotly cannot pinch. It reports view changes, and accepts a view from outside.
 */

import type { PlotlyConfig, PlotlyDiv, PlotlyLibrary } from "../../charts/plotly/library.d";
import { getPlotly, QUIET_CONFIG, quietLayout } from "../../charts/plotly/plotly";
import { cssColour } from "../../model/theme";
import { TouchGestures, type DragMode } from "./touch";
import type { Point } from "./lasso";
import { toMapPosition, UNIT_SQUARE, zoomView, type MapRect } from "../../model/plane/viewport";

/** Handlers of the figure's events. */
interface PlotlyAxesEvents {
  viewChanged(view: MapRect): void;
  homeRequested(): void;
  /** Handle a finished outline around tokens, in map units. */
  areaDrawn(corners: Point[]): void;
  /** Show the outline that a finger is drawing, in CSS pixels from the map's corner; null once it is done. */
  outlineChanged(line: Point[] | null): void;
}

const MAP_CONFIG: PlotlyConfig = {
  ...QUIET_CONFIG,
  scrollZoom: true,
  doubleClick: false,
  responsive: false,
};

/** The map's Plotly figure. */
export class PlotlyAxes {
  private plotted: PlotlyDiv | null = null;
  private library: PlotlyLibrary | null = null;
  private view: MapRect | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Number of our own changes in progress: they may overlap. */
  private applying = 0;
  private drag: DragMode = "pan";
  /** True while a mouse button is held on the map. */
  private pressed = false;
  private readonly touch: TouchGestures;

  constructor(
    private readonly div: HTMLElement,
    private readonly events: PlotlyAxesEvents,
  ) {
    this.touch = new TouchGestures(div, {
      currentView: () => this.view,
      viewChanged: (view) => {
        this.events.viewChanged(view);
        this.setView(view);
      },
      dragMode: () => this.drag,
      outlineChanged: (line) => this.events.outlineChanged(line),
      outlineFinished: (line) => this.events.areaDrawn(line.map((point) => this.mapPointOf(point))),
    });
    div.addEventListener("pointerdown", this.press, { capture: true });
    addEventListener("pointerup", this.release);
    addEventListener("pointercancel", this.release);
    void this.createPlot();
  }

  private readonly press = () => (this.pressed = true);
  private readonly release = () => (this.pressed = false);

  /** Move the axes to a view after a short delay; the lamps already show it. */
  setView(view: MapRect) {
    this.view = view;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.apply(), 80);
  }

  /** Set the effect of dragging, with a mouse or a finger. */
  setDrag(drag: DragMode) {
    if (drag === this.drag) return;
    this.drag = drag;
    this.touch.cancelOutline();
    if (this.library && this.plotted) void this.library.relayout(this.plotted, { dragmode: drag });
  }

  fitToElement() {
    if (this.library && this.plotted) void this.library.Plots.resize(this.plotted);
  }

  /** Zoom about the centre; a factor below 1 zooms in. */
  zoom(factor: number) {
    if (!this.view) return;
    this.view = zoomView(this.view, factor);
    this.events.viewChanged(this.view);
    this.setView(this.view);
  }

  stop() {
    clearTimeout(this.timer);
    this.touch.stop();
    this.div.removeEventListener("pointerdown", this.press, { capture: true });
    removeEventListener("pointerup", this.release);
    removeEventListener("pointercancel", this.release);
    if (this.plotted) this.library?.purge(this.plotted);
    this.library = this.plotted = null;
  }

  private async createPlot() {
    try {
      this.library = await getPlotly();
    } catch {
      return; // Without Plotly the map is visible but cannot be moved.
    }
    const { library } = this;
    this.plotted = await library.newPlot(this.div, [], this.plotlyLayout(), MAP_CONFIG);
    const handleRelayout = (changes: Record<string, unknown>) => {
      const full = this.plotted?._fullLayout;
      // Ignore our own changes, and size changes: the viewer did not make them.
      if (!full || this.applying || !Object.keys(changes).some((key) => key.includes("range["))) {
        return;
      }
      const [x0, x1] = full.xaxis.range;
      const [y0, y1] = full.yaxis.range;
      clearTimeout(this.timer);
      this.view = { x0, x1, y0, y1 };
      this.events.viewChanged(this.view);
    };
    this.apply();
    this.plotted.on?.("plotly_relayouting", handleRelayout);
    this.plotted.on?.("plotly_relayout", handleRelayout);
    this.plotted.on?.("plotly_doubleclick", () => this.events.homeRequested());
    this.plotted.on?.("plotly_selected", (drawn) => this.handleSelected(drawn));
  }

  /** Report the outline. Plotly cannot tell which tokens are inside, because its figure has no points. */
  private handleSelected(selection: Record<string, unknown> | undefined) {
    const { lassoPoints } = (selection ?? {}) as { lassoPoints?: { x: number[]; y: number[] } };
    if (!lassoPoints) return;
    // The outline is no longer needed, but Plotly is about to draw it.
    setTimeout(() => this.removeOutline(), 0);
    this.events.areaDrawn(lassoPoints.x.map((x, i) => ({ x, y: lassoPoints.y[i]! })));
  }

  /** Remove Plotly's outline. */
  private removeOutline() {
    if (!this.library || !this.plotted) return;
    void this.library.relayout(this.plotted, { selections: [] });
  }

  /** Return the map position of a point given in CSS pixels from the corner. */
  private mapPointOf({ x, y }: Point): Point {
    const view = this.view ?? UNIT_SQUARE;
    const { clientWidth: width, clientHeight: height } = this.div;
    const [mapX, mapY] = toMapPosition({ view, width, height }, x, y);
    return { x: mapX, y: mapY };
  }

  private apply() {
    if (!this.view || !this.library || !this.plotted) return;
    if (this.pressed && this.drag !== "pan") {
      // Moving the axes would remove the outline being drawn.
      this.timer = setTimeout(() => this.apply(), 80);
      return;
    }
    const { x0, x1, y0, y1 } = this.view;
    this.applying += 1;
    void this.library
      .relayout(this.plotted, { "xaxis.range": [x0, x1], "yaxis.range": [y0, y1] })
      .finally(() => (this.applying -= 1));
  }

  private plotlyLayout() {
    const { x0, x1, y0, y1 } = this.view ?? UNIT_SQUARE;
    const axis = { visible: false, autorange: false, fixedrange: false };
    return quietLayout({
      margin: { l: 0, r: 0, t: 0, b: 0 },
      xaxis: { ...axis, range: [x0, x1] },
      yaxis: { ...axis, range: [y0, y1] },
      dragmode: this.drag,
      hovermode: false,
      newselection: { line: { color: cssColour("lamp"), width: 1.5, dash: "solid" } },
    });
  }
}
