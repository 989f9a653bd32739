/** The layout of the page: what covers the map, and the space left for it. */

import { halvesOf, type Frame, type Insets } from "../model/viewport";
import type { App } from "../state/app-state.svelte";

/** Limit on the height kept free for the folded legend, px. On a narrow page it lies below the map, not on it. */
const LEGEND_LINE = 60;
/** Page width from which panels are beside the map, px. */
const WIDE = 900;
/** Minimum height of a map, px. */
const LOWEST = 80;
/** Insets of the axes of each of two maps, px. The caption is above them. */
const IN_A_HALF: Insets = { top: 44, right: 26, bottom: 14, left: 26 };

/** The layout of the page. All sizes are in CSS pixels, measured on the page. */
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

  /** True when panels cover the map, as on a phone. */
  readonly narrow = $derived.by(() => this.width < WIDE);
  /** The uncovered part of the page. */
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
  /** The rectangles of the two maps; null while there is one. */
  readonly halves = $derived.by(() =>
    this.app.viewing.beside && this.app.run ? halvesOf(this.free) : null,
  );
  /** Insets of the map's axes from the edges of its area. */
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
