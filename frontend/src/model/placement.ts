/** Token positions in map units, and the visible part of the map. Pure. */

import type { Layout } from "../api/frames";

/** A rectangle of the map: a view, or the bounds of a layout. */
export interface View {
  x0: number;
  x1: number;
  y0: number;
  y1: number;
}

/** A layout in the form the GPU takes: quantised positions within a box. */
export interface Placement {
  places: Uint16Array;
  box: View;
}

/** The rectangle of the page that a map fills, in CSS pixels. */
export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Split a rectangle in two halves: side by side, or above each other if it is higher than wide. */
export function halvesOf({ left, top, width, height }: Frame): [Frame, Frame] {
  if (height > width) {
    const half = height / 2;
    return [
      { left, top, width, height: half },
      { left, top: top + half, width, height: half },
    ];
  }
  const half = width / 2;
  return [
    { left, top, width: half, height },
    { left: left + half, top, width: half, height },
  ];
}

/** The space covered at a picture's edges, in pixels. */
export interface Insets {
  top: number;
  right: number;
  bottom: number;
  left: number;
}

/** How much wider than true to scale the map may be drawn to fill a wide screen. */
const WIDEST = 1.7;

/** Return a layout's placement; an empty side of its box becomes 1 unit long. */
export function placementOf({ places, x0, x1, y0, y1 }: Layout): Placement {
  return { places, box: { x0, x1: x1 > x0 ? x1 : x0 + 1, y0, y1: y1 > y0 ? y1 : y0 + 1 } };
}

/** Return x, y by token id, in map units. */
export function coordinates({ places, box }: Placement): Float32Array {
  const out = new Float32Array(places.length);
  const [sx, sy] = [(box.x1 - box.x0) / 65_535, (box.y1 - box.y0) / 65_535];
  for (let i = 0; i < out.length; i += 2) {
    out[i] = box.x0 + sx * places[i]!;
    out[i + 1] = box.y0 + sy * places[i + 1]!;
  }
  return out;
}

/** Return a token's position, in map units. */
export function at({ places, box }: Placement, id: number): [number, number] {
  return [
    box.x0 + ((box.x1 - box.x0) / 65_535) * places[2 * id]!,
    box.y0 + ((box.y1 - box.y0) / 65_535) * places[2 * id + 1]!,
  ];
}

/** Return the placement at a share `mixing` of the way between two, for a glide that is interrupted. */
export function between(from: Placement, to: Placement, mixing: number): Placement {
  const { places } = to;
  if (mixing >= 1 || from.places.length !== places.length) return to;
  if (mixing <= 0) return from;
  // Every position is interpolated, so their box is too.
  const box = mixViews(from.box, to.box, mixing);
  const share = (a: number, b: number, whole: number) => [
    ((1 - mixing) * a) / whole,
    (mixing * b) / whole,
  ];
  const [w, h] = [box.x1 - box.x0, box.y1 - box.y0];
  const [fx, tx] = share(from.box.x1 - from.box.x0, to.box.x1 - to.box.x0, w) as [number, number];
  const [fy, ty] = share(from.box.y1 - from.box.y0, to.box.y1 - to.box.y0, h) as [number, number];
  const mixed = new Uint16Array(places.length);
  for (let i = 0; i < mixed.length; i += 2) {
    mixed[i] = fx * from.places[i]! + tx * places[i]! + 0.5;
    mixed[i + 1] = fy * from.places[i + 1]! + ty * places[i + 1]! + 0.5;
  }
  return { places: mixed, box };
}

/** Return the bounds of all but the outermost tokens, so that one stray does not shrink the map. */
export function span(xy: Float32Array): View {
  const every = Math.max(1, Math.floor(xy.length / 2 / 4_096));
  const count = Math.ceil(xy.length / 2 / every);
  if (!count) return { x0: 0, x1: 1, y0: 0, y1: 1 };
  const xs = new Float32Array(count);
  const ys = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    xs[i] = xy[2 * every * i]!;
    ys[i] = xy[2 * every * i + 1]!;
  }
  const ends = (values: Float32Array): [number, number] => {
    values.sort();
    const at = (part: number) => values[Math.round(part * (values.length - 1))]!;
    const [low, high] = [at(0.002), at(0.998)];
    const room = 0.03 * (high - low);
    return high > low ? [low - room, high + room] : [low - 0.5, high + 0.5];
  };
  const [x0, x1] = ends(xs);
  const [y0, y1] = ends(ys);
  return { x0, x1, y0, y1 };
}

/**
 * Return the view that shows `box` in the uncovered part of a picture of `width` by `height` pixels.
 * `stretch` fixes how much wider than true to scale the map is drawn.
 */
export function fit(
  box: View,
  width: number,
  height: number,
  insets: Insets,
  stretch?: number,
): View {
  const freeWidth = Math.max(80, width - insets.left - insets.right);
  const freeHeight = Math.max(80, height - insets.top - insets.bottom);
  const [w, h] = [box.x1 - box.x0, box.y1 - box.y0];
  // Map units per pixel in each direction; equal unless the free space is much wider (or taller).
  let ux = w / freeWidth;
  let uy = h / freeHeight;
  if (stretch) [ux, uy] = [Math.max(ux, uy / stretch), Math.max(uy, ux * stretch)];
  else if (ux < uy) ux = Math.max(ux, uy / WIDEST);
  else uy = Math.max(uy, ux / WIDEST);
  const cx = (box.x0 + box.x1) / 2 - ((insets.left - insets.right) / 2) * ux;
  const cy = (box.y0 + box.y1) / 2 + ((insets.top - insets.bottom) / 2) * uy;
  return {
    x0: cx - (ux * width) / 2,
    x1: cx + (ux * width) / 2,
    y0: cy - (uy * height) / 2,
    y1: cy + (uy * height) / 2,
  };
}

/** Return `view` enlarged (factor above 1) or shrunk about a point, given in shares of the picture. */
export function zoomed(view: View, factor: number, px = 0.5, py = 0.5): View {
  const x = view.x0 + (view.x1 - view.x0) * px;
  const y = view.y0 + (view.y1 - view.y0) * py;
  return {
    x0: x + (view.x0 - x) * factor,
    x1: x + (view.x1 - x) * factor,
    y0: y + (view.y0 - y) * factor,
    y1: y + (view.y1 - y) * factor,
  };
}

/** Return the difference of two views, as a share of the first. */
export function difference(a: View, b: View): number {
  const [w, h] = [a.x1 - a.x0, a.y1 - a.y0];
  return Math.max(
    Math.abs(a.x0 - b.x0) / w,
    Math.abs(a.x1 - b.x1) / w,
    Math.abs(a.y0 - b.y0) / h,
    Math.abs(a.y1 - b.y1) / h,
  );
}

/** Return the rectangle at a share `mixing` of the way from `a` to `b`. */
export function mixViews(a: View, b: View, mixing: number): View {
  const mix = (from: number, to: number) => from + (to - from) * mixing;
  return {
    x0: mix(a.x0, b.x0),
    x1: mix(a.x1, b.x1),
    y0: mix(a.y0, b.y0),
    y1: mix(a.y1, b.y1),
  };
}
