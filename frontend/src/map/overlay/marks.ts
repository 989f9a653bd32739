/** Marks on the map. Each kind has its own shape, so that it is recognisable on lamps of any colour. */

import { lampGrowth } from "../webgl/glow-falloff";
import { INK } from "../palette";
import { toPixel } from "../../model/plane/viewport";
import type { OverlayModel } from "./overlay-model";
import type { LinkKind, NeighbourLink } from "../../model/neighbour-link";

/** Each kind has its own dashes, because colour has no meaning here. */
const DASHES: Record<LinkKind, number[]> = { space: [], map: [1.5, 4], both: [9, 3] };
/** Distance at which a ray ends before its neighbour, in design pixels, so that the lamp stays clear. */
const SHORT = 5;

/**
 * Draw the rays from the edge of the ring of `radius` around (x, y); `pixelOf` returns a token's position.
 */
export function drawRays(
  context: CanvasRenderingContext2D,
  [x, y]: [number, number],
  radius: number,
  links: NeighbourLink[],
  pixelOf: (id: number) => [number, number],
  scale: number,
) {
  context.strokeStyle = INK.lamp;
  context.lineWidth = scale;
  for (const { id, cosine, kind } of links) {
    const [nx, ny] = pixelOf(id);
    const far = Math.hypot(nx - x, ny - y);
    const end = far - SHORT * scale;
    // A neighbour inside the ring needs no ray.
    if (end <= radius) continue;
    const at = (away: number) =>
      [x + ((nx - x) * away) / far, y + ((ny - y) * away) / far] as const;
    context.globalAlpha = kind === "map" ? 0.4 : 0.22 + 0.4 * Math.max(0, cosine ?? 0) ** 2;
    context.setLineDash(DASHES[kind].map((part) => part * scale));
    context.beginPath();
    context.moveTo(...at(radius));
    context.lineTo(...at(end));
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/** Radius of the ring around the chosen token on the whole map, in design pixels. */
const RING = 10;

/** Return the radius of the ring around the chosen token at a magnification, in design pixels. */
export function ringRadius(zoom: number): number {
  return RING * Math.sqrt(lampGrowth(zoom));
}

/** Draw all marks, enlarged by `scale`. */
export function drawMarks(context: CanvasRenderingContext2D, model: OverlayModel, scale: number) {
  drawDoubtful(context, model, scale);
  drawRinged(context, model, scale);
  drawRings(context, model, scale);
  drawSelected(context, model, scale);
  drawChosen(context, model, scale);
  drawArrow(context, model, scale);
}

/** Draw a cross on each token whose position is not trustworthy. */
function drawDoubtful(context: CanvasRenderingContext2D, model: OverlayModel, scale: number) {
  const arm = 3.5 * scale;
  const cross = (x: number, y: number) => {
    context.moveTo(x - arm, y - arm);
    context.lineTo(x + arm, y + arm);
    context.moveTo(x - arm, y + arm);
    context.lineTo(x + arm, y - arm);
  };
  if (trace(context, model, model.doubtful, arm, cross))
    stroke(context, INK.doubt, 1.4 * scale, 0.85);
}

/** Draw a ring around each token of the focused district. */
function drawRinged(context: CanvasRenderingContext2D, model: OverlayModel, scale: number) {
  const radius = 6 * scale;
  const ring = (x: number, y: number) => {
    context.moveTo(x + radius, y);
    context.arc(x, y, radius, 0, 2 * Math.PI);
  };
  if (trace(context, model, model.ringed, radius, ring)) stroke(context, INK.lamp, scale, 0.7);
}

/** Draw the rings of individual size, with a dark edge that keeps them visible on a lit lamp. */
function drawRings(context: CanvasRenderingContext2D, model: OverlayModel, scale: number) {
  const { rings } = model;
  if (!rings?.size) return;
  const widest = 6 * scale * Math.max(...rings.values());
  const ring = (x: number, y: number, id: number) => {
    const radius = 6 * scale * (rings.get(id) ?? 1);
    context.moveTo(x + radius, y);
    context.arc(x, y, radius, 0, 2 * Math.PI);
  };
  if (!trace(context, model, [...rings.keys()], widest, ring)) return;
  stroke(context, INK.night, 3.2 * scale, 0.55);
  stroke(context, INK.lamp, 1.6 * scale, 0.95);
}

/** Draw a diamond around each selected token. */
function drawSelected(context: CanvasRenderingContext2D, model: OverlayModel, scale: number) {
  // Many diamonds are drawn smaller, to leave the lamps visible.
  const many = model.selected.length;
  const arm = (many > 250 ? 3.6 : many > 60 ? 5 : 7.5) * scale;
  const line = (many > 60 ? 1 : 1.4) * scale;
  const diamond = (x: number, y: number) => {
    context.moveTo(x, y - arm);
    context.lineTo(x + arm, y);
    context.lineTo(x, y + arm);
    context.lineTo(x - arm, y);
    context.closePath();
  };
  if (!trace(context, model, model.selected, arm, diamond)) return;
  // A dark edge keeps them visible on bright land.
  stroke(context, INK.night, line + 1.6 * scale, 0.5);
  stroke(context, INK.text, line, 0.95);
}

/**
 * Trace a shape around each of these tokens that is visible, `reach` pixels from its centre, as one path.
 * Return whether there are any tokens.
 */
function trace(
  context: CanvasRenderingContext2D,
  model: OverlayModel,
  ids: readonly number[],
  reach: number,
  shape: (x: number, y: number, id: number) => void,
): boolean {
  if (!ids.length) return false;
  const { width, height } = model;
  context.beginPath();
  for (const id of ids) {
    const [x, y] = toPixel(model, model.positionOf(id));
    if (x >= -reach && y >= -reach && x <= width + reach && y <= height + reach) shape(x, y, id);
  }
  return true;
}

function stroke(context: CanvasRenderingContext2D, ink: string, width: number, alpha: number) {
  context.strokeStyle = ink;
  context.lineWidth = width;
  context.globalAlpha = alpha;
  context.stroke();
  context.globalAlpha = 1;
}

/** Draw one ring around the chosen token, and rays to its neighbours. */
function drawChosen(context: CanvasRenderingContext2D, model: OverlayModel, scale: number) {
  if (model.chosen === null) return;
  const [x, y] = toPixel(model, model.positionOf(model.chosen));
  const radius = ringRadius(model.zoom) * scale;
  const pixelOf = (id: number) => toPixel(model, model.positionOf(id));
  drawRays(context, [x, y], radius, model.links, pixelOf, scale);
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  stroke(context, INK.lamp, 1.6 * scale, 0.95);
}

/**
 * Length of the head and distance of both ends from the middles, in design pixels; shorter for a short arrow.
 */
const HEAD = 13;
const END_GAP = 9;
/** Minimum distance of the middles for an arrow, in design pixels. */
const MIN_LENGTH = 8;

/** Draw the arrow, if any, with a dark edge; two middles almost at one position have none. */
export function drawArrow(context: CanvasRenderingContext2D, model: OverlayModel, scale: number) {
  const { arrow } = model;
  if (!arrow?.from.length || !arrow.to.length) return;
  const [x, y] = middleOf(arrow.from, model);
  const [toX, toY] = middleOf(arrow.to, model);
  const far = Math.hypot(toX - x, toY - y);
  if (far < MIN_LENGTH * scale) return;
  const [short, head] = [Math.min(END_GAP * scale, far / 5), Math.min(HEAD * scale, far / 2)];
  const [dx, dy] = [(toX - x) / far, (toY - y) / far];
  const [tipX, tipY] = [toX - dx * short, toY - dy * short];
  context.beginPath();
  context.moveTo(x + dx * short, y + dy * short);
  context.lineTo(tipX, tipY);
  for (const side of [-1, 1]) {
    context.moveTo(tipX, tipY);
    context.lineTo(tipX - head * (dx - 0.5 * side * dy), tipY - head * (dy + 0.5 * side * dx));
  }
  for (const [ink, width, alpha] of [
    [INK.night, 5, 0.6],
    [INK.lamp, 2.2, 0.95],
  ] as const) {
    context.strokeStyle = ink;
    context.lineWidth = width * scale;
    context.globalAlpha = alpha;
    context.stroke();
  }
  context.globalAlpha = 1;
}

function middleOf(ids: readonly number[], model: OverlayModel): [number, number] {
  const places = ids.map((id) => toPixel(model, model.positionOf(id)));
  const mean = (axis: 0 | 1) => places.reduce((sum, place) => sum + place[axis], 0) / places.length;
  return [mean(0), mean(1)];
}
