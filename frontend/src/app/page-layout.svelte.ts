/** How the page is shared out: what covers the map, and where there is room for it. */

import { halvesOf, type Frame, type Insets } from "../model/placement";
import type { App } from "../state/app-state.svelte";

/** On a narrow page the folded legend lies beneath the map, not on it; this high at most, px. */
const LEGEND_LINE = 60;
/** From this width on panels stand beside the map, px. */
const WIDE = 900;
/** A map is given this much at least, px. */
const LOWEST = 80;
/** Between the axes of one of two maps and its edges, px: its caption stands above it. */
const IN_A_HALF: Insets = { top: 44, right: 26, bottom: 14, left: 26 };

/** All sizes in CSS pixels, as the page measures them. */
export class Room {
  width = $state(innerWidth);
  height = $state(innerHeight);
  top = $state(70);
  bottom = $state(130);
  sideWidth = $state(0);
  sideHeight = $state(0);
  legendWidth = $state(0);
  legendHeight = $state(0);

  constructor(private readonly app: App) {}

  /** Panels lie upon the map, as on a phone. */
  readonly narrow = $derived.by(() => this.width < WIDE);
  /** The part of the page that nothing else covers. */
  readonly free = $derived.by<Frame>(() => {
    const { narrow, width, height, top, bottom } = this;
    const { inspecting } = this.app.viewing;
    return {
      left: 0,
      top,
      width: width - (inspecting && !narrow ? this.sideWidth + 16 : 0),
      height: Math.max(
        LOWEST,
        height - top - bottom - (inspecting && narrow ? this.sideHeight + 6 : 0),
      ),
    };
  });
  /** Where two maps are, while there are two. */
  readonly halves = $derived.by(() =>
    this.app.viewing.beside && this.app.run ? halvesOf(this.free) : null,
  );
  /** Between the map's axes and the edges of what it has. */
  readonly insets = $derived.by<Insets>(() => {
    if (this.halves) return IN_A_HALF;
    const { narrow } = this;
    const { inspecting, explaining } = this.app.viewing;
    const covered = inspecting ? this.sideHeight + 6 : Math.min(LEGEND_LINE, this.legendHeight);
    return {
      top: this.top + 14,
      right: inspecting && !narrow ? this.sideWidth + 30 : 30,
      bottom: this.bottom + 10 + (narrow ? covered : 0),
      left: narrow ? 14 : explaining ? this.legendWidth + 60 : 44,
    };
  });
}
