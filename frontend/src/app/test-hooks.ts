/**
 * `window.__lamplighter`: what browser tests and benchmarks may read. Nothing in the page uses it.
 *
 * Times are Unix milliseconds (`performance.timeOrigin + performance.now()`).
 */

import type { Beat, Scene } from "../map/scene/scene";
import type { App } from "../state/app-state.svelte";
import type { Tally } from "../state/live/frame-counts";

export interface Hooks {
  /** The newest step decoded, lit or not. */
  readonly step: number;
  /** The beat that is on, or null. `decodedAt` is null for a beat read from the record. */
  readonly beat: {
    step: number;
    ids: number[];
    decodedAt: number | null;
    paintedAt: number | null;
  } | null;
  /** Frames taken up, the steps that they told, and the steps that had to come from the record. */
  readonly received: Pick<Tally, "frames" | "merged" | "lost" | "stretches" | "gaps"> | null;
  /** Step of the newest layout received, by method. */
  readonly layoutSteps: { linear: number | null; umap: number | null };
  /** The step that whoever stands in the past wants to see. */
  readonly wanted: number | null;
  /** What the map shows: method and step. */
  readonly shown: { method: string; step: number } | null;
  /** The last frames that were the first to show a beat, in order. */
  readonly paintings: readonly Painting[];
  /** Frames drawn with the city or the view halfway between two places: none where motion is not wanted. */
  readonly glided: number;
  /** Tokens with a ring, and the lines from the chosen one. */
  readonly ringed: number[];
  readonly links: { id: number; kind: string }[];
  /** Words written on the map now. */
  readonly labels: string[];
  /** Bytes sent to the GPU since the start; null without WebGL2. */
  readonly uploaded: number | null;
  /** Pixels that the lit lamps alone brighten, at this moment. Reads back: slow. */
  litPixels(): number;
  /** Where a token is on the page, CSS pixels from the map's corner. */
  pixelOf(id: number): [number, number];
}

declare global {
  interface Window {
    __lamplighter?: Hooks;
  }
}

/** A frame that was the first to show a beat: its step and how many rows it lit, and the map that it was drawn on. */
export interface Painting {
  step: number;
  rows: number;
  map: { method: string; step: number } | null;
  at: number;
}

/** Paintings that are remembered. */
const REMEMBERED = 100;

export class Paintings {
  scene: Scene | null = null;
  readonly last: Painting[] = [];

  painted({ step, ids }: Beat) {
    const map = mapOf(this.scene);
    const at = performance.timeOrigin + performance.now();
    this.last.push({ step, rows: ids.length, map, at });
    if (this.last.length > REMEMBERED) this.last.shift();
  }
}

function mapOf(scene: Scene | null): Painting["map"] {
  const layout = scene?.layout;
  return layout ? { method: layout.method, step: layout.step } : null;
}

export function installHooks(app: App, paintings: Paintings) {
  const hooks: Hooks = {
    get step() {
      return app.run?.counters?.step ?? 0;
    },
    get beat() {
      const beat = app.run?.beat;
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
      if (!app.run) return null;
      const { frames, merged, lost, stretches, gaps } = app.run.tally;
      return { frames, merged, lost, stretches, gaps };
    },
    get layoutSteps() {
      const { linear, umap } = app.run?.layouts ?? {};
      return { linear: linear?.step ?? null, umap: umap?.step ?? null };
    },
    get wanted() {
      return app.run?.standing?.wanted ?? null;
    },
    get shown() {
      return mapOf(paintings.scene);
    },
    get paintings() {
      return paintings.last;
    },
    get glided() {
      return paintings.scene?.glided ?? 0;
    },
    get ringed() {
      return paintings.scene?.marks().among ?? [];
    },
    get links() {
      return paintings.scene?.marks().links ?? [];
    },
    get labels() {
      return paintings.scene?.written() ?? [];
    },
    get uploaded() {
      return paintings.scene?.lights?.uploaded ?? null;
    },
    litPixels: () => paintings.scene?.litPixels() ?? 0,
    pixelOf: (id) => paintings.scene?.pixelOf(id) ?? [NaN, NaN],
  };
  window.__lamplighter = Object.freeze(hooks);
}
