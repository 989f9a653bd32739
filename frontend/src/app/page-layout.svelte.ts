/** The layout of the page: what covers the map, and the space left for it. */

import { modeBarWidth } from "../map/interaction/plotly-axes";
import { halvesOf, type PageRect, type Insets } from "../model/viewport";
import type { Stores } from "../state/context";

/** Limit on the height kept free for the folded legend, px. On a narrow page it lies below the map, not on it. */
const MAX_LEGEND_HEIGHT = 60;
/** Page width from which panels are beside the map, px; in a low page, where nothing fits below the map, from a smaller one. */
const WIDE_PAGE = 900;
const WIDE_LOW_PAGE = 560;
/** Greatest height of a low page, px, as in the style sheets. */
const LOW_PAGE = 560;
/** Minimum height of a map, px. */
const MIN_MAP_HEIGHT = 80;
/** Insets of the axes of the first of two maps, px. The caption is above them. */
const HALF_INSETS: Insets = { top: 44, right: 26, bottom: 14, left: 26 };

/** The layout of the page. All sizes are in CSS pixels, measured on the page. */
export class PageLayout {
  width = $state(innerWidth);
  height = $state(innerHeight);
  topHeight = $state(70);
  bottomHeight = $state(130);
  sideWidth = $state(0);
  sideHeight = $state(0);
  legendWidth = $state(0);
  legendHeight = $state(0);

  constructor(private readonly stores: Pick<Stores, "openRun" | "viewSettings">) {}

  /** True when the page is low: a phone on its side, or an enlarged page. */
  readonly low = $derived.by(() => this.height <= LOW_PAGE);
  /** True when panels cover the map, as on a phone that is held upright. */
  readonly narrow = $derived.by(() => this.width < (this.low ? WIDE_LOW_PAGE : WIDE_PAGE));
  /** The uncovered part of the page. */
  readonly uncovered = $derived.by<PageRect>(() => {
    const { narrow, width, height, topHeight, bottomHeight } = this;
    const { inspectorOpen } = this.stores.viewSettings;
    return {
      left: 0,
      top: topHeight,
      width: width - (inspectorOpen && !narrow ? this.sideWidth + 16 : 0),
      height: Math.max(
        MIN_MAP_HEIGHT,
        height - topHeight - bottomHeight - (inspectorOpen && narrow ? this.sideHeight + 6 : 0),
      ),
    };
  });
  /** The rectangles of the two maps; null while there is one. */
  readonly halves = $derived.by(() =>
    this.stores.viewSettings.secondMap && this.stores.openRun.run ? halvesOf(this.uncovered) : null,
  );
  /** Insets of the map's axes from the edges of its area. */
  readonly insets = $derived.by<Insets>(() => {
    const { narrow } = this;
    const { inspectorOpen, legendOpen } = this.stores.viewSettings;
    // Names keep clear of the buttons at the left edge.
    const left = modeBarWidth() + (legendOpen && !narrow ? this.legendWidth + 8 : 0);
    if (this.halves) return { ...HALF_INSETS, left: Math.max(HALF_INSETS.left, left) };
    const covered = inspectorOpen
      ? this.sideHeight + 6
      : Math.min(MAX_LEGEND_HEIGHT, this.legendHeight);
    return {
      top: this.topHeight + 14,
      right: inspectorOpen && !narrow ? this.sideWidth + 30 : 30,
      bottom: this.bottomHeight + 10 + (narrow ? covered : 0),
      left: Math.max(14, left),
    };
  });
}
