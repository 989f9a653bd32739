/** The pixels of a small map of lamps. Pure. */

import type { Placement } from "../../model/plane/placement";

const NIGHT = [10, 14, 28] as const;
const DIM = [98, 116, 164] as const;
const LIT = [255, 192, 106] as const;
const BRIGHTER = [255, 246, 222] as const;
/** Margin around the outermost lamps, in pixels. */
const MARGIN = 6;
const FAR_SIDE = 65_535;

/**
 * Return a square RGBA picture, row by row: the map keeps its proportions; lit lamps are larger, and drawn
 * above dim ones.
 */
export function lampPixels(
  { places, box }: Placement,
  lit: Uint8Array,
  brighter: Uint8Array,
  size: number,
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(4 * size * size);
  for (let at = 0; at < pixels.length; at += 4) pixels.set([...NIGHT, 255], at);
  const [width, height] = [box.x1 - box.x0, box.y1 - box.y0];
  const scale = (size - 2 * MARGIN) / Math.max(width, height);
  const left = (size - scale * width) / 2;
  const bottom = (size - scale * height) / 2;
  const draw = (id: number, radius: number, colour: readonly [number, number, number]) => {
    const x = Math.round(left + (scale * width * places[2 * id]!) / FAR_SIDE);
    const y = Math.round(size - 1 - bottom - (scale * height * places[2 * id + 1]!) / FAR_SIDE);
    for (let dy = -radius; dy <= radius; dy++)
      for (let dx = -radius; dx <= radius; dx++) {
        const [px, py] = [x + dx, y + dy];
        const inside = px >= 0 && px < size && py >= 0 && py < size;
        if (inside && dx * dx + dy * dy <= radius * radius + 1)
          pixels.set(colour, 4 * (py * size + px));
      }
  };
  const rows = Math.min(lit.length, places.length / 2);
  // From dimmest to brightest, so that no bright lamp is hidden.
  for (let id = 0; id < rows; id++) if (!lit[id] && !brighter[id]) draw(id, 0, DIM);
  for (let id = 0; id < rows; id++) if (lit[id] && !brighter[id]) draw(id, 1, LIT);
  for (let id = 0; id < rows; id++) if (brighter[id]) draw(id, 2, BRIGHTER);
  return pixels;
}
