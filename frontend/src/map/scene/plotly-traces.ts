/**
 * The traces that Plotly draws on the map: the trails, and where WebGL2 is missing the lamps too. Replacing them takes
 * Plotly long, so it happens only when one of them changed.
 */

import type { Layout } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import type { PlotlyTrace } from "../../charts/plotly/library.d";
import type { DrawnTrail } from "../../model/trail";
import { trailTraces } from "../overlay/trails";
import { AFTERGLOW } from "../easing";
import { lampTraces } from "../plotly-fallback";
import type { Beat } from "./displayed-map";

/** The lamps that Plotly draws, and the trails above them. */
interface PlotlyLamps {
  layout: Layout;
  vocabulary: Vocabulary;
  tints: Uint8Array | null;
  beat: Beat | null;
  heldBrightness: number;
  trails: DrawnTrail[];
}

/** The traces of one map; `show` passes them to Plotly. */
export class PlotlyTraces {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private trails: DrawnTrail[] = [];
  private lamps: PlotlyLamps | null = null;

  constructor(private readonly show: (traces: PlotlyTrace[]) => void) {}

  /** Show trails alone, `after` ms: a trail leads to where its lamp comes to rest. */
  setTrails(trails: DrawnTrail[], after: number) {
    if (trails === this.trails) return;
    this.trails = trails;
    // Wait for this glide, but not for later ones.
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.show(trailTraces(this.trails));
    }, after);
  }

  /** Show lamps and trails; the rows of the beat are lit until its light has faded to its afterglow. */
  setLamps(next: PlotlyLamps) {
    const { lamps: last } = this;
    const names = Object.keys(next) as (keyof PlotlyLamps)[];
    if (last && names.every((name) => last[name] === next[name])) return;
    this.lamps = next;
    clearTimeout(this.timer);
    this.showLamps(next, 1);
    if (next.beat && next.heldBrightness <= 0)
      this.timer = setTimeout(() => this.showLamps(next, AFTERGLOW), next.beat.duration);
  }

  stop() {
    clearTimeout(this.timer);
  }

  private showLamps({ layout, vocabulary, tints, trails, beat }: PlotlyLamps, glow: number) {
    const lamps = lampTraces(layout, vocabulary, beat, tints, undefined, glow);
    this.show([...lamps, ...trailTraces(trails)]);
  }
}
