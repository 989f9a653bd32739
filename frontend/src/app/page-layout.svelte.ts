/** The layout of the page: what covers the map, and the space left for it. */

import { scaledPixels } from "../model/type-scale";
import { sourceKind } from "../model/view/second-map-options";
import { halvesOf, type PageRect, type Insets } from "../model/plane/viewport";
import type { Stores } from "../state/context";

/**
 * Width reserved for the tools at the map's right edge, even before they load: px at the default type size.
 */
const RAIL_WIDTH = 56;
/** Width reserved for the tools in two columns, in the same unit. */
const TWO_COLUMNS_WIDTH = 104;
/** Height of all tools in one column, at a size fit for fingers. */
const RAIL_HEIGHT = 260;
/**
 * Page width from which panels stand beside the map, px; smaller for a low page, which has no room below the
 * map.
 */
const WIDE_PAGE = 900;
const WIDE_LOW_PAGE = 560;
/** Page width from which the levels fit in the top bar, px; larger for a low page, whose bar has one row. */
const SMALL_PAGE = 640;
const SMALL_LOW_PAGE = 760;
/** Page width from which the top bar fits in full, px. */
const TIGHT_PAGE = 1_000;
/** Maximum height of a low page, px, as in the style sheets. */
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
  lessonWidth = $state(0);
  lessonHeight = $state(0);

  constructor(private readonly stores: Pick<Stores, "openRun" | "viewSettings" | "preferences">) {}

  /** True when the page is low: a phone on its side, or an enlarged page. */
  readonly low = $derived.by(() => this.height <= LOW_PAGE);
  /** True when panels cover the map, as on a phone that is held upright. */
  readonly narrow = $derived.by(() => this.width < (this.low ? WIDE_LOW_PAGE : WIDE_PAGE));
  /** True if the page has no room for the levels in the top bar. */
  readonly small = $derived.by(() => this.width < (this.low ? SMALL_LOW_PAGE : SMALL_PAGE));
  /**
   * True while the course shares a small window with what its text speaks of, one half each: a phone, or an
   * enlarged page. All else is hidden.
   */
  readonly split = $derived.by(
    () => this.stores.viewSettings.lesson !== null && (this.narrow || this.low),
  );
  /** True if the course has the lower half. */
  readonly upright = $derived.by(() => this.split && this.width <= this.height);
  /** True if the top bar does not fit in full: in a smaller window, or with enlarged type. */
  readonly tight = $derived.by(
    () => this.low || this.width < TIGHT_PAGE * (this.stores.preferences.enlarged ? 1.4 : 1),
  );
  /** Width of the course at the left of the map. */
  private readonly besideLesson = $derived.by(() =>
    this.stores.viewSettings.lesson !== null && !this.upright ? this.lessonWidth + 16 : 0,
  );
  /** True if the panel is a sheet over the lower part of the map. */
  private readonly sheet = $derived.by(() => this.narrow || this.split);
  /** True in a small window while the course plays the run, which needs the bar of time. */
  readonly needsTime = $derived.by(() => !this.split || !!this.stores.openRun.run?.replay);
  /** Heights of the top bar, and of what is below the map: both make room for the course in a small window. */
  private readonly barHeight = $derived.by(() => (this.split ? 0 : this.topHeight));
  private readonly footHeight = $derived.by(() => (this.needsTime ? this.bottomHeight : 0));
  /** Height of the sheets over the lower part of the map. */
  private readonly sheetsHeight = $derived.by(() => {
    const { sidePanel } = this.stores.viewSettings;
    return (
      (sidePanel && this.sheet ? this.sideHeight + 6 : 0) +
      (this.upright ? this.lessonHeight + 6 : 0)
    );
  });
  /** The uncovered part of the page. */
  readonly uncovered = $derived.by<PageRect>(() => {
    const { sheet, width, height, barHeight, footHeight } = this;
    const open = this.stores.viewSettings.sidePanel !== null;
    const left = this.besideLesson;
    return {
      left,
      top: barHeight,
      width: width - left - (open && !sheet ? this.sideWidth + 16 : 0),
      height: Math.max(MIN_MAP_HEIGHT, height - barHeight - footHeight - this.sheetsHeight),
    };
  });
  /**
   * The rectangles of the first and the second map; null for a single map. An earlier step of the run comes
   * before the first map, so that they read as then and now.
   */
  readonly halves = $derived.by<[PageRect, PageRect] | null>(() => {
    const { uncovered } = this;
    const { secondMap } = this.stores.viewSettings;
    if (!secondMap || !this.stores.openRun.run) return null;
    const wide = uncovered.width > uncovered.height;
    // Of two maps side by side, the second ends where the tools begin.
    const width = uncovered.width - (wide ? this.railWidth : 0);
    const [before, after] = halvesOf({ ...uncovered, width });
    return sourceKind(secondMap) === "step" ? [after, before] : [before, after];
  });
  /** True if one of two maps is above the other. */
  readonly stacked = $derived.by(() => this.halves?.[0].left === this.halves?.[1].left);
  /** True if a single column of tools would overlap the content below the map. */
  readonly toolsInTwoColumns = $derived.by(
    () =>
      this.stores.viewSettings.sidePanel !== null &&
      this.uncovered.height < scaledPixels(RAIL_HEIGHT),
  );
  private readonly railWidth = $derived.by(() =>
    scaledPixels(this.toolsInTwoColumns ? TWO_COLUMNS_WIDTH : RAIL_WIDTH),
  );
  /** Insets of the map's axes from the edges of its area. */
  readonly insets = $derived.by<Insets>(() => {
    const { sheet } = this;
    const { legendOpen, lesson, sidePanel: panel } = this.stores.viewSettings;
    const key = legendOpen && lesson === null && !sheet ? this.legendWidth + 8 : 0;
    const left = this.besideLesson + key;
    if (this.halves) {
      const right = this.stacked ? this.railWidth : HALF_INSETS.right;
      return { ...HALF_INSETS, right, left: Math.max(HALF_INSETS.left, left) };
    }
    return {
      top: this.barHeight + 14,
      // Names keep clear of the tools at the edge.
      right: this.split ? 14 : (panel && !sheet ? this.sideWidth + 16 : 0) + this.railWidth,
      bottom: this.footHeight + 10 + this.sheetsHeight,
      left: Math.max(14, left),
    };
  });
}
