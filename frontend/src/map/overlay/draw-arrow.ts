/** The arrow of a direction: from the middle of some tokens on the map to the middle of others. */

import { toPixel } from "../../model/plane/viewport";
import { INK } from "../palette";
import type { OverlayModel } from "./overlay-model";

/**
 * Length of the head and distance of both ends from the middles, in design pixels; shorter for a short arrow.
 */
const HEAD = 13;
const SHORT = 9;
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
  const [short, head] = [Math.min(SHORT * scale, far / 5), Math.min(HEAD * scale, far / 2)];
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
