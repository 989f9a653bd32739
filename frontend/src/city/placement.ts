/** Where tokens lie, in map units, and the part of the map that is seen. Pure. */

import type { Layout } from "../wire/frames";

/** A rectangle of the map: what is seen, or what a layout spans. */
export interface View {
  x0: number;
  x1: number;
  y0: number;
  y1: number;
}

/** A layout as the GPU takes it: quantised places within a box. */
export interface Placement {
  places: Uint16Array;
  box: View;
}

/** Where on the page a map is, in CSS pixels. */
export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Insets {
  top: number;
  right: number;
  bottom: number;
  left: number;
}

/** How much wider than true the map may be drawn to fill a wide screen. */
const WIDEST = 1.7;

export function placementOf({ places, x0, x1, y0, y1 }: Layout): Placement {
  return { places, box: { x0, x1: x1 > x0 ? x1 : x0 + 1, y0, y1: y1 > y0 ? y1 : y0 + 1 } };
}

/** x, y by token id, in map units. */
export function coordinates({ places, box }: Placement): Float32Array {
  const out = new Float32Array(places.length);
  const [sx, sy] = [(box.x1 - box.x0) / 65_535, (box.y1 - box.y0) / 65_535];
  for (let i = 0; i < out.length; i += 2) {
    out[i] = box.x0 + sx * places[i]!;
    out[i + 1] = box.y0 + sy * places[i + 1]!;
  }
  return out;
}

/** Coordinates as a placement again (a glide that was caught halfway). */
export function quantised(xy: Float32Array): Placement {
  const box = { x0: Infinity, x1: -Infinity, y0: Infinity, y1: -Infinity };
  for (let i = 0; i < xy.length; i += 2) {
    box.x0 = Math.min(box.x0, xy[i]!);
    box.x1 = Math.max(box.x1, xy[i]!);
    box.y0 = Math.min(box.y0, xy[i + 1]!);
    box.y1 = Math.max(box.y1, xy[i + 1]!);
  }
  if (!(box.x1 > box.x0)) box.x1 = box.x0 + 1;
  if (!(box.y1 > box.y0)) box.y1 = box.y0 + 1;
  const places = new Uint16Array(xy.length);
  for (let i = 0; i < xy.length; i += 2) {
    places[i] = Math.round(((xy[i]! - box.x0) / (box.x1 - box.x0)) * 65_535);
    places[i + 1] = Math.round(((xy[i + 1]! - box.y0) / (box.y1 - box.y0)) * 65_535);
  }
  return { places, box };
}

/** What lies between two sets of coordinates. */
export function between(from: Float32Array, to: Float32Array, mixing: number): Float32Array {
  if (mixing >= 1 || from.length !== to.length) return to;
  return to.map((value, i) => from[i]! + (value - from[i]!) * mixing);
}

/** The span of the great majority of tokens, so that one stray does not shrink the city. */
export function span(xy: Float32Array): View {
  const every = Math.max(1, Math.floor(xy.length / 2 / 4_096));
  const xs: number[] = [];
  const ys: number[] = [];
  for (let i = 0; i < xy.length; i += 2 * every) {
    xs.push(xy[i]!);
    ys.push(xy[i + 1]!);
  }
  if (!xs.length) return { x0: 0, x1: 1, y0: 0, y1: 1 };
  const ends = (values: number[]): [number, number] => {
    values.sort((a, b) => a - b);
    const at = (part: number) => values[Math.round(part * (values.length - 1))]!;
    const [low, high] = [at(0.002), at(0.998)];
    const room = 0.03 * (high - low);
    return high > low ? [low - room, high + room] : [low - 0.5, high + 0.5];
  };
  const [x0, x1] = ends(xs);
  const [y0, y1] = ends(ys);
  return { x0, x1, y0, y1 };
}

/** The view that shows `box` in the part of a `width` by `height` picture which nothing covers. */
export function fit(box: View, width: number, height: number, insets: Insets): View {
  const freeWidth = Math.max(80, width - insets.left - insets.right);
  const freeHeight = Math.max(80, height - insets.top - insets.bottom);
  const [w, h] = [box.x1 - box.x0, box.y1 - box.y0];
  // Units of the map a pixel, each way; equal unless the free space is much wider (or taller).
  let ux = w / freeWidth;
  let uy = h / freeHeight;
  if (ux < uy) ux = Math.max(ux, uy / WIDEST);
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

/** `view` grown (factor above 1) or shrunk about a point, given in parts of the picture. */
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

/** How different two views are, as a part of the first. */
export function difference(a: View, b: View): number {
  const [w, h] = [a.x1 - a.x0, a.y1 - a.y0];
  return Math.max(
    Math.abs(a.x0 - b.x0) / w,
    Math.abs(a.x1 - b.x1) / w,
    Math.abs(a.y0 - b.y0) / h,
    Math.abs(a.y1 - b.y1) / h,
  );
}

export function mixViews(a: View, b: View, mixing: number): View {
  const mix = (from: number, to: number) => from + (to - from) * mixing;
  return {
    x0: mix(a.x0, b.x0),
    x1: mix(a.x1, b.x1),
    y0: mix(a.y0, b.y0),
    y1: mix(a.y1, b.y1),
  };
}
