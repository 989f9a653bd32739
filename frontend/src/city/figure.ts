/**
 * The map's figure: Plotly owns its axes, pan, wheel, lasso and mode bar; fingers are ours, since Plotly
 * does not pinch. Tells the view while it changes, and takes one from outside.
 */

import type { PlotlyDiv, PlotlyLibrary, Trace } from "../charts/library";
import { plotly, quietFigure } from "../charts/plotly";
import { Fingers, type Drag } from "./fingers";
import { boxOfCorners, type Point } from "./lasso";
import { zoomed, type View } from "./placement";

export interface FigureEvents {
  viewed(view: View): void;
  home(): void;
  save(): void;
  /** A button of the mode bar was pressed. */
  drags(drag: Drag): void;
  /** A line was drawn around tokens, in map units. */
  surrounded(corners: Point[]): void;
  /** A finger is drawing, in CSS pixels from the map's corner; null: it is done. */
  drawing(line: Point[] | null): void;
}

export interface FigureWords {
  home: string;
  save: string;
  pan?: string;
  lasso?: string;
  box?: string;
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
  private drag: Drag = "pan";
  private readonly fingers: Fingers;

  constructor(
    private readonly div: HTMLElement,
    private readonly events: FigureEvents,
    private readonly words: FigureWords,
  ) {
    this.fingers = new Fingers(div, {
      view: () => this.view,
      viewed: (view) => {
        this.events.viewed(view);
        this.setView(view);
      },
      draws: () => this.drag,
      drawing: (line) => this.events.drawing(line),
      drawn: (line) => this.events.surrounded(line.map((point) => this.placeOf(point))),
    });
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

  /** What dragging does, with a mouse or a finger. */
  setDrag(drag: Drag) {
    if (drag === this.drag) return;
    this.drag = drag;
    this.fingers.forget();
    if (this.library && this.plotted) void this.library.relayout(this.plotted, { dragmode: drag });
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
    this.fingers.stop();
    if (this.plotted) this.library?.purge(this.plotted);
    this.library = this.plotted = null;
  }

  private readonly redraw = () => {
    const { library, plotted } = this;
    if (!library || !plotted) return;
    // A hand that drags keeps hold of what it drags: the new lines wait until it rests.
    const wait = this.movedAt + REST - performance.now();
    if (wait > 0 || this.fingers.touching)
      this.redrawing = setTimeout(this.redraw, Math.max(80, wait));
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
    this.plotted.on?.("plotly_selected", (drawn) => this.selected(drawn));
  }

  /** Plotly says what was drawn, not what is in it: a figure without points has none to say. */
  private selected(drawn: Record<string, unknown> | undefined) {
    const { lassoPoints, range } = (drawn ?? {}) as Partial<
      Record<"lassoPoints" | "range", { x: number[]; y: number[] }>
    >;
    if (!lassoPoints && !range) return;
    // The outline has done its work. Plotly is still about to draw it.
    setTimeout(() => this.wipe(), 0);
    if (lassoPoints) {
      this.events.surrounded(lassoPoints.x.map((x, i) => ({ x, y: lassoPoints.y[i]! })));
    } else if (range) {
      const [one, other] = [0, 1].map((i) => ({ x: range.x[i]!, y: range.y[i]! }));
      this.events.surrounded(boxOfCorners(one!, other!));
    }
  }

  private wipe() {
    if (!this.library || !this.plotted) return;
    void this.library.relayout(this.plotted, { selections: [] });
    // Where Plotly draws the lamps itself, it has dimmed those outside.
    if (this.traces.length) this.setTraces(this.traces.map((trace) => ({ ...trace })));
  }

  /** Map units of a point given in CSS pixels from the corner. */
  private placeOf({ x, y }: Point): Point {
    const { x0, x1, y0, y1 } = this.view ?? { x0: 0, x1: 1, y0: 0, y1: 1 };
    return {
      x: x0 + (x / this.div.clientWidth) * (x1 - x0),
      y: y1 - (y / this.div.clientHeight) * (y1 - y0),
    };
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
      dragmode: this.drag,
      hovermode: false,
      newselection: { line: { color: "#ffe9c4", width: 1.5, dash: "solid" } },
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
    // Ours: Plotly's own are left out of a figure without points. What is on is Plotly's to mark.
    const dragging = (val: Drag, icon: string, title = "") => ({
      name: `drag-${val}`,
      title,
      icon: library.Icons[icon],
      attr: "dragmode",
      val,
      click: () => this.events.drags(val),
    });
    const drags = [
      dragging("pan", "pan", this.words.pan),
      dragging("lasso", "lasso", this.words.lasso),
      dragging("select", "selectbox", this.words.box),
    ];
    return {
      displaylogo: false,
      displayModeBar: true,
      modeBarButtons: [
        [
          "zoomIn2d",
          "zoomOut2d",
          home,
          ...(this.words.lasso ? drags : []),
          ...(this.words.save ? [save] : []),
        ],
      ],
      scrollZoom: true,
      doubleClick: false as const,
      responsive: false,
      showTips: false,
    };
  }
}
