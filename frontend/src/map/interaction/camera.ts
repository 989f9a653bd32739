/**
 * The view of the map. It follows the bounds of the whole map, or of a part of it, until the viewer moves it.
 */

import { glideProgress } from "../easing";
import { lookPlace, type LookPlace } from "../../model/look";
import type { OverlayFrame } from "../overlay/overlay-model";
import {
  SETTLED,
  viewDifference,
  fitView,
  mixViews,
  toPixel,
  UNIT_SQUARE,
  unitsPerPixel,
  type PixelRect,
  type Insets,
  type MapRect,
} from "../../model/plane/viewport";

/** Width of the tools at the map's right edge, which names never cover, in CSS pixels. */
const TOOLS_WIDTH = 52;

const NO_INSETS: Insets = { top: 0, right: 0, bottom: 0, left: 0 };

/** The camera of the map. */
export class MapCamera implements OverlayFrame {
  view: MapRect = UNIT_SQUARE;
  /** True while the viewer controls the view and layouts no longer move it. */
  userControlled = false;
  /** True while chosen tokens are held still; the view then also stays, unless it is reset. */
  aligned = false;
  width = 1;
  height = 1;
  /** The bounds of the map, and of the part to look at; null: all of it. */
  private box: MapRect = this.view;
  private part: MapRect | null = null;
  /** The view of the whole map. */
  private home: MapRect = this.view;
  /** The view that the camera moves to, or has reached. */
  private goal: MapRect = this.view;
  private from: MapRect | null = null;
  private started = -Infinity;
  private insets = NO_INSETS;

  /**
   * Start at the unit square. `viewChanged` is called when the camera changes the view itself, so that the
   * axes can follow.
   */
  constructor(private readonly viewChanged: (view: MapRect) => void) {}

  /** Return whether the camera is moving. */
  get moving(): boolean {
    return this.from !== null;
  }

  /** Return the width and the height that nothing covers, px. */
  get free(): [number, number] {
    const { width, height, insets } = this;
    return [width - insets.left - insets.right, height - insets.top - insets.bottom];
  }

  /** Return the magnification relative to the whole map. */
  get zoom(): number {
    return this.atHome ? 1 : this.magnification;
  }

  /** Return the current magnification, including the movement from or to the whole map. */
  get magnification(): number {
    return Math.sqrt(wide(this.home) / wide(this.view));
  }

  /** Return whether the whole map is shown. */
  get atHome(): boolean {
    return !this.userControlled && !this.part;
  }

  /** Return the view that the camera moves to or shows. */
  get destination(): MapRect {
    return this.from ? this.goal : this.view;
  }

  /**
   * Return the uncovered part of the picture, in CSS pixels: without the tools at its right edge, and
   * extended slightly below its other covered edges.
   */
  get uncovered(): PixelRect {
    const { top, right, bottom, left } = this.insets;
    return {
      left: left - 10,
      top: top - 6,
      right: this.width - Math.max(right, TOOLS_WIDTH),
      bottom: this.height - bottom,
    };
  }

  /**
   * Set the picture's size and the width covered at its edges, in CSS pixels; return whether they changed.
   */
  setViewport(width: number, height: number, insets: Insets): boolean {
    const grown = width !== this.width || height !== this.height;
    const edges = ["top", "right", "bottom", "left"] as const;
    const other = grown || edges.some((edge) => insets[edge] !== this.insets[edge]);
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    this.insets = insets;
    this.refit(grown, grown ? 0 : SETTLED);
    // The viewer's own part stays, but not the old window's shape.
    if (grown && this.userControlled)
      this.glideTo(fitView(this.destination, this.width, this.height, NO_INSETS), true);
    return other;
  }

  /**
   * Follow the map's new bounds; jump there if `atOnce`. `now` is when its lamps begin to glide: the view
   * moves with them, so that no lamp leaves it on the way.
   */
  followBounds(box: MapRect, atOnce = false, now = performance.now()) {
    this.box = box;
    this.refit(atOnce, SETTLED, now);
  }

  /** Release the view and the part it follows; the next bounds move it. */
  letGo() {
    this.userControlled = false;
    this.part = null;
  }

  /** Follow the bounds of a part of the map instead; jump there if `atOnce`. Null: of all of it. */
  followPart(part: MapRect | null, atOnce = false) {
    const other = this.userControlled || !part || !this.part;
    this.userControlled = false;
    this.part = part;
    this.refit(atOnce, other ? 0 : SETTLED);
  }

  /** Look at a position given as fractions of `extent`; jump there if `atOnce`. */
  lookAt({ x, y, zoom }: LookPlace, extent: MapRect, atOnce = false) {
    const { width, height, insets, home } = this;
    const [w, h] = [(home.x1 - home.x0) / zoom, (home.y1 - home.y0) / zoom];
    const middle = [
      extent.x0 + x * (extent.x1 - extent.x0) + ((insets.right - insets.left) / 2 / width) * w,
      extent.y0 + y * (extent.y1 - extent.y0) + ((insets.top - insets.bottom) / 2 / height) * h,
    ] as const;
    this.userControlled = true;
    this.part = null;
    this.glideTo(rectAround(...middle, w, h), atOnce);
  }

  /**
   * Return the position that shows `box` uncovered, at most as far out as the whole map; as fractions of
   * `extent`.
   */
  placeAround(box: MapRect, extent: MapRect): LookPlace {
    const { width, height, free, home } = this;
    const zoom = Math.min(
      ((home.x1 - home.x0) * Math.max(80, free[0])) / width / (box.x1 - box.x0),
      ((home.y1 - home.y0) * Math.max(80, free[1])) / height / (box.y1 - box.y0),
    );
    return lookPlace(
      ((box.x0 + box.x1) / 2 - extent.x0) / (extent.x1 - extent.x0),
      ((box.y0 + box.y1) / 2 - extent.y0) / (extent.y1 - extent.y0),
      Math.max(1, zoom),
    );
  }

  /** Return the position in the middle of the uncovered part, as fractions of `extent`. */
  placeWithin(extent: MapRect): LookPlace {
    const { x0, x1, y0, y1 } = this.uncoveredView();
    return lookPlace(
      ((x0 + x1) / 2 - extent.x0) / (extent.x1 - extent.x0),
      ((y0 + y1) / 2 - extent.y0) / (extent.y1 - extent.y0),
      this.magnification,
    );
  }

  /** Adopt a view that the viewer chose with the axes or by touch. */
  setView(view: MapRect) {
    this.view = view;
    this.from = this.part = null;
    this.userControlled = true;
  }

  /** Return to the whole map. */
  goHome() {
    this.followPart(null);
  }

  /** Pan to make a map position visible, if it is not. */
  panTo([x, y]: [number, number]) {
    const { width, height, insets } = this;
    // While the camera moves, judge by the view it is heading for.
    const view = this.destination;
    const [px, py] = toPixel({ view, width, height }, [x, y]);
    // The whole map may be shown small; a position at its edge is then visible.
    const edge = this.atHome ? -1 : 20;
    const free =
      px > insets.left + edge &&
      px < width - insets.right - edge &&
      py > insets.top + edge &&
      py < height - insets.bottom - edge;
    if (free) return;
    const [w, h] = [view.x1 - view.x0, view.y1 - view.y0];
    const cx = x + ((insets.right - insets.left) / 2 / width) * w;
    const cy = y + ((insets.top - insets.bottom) / 2 / height) * h;
    this.setView(rectAround(cx, cy, w, h));
    this.viewChanged(this.view);
  }

  /** Advance the camera. Return whether the view changed. */
  advance(now: number, still: boolean): boolean {
    if (!this.from) return false;
    const turned = glideProgress(now - this.started, still);
    this.view = mixViews(this.from, this.goal, turned);
    if (turned >= 1) {
      this.from = null;
      this.viewChanged(this.view);
    }
    return true;
  }

  /** Return the view and zoom that show the same part of the map in a picture of another size. */
  viewForSize(width: number, height: number, insets: Insets): { view: MapRect; zoom: number } {
    const home = fitView(this.box, width, height, insets);
    if (this.atHome) return { view: home, zoom: 1 };
    const view = this.userControlled
      ? fitView(this.uncoveredView(), width, height, insets)
      : fitView(this.part!, width, height, insets);
    return { view, zoom: Math.sqrt(wide(home) / wide(view)) };
  }

  /** Return the visible part of the map that nothing covers. */
  private uncoveredView(): MapRect {
    const { view, insets } = this;
    const [ux, uy] = unitsPerPixel(this);
    return {
      x0: view.x0 + insets.left * ux,
      x1: view.x1 - insets.right * ux,
      y0: view.y0 + insets.bottom * uy,
      y1: view.y1 - insets.top * uy,
    };
  }

  /** Move towards the fitted view, unless the viewer has moved the view or the change is below `settled`. */
  private refit(atOnce: boolean, settled: number, now = performance.now()) {
    const { part, width, height, insets } = this;
    const home = fitView(this.box, width, height, insets);
    const goal = part ? fitView(part, width, height, insets) : home;
    if (this.userControlled || part) this.home = home;
    if (this.userControlled) return;
    if (this.aligned && !atOnce && settled) return;
    if (!this.from && viewDifference(this.view, goal) < settled) return;
    this.home = home;
    this.glideTo(goal, atOnce, now);
  }

  private glideTo(goal: MapRect, atOnce: boolean, now = performance.now()) {
    this.goal = goal;
    this.from = atOnce ? null : this.view;
    this.started = now;
    if (!atOnce) return;
    this.view = goal;
    this.viewChanged(goal);
  }
}

function rectAround(x: number, y: number, width: number, height: number): MapRect {
  return { x0: x - width / 2, x1: x + width / 2, y0: y - height / 2, y1: y + height / 2 };
}

function wide({ x0, x1, y0, y1 }: MapRect): number {
  return (x1 - x0) * (y1 - y0);
}
