/**
 * The current colouring of the lamps: recomputed when another one is chosen, and about once a
 * second while its data changes.
 */

import { untrack } from "svelte";
import { NEVER, type Districts, type Layout } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import type { ColourBy } from "../../model/view-options";
import type { LiveRun } from "../run/live-run.svelte";
import type { Moves } from "../tokens/biggest-movers.svelte";
import { trustsOf } from "../tokens/token-trust";
import { agesOf, shadesOfClasses, shadesOfDistricts, shadesOfQuantity } from "./colour-scales";
import type { Viewing } from "./view-settings.svelte";
import type { Shades } from "../../model/shade";

/** Least milliseconds between two recomputations of a changing quantity. */
const CALM = 1_000;
const CHANGING: ReadonlySet<ColourBy> = new Set(["since", "gradient", "moved", "trust"]);

/** Returns the tint of each district, the one its label on the map has. */
type TintsOf = (found: Districts, vocabulary: Vocabulary) => number[];

/** The part of the page's state that colours depend on. */
export interface ColourSources {
  readonly run: LiveRun | null;
  readonly layout: Layout | null;
  readonly viewing: Viewing;
  readonly moves: Moves;
}

export class Colouring {
  /** The active colouring; falls back when the run lacks classes or districts. */
  readonly by: ColourBy = $derived.by(() => {
    const { run, viewing } = this.app;
    const classes = Boolean(run?.vocabulary?.classes.length);
    const wish = viewing.colourBy === "district" && !run?.districts ? "class" : viewing.colourBy;
    return wish === "class" && !classes ? "frequency" : wish;
  });

  readonly shades: Shades | null = $derived.by(() => {
    const vocabulary = this.app.run?.vocabulary;
    return vocabulary ? this.colour(this.by, vocabulary) : null;
  });

  private moment = $state(0);
  private last = -Infinity;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly app: ColourSources,
    private readonly tintsOf: TintsOf,
  ) {
    $effect(() => {
      if (!CHANGING.has(this.by)) return;
      // Read these to subscribe: a change in any of them changes the quantity.
      void app.run?.counters;
      void app.layout;
      void app.moves.now;
      this.timer ??= setTimeout(
        () => {
          this.timer = undefined;
          this.last = performance.now();
          this.moment += 1;
        },
        this.last + CALM - performance.now(),
      );
    });
  }

  private colour(by: ColourBy, vocabulary: Vocabulary): Shades {
    if (by === "class") return shadesOfClasses(vocabulary);
    const found = this.app.run?.districts;
    if (by === "district" && found)
      return shadesOfDistricts(found, this.tintsOf(found, vocabulary));
    if (CHANGING.has(by)) {
      void this.moment;
      const all = vocabulary.tokens.length;
      return shadesOfQuantity(
        by,
        untrack(() => this.quantity(by, all)),
      );
    }
    return shadesOfQuantity("frequency", Float32Array.from(vocabulary.counts));
  }

  private quantity(by: ColourBy, all: number): Float32Array {
    const { run, layout, moves } = this.app;
    const ledger = run?.ledger?.vocabulary === all ? run.ledger : null;
    const unknown = new Float32Array(all).fill(NaN);
    switch (by) {
      case "since":
        return ledger ? agesOf(ledger.lastLit, NEVER, ledger.step) : unknown;
      case "gradient":
        return ledger ? ledger.gradient.slice() : unknown;
      case "moved": {
        const now = moves.now?.run === run?.id ? moves.now : null;
        return now?.distances.length === all ? now.distances : unknown;
      }
      default:
        return trustsOf(layout, all);
    }
  }
}
