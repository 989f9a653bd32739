/**
 * The map's figure: Plotly owns its axes, pan, wheel and mode bar; fingers are ours, since Plotly does
 * not pinch. Tells the view while it changes, and takes one from outside.
 */

import type { PlotlyDiv, PlotlyLibrary, Trace } from "../charts/library";
import { plotly, quietFigure } from "../charts/plotly";
import { zoomed, type View } from "./placement";

export interface FigureEvents {
  viewed(view: View): void;
  home(): void;
  save(): void;
}

export interface FigureWords {
  home: string;
  save: string;
}

/** How long a view that was moved must rest until what Plotly draws may change, in ms. */
const REST = 250;

export class Figure {
  private plotted: PlotlyDiv | null = null;
  private library: PlotlyLibrary | null = null;
  private view: View | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private traces: Trace[] = [];
  private applying = false;
  private redrawing: ReturnType<typeof setTimeout> | undefined;
  private movedAt = -Infinity;
  private fingers = new Map<number, { x: number; y: number }>();

  constructor(
    private readonly div: HTMLElement,
    private readonly events: FigureEvents,
    private readonly words: FigureWords,
  ) {
    div.addEventListener("touchstart", this.touched, { capture: true, passive: false });
    div.addEventListener("touchmove", this.dragged, { capture: true, passive: false });
    div.addEventListener("touchend", this.lifted, { capture: true });
    div.addEventListener("touchcancel", this.lifted, { capture: true });
    void this.begin();
  }

  /** The axes shall show this; soon is enough, since the lamps already do. */
  setView(view: View) {
    this.view = view;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.apply(), 80);
  }

  /** What Plotly itself draws: trails, and the lamps too where there is no WebGL2. */
  setTraces(traces: Trace[]) {
    if (!traces.length && !this.traces.length) return;
    this.traces = traces;
    clearTimeout(this.redrawing);
    this.redraw();
  }

  resize() {
    if (this.library && this.plotted) void this.library.Plots.resize(this.plotted);
  }

  zoom(factor: number) {
    if (!this.view) return;
    this.view = zoomed(this.view, factor);
    this.events.viewed(this.view);
    this.setView(this.view);
  }

  stop() {
    clearTimeout(this.timer);
    clearTimeout(this.redrawing);
    if (this.plotted) this.library?.purge(this.plotted);
    this.library = this.plotted = null;
  }

  private readonly redraw = () => {
    const { library, plotted } = this;
    if (!library || !plotted) return;
    // A hand that drags keeps hold of what it drags: the new lines wait until it rests.
    const wait = this.movedAt + REST - performance.now();
    if (wait > 0 || this.fingers.size) this.redrawing = setTimeout(this.redraw, Math.max(80, wait));
    else void library.react(plotted, this.traces, this.figure(), this.config(library));
  };

  private async begin() {
    try {
      this.library = await plotly();
    } catch {
      return; // Without Plotly the map can be seen, not moved.
    }
    const { library } = this;
    this.plotted = await library.newPlot(
      this.div,
      this.traces,
      this.figure(),
      this.config(library),
    );
    const told = (changes: Record<string, unknown>) => {
      const full = this.plotted?._fullLayout;
      // What we asked for ourselves, or a change of size, is not the viewer's doing.
      if (!full || this.applying || !Object.keys(changes).some((key) => key.includes("range["))) {
        return;
      }
      const [x0, x1] = full.xaxis.range;
      const [y0, y1] = full.yaxis.range;
      clearTimeout(this.timer);
      this.movedAt = performance.now();
      this.view = { x0, x1, y0, y1 };
      this.events.viewed(this.view);
    };
    this.apply();
    this.plotted.on?.("plotly_relayouting", told);
    this.plotted.on?.("plotly_relayout", told);
    this.plotted.on?.("plotly_doubleclick", () => this.events.home());
  }

  private apply() {
    if (!this.view || !this.library || !this.plotted) return;
    const { x0, x1, y0, y1 } = this.view;
    this.applying = true;
    void this.library
      .relayout(this.plotted, { "xaxis.range": [x0, x1], "yaxis.range": [y0, y1] })
      .finally(() => (this.applying = false));
  }

  private figure() {
    const { x0, x1, y0, y1 } = this.view ?? { x0: 0, x1: 1, y0: 0, y1: 1 };
    const axis = { visible: false, autorange: false, fixedrange: false };
    return quietFigure({
      margin: { l: 0, r: 0, t: 0, b: 0 },
      xaxis: { ...axis, range: [x0, x1] },
      yaxis: { ...axis, range: [y0, y1] },
      dragmode: "pan",
      hovermode: false,
      modebar: {
        orientation: "v",
        bgcolor: "rgba(0,0,0,0)",
        color: "#8fa3c8",
        activecolor: "#ffe9c4",
      },
    });
  }

  private config(library: PlotlyLibrary) {
    const home = {
      name: "whole-city",
      title: this.words.home,
      icon: library.Icons["home"],
      click: () => this.events.home(),
    };
    const save = {
      name: "save-picture",
      title: this.words.save,
      icon: library.Icons["camera"],
      click: () => this.events.save(),
    };
    return {
      displaylogo: false,
      displayModeBar: true,
      modeBarButtons: [["zoomIn2d", "zoomOut2d", home, ...(this.words.save ? [save] : [])]],
      scrollZoom: true,
      doubleClick: false as const,
      responsive: false,
      showTips: false,
    };
  }

  private readonly touched = (event: TouchEvent) => {
    if ((event.target as Element).closest(".modebar")) return;
    event.stopPropagation();
    this.remember(event);
  };

  private readonly dragged = (event: TouchEvent) => {
    if (!this.fingers.size || !this.view) return;
    event.stopPropagation();
    event.preventDefault();
    const before = [...this.fingers.values()];
    this.remember(event);
    const after = [...this.fingers.values()];
    if (before.length !== after.length) return;
    const box = this.div.getBoundingClientRect();
    const middle = (points: { x: number; y: number }[]) => ({
      x: points.reduce((sum, p) => sum + p.x, 0) / points.length,
      y: points.reduce((sum, p) => sum + p.y, 0) / points.length,
    });
    const [was, is] = [middle(before), middle(after)];
    const reach = (points: { x: number; y: number }[], from: { x: number; y: number }) =>
      Math.max(8, Math.hypot(points[0]!.x - from.x, points[0]!.y - from.y));
    const factor = after.length > 1 ? reach(before, was) / reach(after, is) : 1;
    const px = (was.x - box.left) / box.width;
    const py = 1 - (was.y - box.top) / box.height;
    const view = zoomed(this.view, factor, px, py);
    const dx = (-(is.x - was.x) / box.width) * (view.x1 - view.x0);
    const dy = ((is.y - was.y) / box.height) * (view.y1 - view.y0);
    const moved = { x0: view.x0 + dx, x1: view.x1 + dx, y0: view.y0 + dy, y1: view.y1 + dy };
    this.events.viewed(moved);
    this.setView(moved);
  };

  private readonly lifted = (event: TouchEvent) => {
    if ((event.target as Element).closest(".modebar")) return;
    event.stopPropagation();
    this.remember(event);
  };

  private remember(event: TouchEvent) {
    this.fingers.clear();
    for (const { identifier, clientX, clientY } of Array.from(event.touches).slice(0, 2)) {
      this.fingers.set(identifier, { x: clientX, y: clientY });
    }
  }
}
