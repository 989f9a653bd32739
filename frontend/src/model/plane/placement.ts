/** Token positions in map units, and the visible part of the map. Pure. */

import type { Layout } from "../../api/frames";
import { mixViews, UNIT_SQUARE, type MapRect } from "./viewport";

/** A layout in the form that the GPU takes: quantised positions within a box. */
export interface Placement {
  places: Uint16Array;
  box: MapRect;
}

/** The greatest quantised coordinate, at the far side of the box. */
const FAR_SIDE = 65_535;

/** Return the length of a quantisation step along a side of the box from `low` to `high`, in map units. */
export function quantisationStep(low: number, high: number): number {
  return (high - low) / FAR_SIDE;
}

/** Return a layout's placement; an empty side of its box becomes 1 unit long. */
export function placementOf({ places, x0, x1, y0, y1 }: Layout): Placement {
  return { places, box: { x0, x1: x1 > x0 ? x1 : x0 + 1, y0, y1: y1 > y0 ? y1 : y0 + 1 } };
}

/** Return x, y by token id, in map units; of a sample, one token in `every`. */
export function coordinates({ places, box }: Placement, every = 1): Float32Array {
  const out = new Float32Array(2 * Math.ceil(places.length / 2 / every));
  const sx = quantisationStep(box.x0, box.x1);
  const sy = quantisationStep(box.y0, box.y1);
  for (let i = 0; i < out.length; i += 2) {
    out[i] = box.x0 + sx * places[every * i]!;
    out[i + 1] = box.y0 + sy * places[every * i + 1]!;
  }
  return out;
}

/** Return a token's position, in map units. */
export function positionOf({ places, box }: Placement, id: number): [number, number] {
  return [
    box.x0 + quantisationStep(box.x0, box.x1) * places[2 * id]!,
    box.y0 + quantisationStep(box.y0, box.y1) * places[2 * id + 1]!,
  ];
}

/** Return the placement of tokens at x, y by token id, in map units: quantised within their bounds. */
export function quantise(xy: Float32Array): Placement {
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
    places[i] = Math.round(((xy[i]! - box.x0) / (box.x1 - box.x0)) * FAR_SIDE);
    places[i + 1] = Math.round(((xy[i + 1]! - box.y0) / (box.y1 - box.y0)) * FAR_SIDE);
  }
  return { places, box };
}

/** Return the placement a fraction `mixing` of the way between two, for an interrupted glide. */
export function mixPlacements(from: Placement, to: Placement, mixing: number): Placement {
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

/**
 * Room for the coast around the outermost lamps, and how far out a lamp may be to be included, as fractions
 * of a side.
 */
const COAST = 0.06;
const FARTHEST = 0.5;

/** Return the bounds of the whole map: every lamp except distant strays, and the coast. */
export function mapBounds(placement: Placement): MapRect {
  const { box } = placement;
  const sample = coordinates(placement, sampleStep(placement.places));
  const { x0, x1, y0, y1 } = robustBounds(sample);
  const [w, h] = [x1 - x0, y1 - y0];
  return {
    x0: Math.max(box.x0, x0 - FARTHEST * w) - COAST * w,
    x1: Math.min(box.x1, x1 + FARTHEST * w) + COAST * w,
    y0: Math.max(box.y0, y0 - FARTHEST * h) - COAST * h,
    y1: Math.min(box.y1, y1 + FARTHEST * h) + COAST * h,
  };
}

/** Return how many tokens there are to one whose position counts for the bounds; x, y by token id. */
function sampleStep({ length }: ArrayLike<number>): number {
  return Math.max(1, Math.floor(length / 2 / 4_096));
}

/** Return the bounds of all but the outermost tokens, so that one stray does not shrink the map. */
export function robustBounds(xy: Float32Array): MapRect {
  const every = sampleStep(xy);
  const count = Math.ceil(xy.length / 2 / every);
  if (!count) return UNIT_SQUARE;
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
