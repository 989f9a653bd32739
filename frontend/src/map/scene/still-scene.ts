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

/** Return the screen pixels per design pixel; lamps grow with the picture. */
export function designPixelSize(width: number, height: number): number {
  return Math.max(0.85, Math.min(2.2, Math.sqrt((width * height) / 1_000_000)));
}
