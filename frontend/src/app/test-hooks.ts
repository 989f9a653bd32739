/**
 * Hooks for browser tests and benchmarks, in `window.__lamplighter`. The page itself does not use them.
 *
 * Times are Unix milliseconds (`performance.timeOrigin + performance.now()`).
 */

import { requestJson } from "../api/rest";
import type { Scene } from "../map/scene/scene";
import type { Light } from "../model/light";
import type { OpenRun } from "../state/run/open-run.svelte";
import type { FrameCounts } from "../state/live/frame-counts";

interface TestHooks {
  /** The newest decoded step, lit or not. */
  readonly step: number;
  /** The current beat, or null. `decodedAt` is null for a beat read from the record. */
  readonly beat: {
    step: number;
    ids: number[];
    decodedAt: number | null;
    paintedAt: number | null;
  } | null;
  /**
   * Counts of the received frames, and the steps that they covered or that had to be read from the record.
   */
  readonly received:
    | (Pick<FrameCounts, "frames" | "lost" | "gaps"> & {
        stretches: FrameCounts["ranges"];
      })
    | null;
  /** Step of the newest layout received, by method. */
  readonly layoutSteps: { linear: number | null; umap: number | null };
  /** The past step that the viewer requested; null without a time cursor. */
  readonly wanted: number | null;
  /** Method and step of the layout on the map. */
  readonly shown: { method: string; step: number } | null;
  /** The most recent frames that first showed a beat, oldest first. */
  readonly paintings: readonly Painting[];
  /** Number of frames drawn during a transition of the map or the view; 0 with reduced motion. */
  readonly glided: number;
  /** Ids of the lamps lit on the map. */
  readonly lit: number[];
  /** Ids of ringed tokens, and the links from the focused token. */
  readonly ringed: number[];
  /** Ids and sizes of the rings around the tokens of a model answer. */
  readonly rings: [number, number][];
  readonly links: { id: number; kind: string }[];
  /** The drawn trails: the id of the token, and the end in CSS pixels from the map's corner. */
  readonly trails: { id: number; end: [number, number] }[];
  /** Texts of the labels now on the map. */
  readonly labels: string[];
  /** The texts drawn in the last frame, with their rectangles in CSS pixels from the map's corner. */
  readonly texts: { text: string; left: number; top: number; right: number; bottom: number }[];
  /** Return the JSON at a path of the page's source (a server or a file); null if it refuses. */
  ask(path: string): Promise<unknown>;
  /**
   * Return the number of pixels that the lit lamps alone brighten now. Slow, because it reads pixels back.
   */
  litPixels(): number;
  /** Return a token's position in CSS pixels from the map's corner; NaN without a scene. */
  pixelOf(id: number): [number, number];
}

declare global {
  interface Window {
    __lamplighter?: TestHooks;
  }
}

/** A frame that first showed a beat: its step, the number of rows lit, and the layout drawn. */
interface Painting {
  step: number;
  rows: number;
  map: { method: string; step: number } | null;
  at: number;
}

/** Limit on the paintings kept. */
const MAX_PAINTINGS = 100;

export class PaintingLog {
  scene: Scene | null = null;
  readonly last: Painting[] = [];

  record({ step, ids }: Light) {
    const map = shownLayout(this.scene);
    const at = performance.timeOrigin + performance.now();
    this.last.push({ step, rows: ids.length, map, at });
    if (this.last.length > MAX_PAINTINGS) this.last.shift();
  }
}

function shownLayout(scene: Scene | null): Painting["map"] {
  const layout = scene?.layout;
  return layout ? { method: layout.method, step: layout.step } : null;
}

export function installTestHooks(openRun: OpenRun, paintings: PaintingLog) {
  const hooks: TestHooks = {
    get step() {
      return openRun.run?.displayedStep ?? 0;
    },
    get beat() {
      const beat = openRun.run?.beat;
      if (!beat) return null;
      const painting = paintings.last.at(-1);
      const paintedAt = painting?.step === beat.step ? painting.at : null;
      return {
        step: beat.step,
        ids: Array.from(beat.ids),
        decodedAt: beat.decodedAt,
        paintedAt,
      };
    },
    get received() {
      if (!openRun.run) return null;
      const { frames, lost, ranges: stretches, gaps } = openRun.run.frameCounts;
      return { frames, lost, stretches, gaps };
    },
    get layoutSteps() {
      const { linear, umap } = openRun.run?.layouts ?? {};
      return { linear: linear?.step ?? null, umap: umap?.step ?? null };
    },
    get wanted() {
      return openRun.run?.cursor?.handStep ?? null;
    },
    get shown() {
      return shownLayout(paintings.scene);
    },
    get paintings() {
      return paintings.last;
    },
    get glided() {
      return paintings.scene?.glided ?? 0;
    },
    get lit() {
      return paintings.scene?.litIds() ?? [];
    },
    get ringed() {
      return paintings.scene?.marks().ringed ?? [];
    },
    get rings() {
      return [...(paintings.scene?.marks().rings ?? [])];
    },
    get links() {
      return paintings.scene?.marks().links ?? [];
    },
    get trails() {
      return paintings.scene?.trailEnds() ?? [];
    },
    get labels() {
      return paintings.scene?.labelTexts() ?? [];
    },
    get texts() {
      return paintings.scene?.textsDrawn() ?? [];
    },
    ask: (path) => requestJson(path).catch(() => null),
    litPixels: () => paintings.scene?.litPixels() ?? 0,
    pixelOf: (id) => paintings.scene?.pixelOf(id) ?? [NaN, NaN],
  };
  window.__lamplighter = Object.freeze(hooks);
}
