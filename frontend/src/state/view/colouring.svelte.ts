/**
 * The current colouring of the lamps: recomputed on a new choice, and about once a second while its data
 * changes.
 */

import { untrack } from "svelte";
import { NEVER } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import { DIFFERENCES, isDifference, type ColourBy } from "../../model/view/view-options";
import type { OpenRun } from "../run/open-run.svelte";
import type { BiggestMovers } from "../tokens/biggest-movers.svelte";
import { trustByToken } from "../tokens/token-trust";
import { clockSize } from "../../model/clock";
import { phaseScale, strongestFrequency } from "./clock-phase";
import {
  availableColour,
  ownerScale,
  quantityScale,
  scaleOfKinds,
  stepsSinceLit,
} from "./colour-scales";
import type { ViewSettings } from "./view-settings.svelte";
import type { ColourScale } from "../../model/colour-scale";

/** Minimum milliseconds between two recomputations of a changing quantity. */
const REFRESH_INTERVAL = 1_000;
const CHANGING: ReadonlySet<ColourBy> = new Set([
  "since",
  "gradient",
  "moved",
  "trust",
  "phase",
  ...DIFFERENCES,
]);

/** The stores that colours depend on. */
interface ColourSources {
  readonly openRun: OpenRun;
  readonly viewSettings: ViewSettings;
  readonly biggestMovers: BiggestMovers;
}

export class Colouring {
  /** The active colouring; it differs from the requested one if the run has no families, classes or differences. */
  readonly by: ColourBy = $derived.by(() => {
    const { run } = this.sources.openRun;
    const { colourBy } = this.sources.viewSettings;
    const unknown =
      colourBy === "age"
        ? !run?.ages
        : colourBy === "owner"
          ? !run?.info?.owners
          : isDifference(colourBy) && !this.compares;
    const known = unknown ? "family" : colourBy;
    return availableColour(known, run?.vocabulary ?? null);
  });
  private readonly compares = $derived.by(() => this.sources.openRun.run?.compared != null);

  readonly scale: ColourScale | null = $derived.by(() => {
    const vocabulary = this.sources.openRun.run?.vocabulary;
    return vocabulary ? this.buildScale(this.by, vocabulary) : null;
  });

  /** The frequency whose circle gives numbers their colours; 0 before the first. */
  private frequency = 0;
  private refreshes = $state(0);
  private lastRefresh = -Infinity;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly sources: ColourSources) {
    $effect(() => {
      const { run } = sources.openRun;
      if (sources.viewSettings.colourBy === "age" && run?.vocabulary && !run.ages)
        void import("../questions/word-ages").then(({ loadAges }) => loadAges(run));
    });
    $effect(() => {
      if (!CHANGING.has(this.by)) return;
      // Read these to subscribe: a change in any of them changes the quantity.
      void sources.openRun.run?.beat;
      void sources.openRun.run?.counters;
      void sources.openRun.layout;
      void sources.biggestMovers.value;
      void sources.openRun.run?.compared;
      clearTimeout(this.timer);
      // At once if it is due, so that the colours match the step on display.
      if (performance.now() - this.lastRefresh >= REFRESH_INTERVAL) untrack(() => this.refresh());
      else this.timer = setTimeout(() => this.refresh(), REFRESH_INTERVAL);
    });
  }

  private refresh() {
    this.lastRefresh = performance.now();
    this.refreshes += 1;
  }

  private buildScale(by: ColourBy, vocabulary: Vocabulary): ColourScale {
    const districts = by === "district" ? this.sources.openRun.run?.districts : null;
    const kinds = scaleOfKinds(by, vocabulary, districts ?? null);
    if (kinds) return kinds;
    if (CHANGING.has(by)) {
      void this.refreshes;
      const all = vocabulary.tokens.length;
      if (by === "phase") {
        const layout = untrack(() => this.sources.openRun.layout);
        const size = clockSize(vocabulary);
        if (layout) this.frequency = strongestFrequency(layout, size, this.frequency);
        return phaseScale(all, size, this.frequency || 1);
      }
      return quantityScale(
        by,
        untrack(() => this.quantity(by, all)),
      );
    }
    const { ages, info } = this.sources.openRun.run ?? {};
    if (by === "owner" && info?.owners) return ownerScale(info.owners, vocabulary.tokens.length);
    if (by === "age" && ages) return quantityScale(by, ages);
    return quantityScale("frequency", Float32Array.from(vocabulary.counts));
  }

  private quantity(by: ColourBy, vocabulary: number): Float32Array {
    const { openRun, biggestMovers } = this.sources;
    const { run, layout } = openRun;
    const touchCounts = run?.touchCounts?.vocabulary === vocabulary ? run.touchCounts : null;
    const unknown = new Float32Array(vocabulary).fill(NaN);
    switch (by) {
      case "since":
        return touchCounts && !touchCounts.unread
          ? stepsSinceLit(touchCounts.lastLit, NEVER, touchCounts.step)
          : unknown;
      case "gradient":
        return touchCounts ? touchCounts.gradient.slice() : unknown;
      case "moved": {
        const distances = biggestMovers.value?.distances;
        return distances?.length === vocabulary ? distances : unknown;
      }
      case "aligned":
      case "raw":
      case "neighbours":
        return run?.compared?.[by] ?? unknown;
      default:
        return trustByToken(layout, vocabulary);
    }
  }
}
