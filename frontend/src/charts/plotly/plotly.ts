/**
 * The Plotly library, loaded on demand, and the settings that all figures share.
 *
 * It is the basic bundle, whose traces are scatter, bar and pie: docs/decisions/0031.
 */

import { getSource } from "../../api/source";
import { scaledPixels } from "../../model/type-scale";
import { cssColour } from "../../model/theme";
import { FONT_FAMILY } from "../../model/typeface";
import type { PlotlyLayout, PlotlyConfig, PlotlyLibrary } from "./library.d";

const PLOTLY = "/vendor/plotly.min.js";

let library: Promise<PlotlyLibrary> | undefined;

/** Maximum wait for the first map before Plotly is loaded, in ms: there may be no map. */
const MAX_WAIT = 2_500;

let allow: () => void;
const allowed = new Promise<void>((done) => (allow = done));

/** Allow Plotly to load once the first map is drawn: parsing it blocks the page for a long time. */
export function allowPlotly() {
  allow();
}

/** Return Plotly, loaded from our own server on first use. Rejects if it fails to load. */
export function getPlotly(): Promise<PlotlyLibrary> {
  library ??= whenLoaded();
  return library;
}

async function whenLoaded(): Promise<PlotlyLibrary> {
  const there = ownPlotly();
  if (there) return there;
  await Promise.race([allowed, new Promise((done) => setTimeout(done, MAX_WAIT))]);
  if (!document.getElementById(UNUSED_STYLE_ID)) {
    const unused = document.createElement("meta");
    unused.id = UNUSED_STYLE_ID;
    document.head.append(unused);
  }
  await getSource().runScript(PLOTLY);
  const loaded = ownPlotly();
  if (!loaded) throw new Error("no Plotly");
  return loaded;
}

/** Return the library if its script has run. A function, because it may run during an await. */
function ownPlotly(): PlotlyLibrary | undefined {
  return window.Plotly;
}

/**
 * Load Plotly for one element, when its component is mounted. `ready` is called once Plotly has loaded. The
 * result's `dispose`, for when the component is unmounted, purges the figure after the drawing in progress.
 */
export function loadPlotly(div: HTMLElement, ready: (plotly: PlotlyLibrary) => void): PlotlyLoader {
  let loaded: PlotlyLibrary | null = null;
  let released = false;
  const loader: PlotlyLoader = {
    drawing: Promise.resolve(),
    dispose() {
      released = true;
      // Plotly draws in several tasks; the figure has to stay until the last of them.
      const purge = () => loaded?.purge(div);
      loader.drawing.then(purge, purge);
    },
  };
  getPlotly().then(
    (library) => {
      if (!released) ready((loaded = library));
    },
    () => undefined,
  );
  return loader;
}

export interface PlotlyLoader {
  /** The drawing in progress, set by the component that draws. */
  drawing: Promise<unknown>;
  dispose: () => void;
}

// plotly.js also carries the style sheet of a library for geographic maps, and inserts it inline unless an
// element with this id exists. The content security policy forbids inline styles, and the sheet is not
// needed.
const UNUSED_STYLE_ID = "9f215cf04c5486422605d13261cb87401f4e7763b6296af81e98efbc0130da53";

/** Return the page's font. `size` is in pixels at a root font size of 15 px. */
export function pageFont(size: number): { family: string; size: number } {
  return { family: FONT_FAMILY, size: scaledPixels(size) };
}

/** The decimal and thousands separators of the page's language; null until they are needed. */
let separators: string | null = null;

function numberMarks(): string {
  const number = new Intl.NumberFormat(document.documentElement.lang).format(12_345.6);
  return number.at(-2)! + number.charAt(2);
}

/** Return a plain layout with `changes` applied: transparent, small type, thin lines. */
export function quietLayout(changes: PlotlyLayout): PlotlyLayout {
  return {
    separators: (separators ??= numberMarks()),
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { ...pageFont(13), color: cssColour("quiet") },
    showlegend: false,
    hoverlabel: {
      bgcolor: cssColour("raised"),
      bordercolor: cssColour("line"),
      font: { ...pageFont(13), color: cssColour("text") },
    },
    uirevision: "same",
    ...changes,
  };
}

const QUIET = cssColour("quiet");

export const QUIET_AXIS = {
  gridcolor: `${QUIET}22`,
  zeroline: false,
  linecolor: `${QUIET}40`,
  tickcolor: `${QUIET}40`,
  automargin: false,
  separatethousands: true,
};

export const QUIET_CONFIG: PlotlyConfig = {
  displaylogo: false,
  displayModeBar: false,
  showTips: false,
};

/** Escape text so that Plotly shows it literally; otherwise it interprets tags, entities and TeX. */
export function escapeText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("$", "&#36;");
}
