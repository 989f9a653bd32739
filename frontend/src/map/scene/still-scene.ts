/** The settled scene that a picture is drawn from. */

import type { PointRenderer } from "../webgl/renderer";
import type { OverlayModel } from "../overlay/overlay-model";

/** The settled scene. */
export interface StillScene {
  /** The map's own renderer, to copy from. */
  renderer: PointRenderer;
  /** The overlay, for the picture's own width and height. */
  overlayModel: OverlayModel;
}

/**
 * Return the screen pixels per design pixel; lamps grow with the picture. On a map of which little is free, they are
 * smaller: they would run into one another.
 */
export function designPixelSize(width: number, height: number, free = Infinity): number {
  const size = Math.max(0.85, Math.min(2.2, Math.sqrt((width * height) / 1_000_000)));
  return Math.max(0.45, size * Math.min(1, Math.sqrt(free / 250_000)));
}
