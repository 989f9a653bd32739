/**
 * Touch gestures on the map: one finger pans, or draws in lasso mode; two pan and pinch. Plotly handles
 * neither, and receives none of these events.
 */

import type { Point } from "./lasso";
import { zoomView, type MapRect } from "../../model/plane/viewport";

/** The drag mode: pan the map, or draw around tokens. */
export type DragMode = "pan" | "lasso";

/** The view and the handlers that touch gestures need. */
interface TouchHandlers {
  currentView(): MapRect | null;
  viewChanged(view: MapRect): void;
  /** Return the current effect of a one-finger drag. */
  dragMode(): DragMode;
  /** Show the outline so far, in CSS pixels from the map's corner; null once it is gone. */
  outlineChanged(line: Point[] | null): void;
  outlineFinished(line: Point[]): void;
}

/** Pixels that a finger moves before it draws, and between two corners of its line. */
const MIN_DRAG = 6;
const CORNER_SPACING = 3;
const MAX_CORNERS = 2_000;
/** Maximum distance (px) and interval (ms) between the taps of a double tap. */
const MAX_TAP_DISTANCE = 30;
const MAX_TAP_INTERVAL = 320;

/** Touch gestures on one element. */
export class TouchGestures {
  private points: Point[] = [];
  /** The line drawn so far; null while no finger draws. */
  private line: Point[] | null = null;
  /** True after a pinch until all fingers are lifted, so that the last one does not draw. */
  private pinched = false;

  constructor(
    private readonly div: HTMLElement,
    private readonly events: TouchHandlers,
  ) {
    div.addEventListener("touchstart", this.touched, { capture: true, passive: false });
    div.addEventListener("touchmove", this.dragged, { capture: true, passive: false });
    div.addEventListener("touchend", this.lifted, { capture: true });
    div.addEventListener("touchcancel", this.lost, { capture: true });
  }

  stop() {
    this.div.removeEventListener("touchstart", this.touched, { capture: true });
    this.div.removeEventListener("touchmove", this.dragged, { capture: true });
    this.div.removeEventListener("touchend", this.lifted, { capture: true });
    this.div.removeEventListener("touchcancel", this.lost, { capture: true });
  }

  /** Discard the line being drawn. */
  cancelOutline() {
    if (this.line) this.events.outlineChanged(null);
    this.line = null;
  }

  private readonly touched = (event: TouchEvent) => {
    event.stopPropagation();
    this.trackTouches(event);
    if (this.points.length > 1) {
      this.pinched = true;
      this.cancelOutline();
    } else if (this.events.dragMode() !== "pan" && !this.pinched) {
      this.line = [this.here(this.points[0]!)];
    }
  };

  private readonly dragged = (event: TouchEvent) => {
    const view = this.events.currentView();
    if (!this.points.length || !view) return;
    event.stopPropagation();
    event.preventDefault();
    const before = this.points;
    this.trackTouches(event);
    const after = this.points;
    if (before.length !== after.length) return;
    if (this.line) this.extendOutline(this.here(after[0]!));
    else if (after.length > 1 || this.events.dragMode() === "pan") this.move(view, before, after);
  };

  private readonly lifted = (event: TouchEvent) => {
    event.stopPropagation();
    this.trackTouches(event);
    if (this.points.length) return;
    const line = this.outline();
    this.cancelOutline();
    this.pinched = false;
    if (line) this.events.outlineFinished(line);
  };

  private readonly lost = (event: TouchEvent) => {
    this.trackTouches(event);
    this.cancelOutline();
    if (!this.points.length) this.pinched = false;
  };

  private extendOutline(point: Point) {
    const line = this.line!;
    const last = line[line.length - 1]!;
    const distance = Math.hypot(point.x - last.x, point.y - last.y);
    if (distance < (line.length > 1 ? CORNER_SPACING : MIN_DRAG) || line.length >= MAX_CORNERS)
      return;
    line.push(point);
    this.events.outlineChanged(this.outline());
  }

  private outline(): Point[] | null {
    const { line } = this;
    return line && line.length > 1 ? [...line] : null;
  }

  private move(view: MapRect, before: Point[], after: Point[]) {
    const box = this.div.getBoundingClientRect();
    const [was, is] = [middle(before), middle(after)];
    const reach = (points: Point[], from: Point) =>
      Math.max(8, Math.hypot(points[0]!.x - from.x, points[0]!.y - from.y));
    const factor = after.length > 1 ? reach(before, was) / reach(after, is) : 1;
    const px = (was.x - box.left) / box.width;
    const py = 1 - (was.y - box.top) / box.height;
    const { x0, x1, y0, y1 } = zoomView(view, factor, px, py);
    const dx = (-(is.x - was.x) / box.width) * (x1 - x0);
    const dy = ((is.y - was.y) / box.height) * (y1 - y0);
    this.events.viewChanged({ x0: x0 + dx, x1: x1 + dx, y0: y0 + dy, y1: y1 + dy });
  }

  private here({ x, y }: Point): Point {
    const { left, top } = this.div.getBoundingClientRect();
    return { x: x - left, y: y - top };
  }

  private trackTouches(event: TouchEvent) {
    // Ignore fingers on a panel.
    this.points = Array.from(event.touches)
      .filter(({ target }) => this.div.contains(target as Node))
      .slice(0, 2)
      .map(({ clientX: x, clientY: y }) => ({ x, y }));
  }
}

/** A detector of double taps. */
export class DoubleTapDetector {
  private last: (Point & { at: number }) | null = null;

  /** Record a tap at a time in ms. Return whether it completes a double tap. */
  recordTap(x: number, y: number, time: number): boolean {
    const { last } = this;
    const double =
      last !== null &&
      time - last.at < MAX_TAP_INTERVAL &&
      Math.hypot(x - last.x, y - last.y) < MAX_TAP_DISTANCE;
    this.last = double ? null : { x, y, at: time };
    return double;
  }
}

function middle(points: Point[]): Point {
  return {
    x: points.reduce((sum, { x }) => sum + x, 0) / points.length,
    y: points.reduce((sum, { y }) => sum + y, 0) / points.length,
  };
}
