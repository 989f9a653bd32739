/**
 * The Plotly library, once it is there, and what all figures have in common.
 *
 * Only SVG traces are used: the WebGL ones compile code at run time, which our content security policy
 * does not allow.
 */

import { createSubscriber } from "svelte/reactivity";
import type { Figure, PlotlyConfig, PlotlyLibrary } from "./library.d";

let library: Promise<PlotlyLibrary> | undefined;

/** How long Plotly waits for the first city, in ms: there may be none. */
const PATIENCE = 2_500;

let admit: () => void;
const admitted = new Promise<void>((done) => (admit = done));

/** The first city is there. Plotly, which keeps the page busy for long when it is read, may come now. */
export function admitPlotly() {
  admit();
}

/** Plotly, loaded at first need from our own server; rejected when it cannot be had. */
export function plotly(): Promise<PlotlyLibrary> {
  library ??= loaded();
  return library;
}

async function loaded(): Promise<PlotlyLibrary> {
  if (window.Plotly) return window.Plotly;
  await Promise.race([admitted, new Promise((done) => setTimeout(done, PATIENCE))]);
  return new Promise((resolve, reject) => {
    const settle = () => (window.Plotly ? resolve(window.Plotly) : reject(new Error("no Plotly")));
    const script =
      document.querySelector<HTMLScriptElement>("script[data-plotly]") ?? requestScript();
    script.addEventListener("load", settle);
    script.addEventListener("error", settle);
  });
}

/**
 * Plotly for one element, to be called where a component comes and goes: `ready` is told once it is there, and what was
 * drawn is let go of when the component is, but not before it is drawn to the end. Returns what does that.
 */
export function begin(div: HTMLElement, ready: (plotly: PlotlyLibrary) => void): Beginning {
  let loaded: PlotlyLibrary | null = null;
  let gone = false;
  const begun: Beginning = {
    drawing: Promise.resolve(),
    end() {
      gone = true;
      // Plotly draws in several turns: until the last of them the figure has to stay.
      const purge = () => {
        // The browser's compiler remembers the camera of a scene, which holds its element and what is in it.
        const scenes = div.querySelectorAll("#scene");
        loaded?.purge(div);
        for (const one of scenes) one.replaceChildren();
      };
      begun.drawing.then(purge, purge);
    },
  };
  plotly().then(
    (library) => {
      if (!gone) ready((loaded = library));
    },
    () => undefined,
  );
  return begun;
}

export interface Beginning {
  /** What is being drawn; whoever draws says so here. */
  drawing: Promise<unknown>;
  end: () => void;
}

function requestScript(): HTMLScriptElement {
  const script = document.createElement("script");
  script.src = "/vendor/plotly.min.js";
  script.dataset["plotly"] = "";
  const unused = document.createElement("meta");
  unused.id = UNUSED_SHEET;
  document.head.append(unused, script);
  return script;
}

// plotly.js also carries the style sheet of a library for geographic maps, and inserts it inline unless
// an element of this id is there. Inline styles are refused here (and that sheet is of no use).
const UNUSED_SHEET = "9f215cf04c5486422605d13261cb87401f4e7763b6296af81e98efbc0130da53";

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

/** Another size of the window may have another root: what was reckoned with it is reckoned again. */
const resized = createSubscriber((update) => {
  addEventListener("resize", update);
  return () => removeEventListener("resize", update);
});

/** As many pixels as `size` are where the page's root is 14 pixels: what surrounds type grows with it. */
export function scaled(size: number): number {
  resized();
  const root = parseFloat(getComputedStyle(document.documentElement).fontSize) || 14;
  return (size * root) / 14;
}

/** Type as large as the page's: `size` is for a root of 14 pixels. */
export function type(size: number): { family: string; size: number } {
  return { family: FONT, size: scaled(size) };
}

/** A quiet figure on the night: transparent, small type, thin lines. */
export function quietFigure(changes: Figure): Figure {
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { ...type(11), color: "#9aaccf" },
    showlegend: false,
    hoverlabel: {
      bgcolor: "#12203c",
      bordercolor: "#2b3c68",
      font: { ...type(12), color: "#d7e0f5" },
    },
    uirevision: "same",
    ...changes,
  };
}

export const QUIET_AXIS = {
  gridcolor: "rgba(143,163,200,0.13)",
  zeroline: false,
  linecolor: "rgba(143,163,200,0.25)",
  tickcolor: "rgba(143,163,200,0.25)",
  automargin: false,
};

export const QUIET: PlotlyConfig = { displaylogo: false, displayModeBar: false, showTips: false };

/** Text as Plotly shall show it, letter by letter: it reads tags, entities and TeX otherwise. */
export function plain(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("$", "&#36;");
}
