/** Which part of the map is seen: the whole city, which it follows, until the viewer takes it elsewhere. */

import { glideAt } from "./glide";
import type { Box } from "./labels";
import * as placement from "./placement";
import type { Insets, View } from "./placement";

/** Differences of the fitted view that are not worth moving everything for. */
const SETTLED = 0.03;

export class Camera {
  view: View = { x0: 0, x1: 1, y0: 0, y1: 1 };
  /** The viewer looks where they please; layouts no longer move the view. */
  wandering = false;
  /** Tokens are kept still: the view then stays too, unless it is asked for. */
  aligned = false;
  width = 1;
  height = 1;
  /** What is to be seen: the span of the city. */
  private box: View = this.view;
  private home: View = this.view;
  private from: View | null = null;
  private started = -Infinity;
  private insets: Insets = { top: 0, right: 0, bottom: 0, left: 0 };

  /** `viewed`: the view changed from within (a fit): the axes shall follow. */
  constructor(private readonly viewed: (view: View) => void) {}

  /** On its way to the whole city. */
  get moving(): boolean {
    return this.from !== null;
  }

  /** Times closer than the whole city. */
  get zoom(): number {
    return this.wandering ? Math.sqrt(wide(this.home) / wide(this.view)) : 1;
  }

  /** The part of the picture that nothing covers, and a little of what is covered, in pixels. */
  get free(): Box {
    const { top, right, bottom, left } = this.insets;
    return {
      left: left - 10,
      top: top - 6,
      right: this.width - right + 20,
      bottom: this.height - bottom,
    };
  }

  resize(width: number, height: number, insets: Insets) {
    const grown = width !== this.width || height !== this.height;
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    this.insets = insets;
    this.fit(grown);
  }

  /** The city spans this now; `atOnce`: be there. */
  follow(box: View, atOnce = false) {
    this.box = box;
    this.fit(atOnce);
  }

  /** The viewer moved the view (by the axes, or with fingers). */
  look(view: View) {
    this.view = view;
    this.from = null;
    this.wandering = true;
  }

  /** Show the whole city again. */
  goHome() {
    this.wandering = false;
    this.fit(false, 0);
  }

  /** Bring a place of the map into view, if it is not. */
  show([x, y]: [number, number]) {
    const { width, height, insets } = this;
    // Where it is going to be seen from, while it is on the way there.
    const view = this.from ? this.home : this.view;
    const px = ((x - view.x0) / (view.x1 - view.x0)) * width;
    const py = (1 - (y - view.y0) / (view.y1 - view.y0)) * height;
    // The whole city may be shown small: what is at its edge is in view.
    const edge = this.wandering ? 20 : -1;
    const free =
      px > insets.left + edge &&
      px < width - insets.right - edge &&
      py > insets.top + edge &&
      py < height - insets.bottom - edge;
    if (free) return;
    const [w, h] = [view.x1 - view.x0, view.y1 - view.y0];
    const cx = x + ((insets.right - insets.left) / 2 / width) * w;
    const cy = y + ((insets.top - insets.bottom) / 2 / height) * h;
    this.look({ x0: cx - w / 2, x1: cx + w / 2, y0: cy - h / 2, y1: cy + h / 2 });
    this.viewed(this.view);
  }

  /** Go on; whether the view is another one than before. */
  move(now: number, still: boolean): boolean {
    if (!this.from) return false;
    const turned = glideAt(now - this.started, still);
    this.view = placement.mixViews(this.from, this.home, turned);
    if (turned >= 1) {
      this.from = null;
      this.viewed(this.view);
    }
    return true;
  }

  /** Where a place of the map is on the picture, in CSS pixels. */
  pixelOf([x, y]: [number, number]): [number, number] {
    const { view, width, height } = this;
    return [
      ((x - view.x0) / (view.x1 - view.x0)) * width,
      (1 - (y - view.y0) / (view.y1 - view.y0)) * height,
    ];
  }

  /** What is at a point of the picture: its place, and how many map units a pixel has, each way. */
  placeAt(x: number, y: number): { x: number; y: number; ux: number; uy: number } {
    const { view, width, height } = this;
    const [ux, uy] = [(view.x1 - view.x0) / width, (view.y1 - view.y0) / height];
    return { x: view.x0 + x * ux, y: view.y1 - y * uy, ux, uy };
  }

  /** The same part of the city in a picture of another size. */
  posed(width: number, height: number, insets: Insets): { view: View; zoom: number } {
    const home = placement.fit(this.box, width, height, insets);
    if (!this.wandering) return { view: home, zoom: 1 };
    const view = placement.fit(this.seen(), width, height, insets, this.stretch());
    return { view, zoom: Math.sqrt(wide(home) / wide(view)) };
  }

  /** The part of the map that is seen and that nothing covers. */
  private seen(): View {
    const { view, width, height, insets } = this;
    const [ux, uy] = [(view.x1 - view.x0) / width, (view.y1 - view.y0) / height];
    return {
      x0: view.x0 + insets.left * ux,
      x1: view.x1 - insets.right * ux,
      y0: view.y0 + insets.bottom * uy,
      y1: view.y1 - insets.top * uy,
    };
  }

  /** How much wider than true the map is drawn now. */
  private stretch(): number {
    const { view, width, height } = this;
    return (view.y1 - view.y0) / height / ((view.x1 - view.x0) / width);
  }

  private fit(atOnce: boolean, settled = SETTLED) {
    const home = placement.fit(this.box, this.width, this.height, this.insets);
    if (this.wandering) {
      this.home = home;
      return;
    }
    if (this.aligned && !atOnce && settled) return;
    if (!atOnce && placement.difference(this.view, home) < settled) return;
    this.home = home;
    this.from = atOnce ? null : this.view;
    this.started = performance.now();
    if (atOnce) {
      this.view = home;
      this.viewed(home);
    }
  }
}

function wide({ x0, x1, y0, y1 }: View): number {
  return (x1 - x0) * (y1 - y0);
}
