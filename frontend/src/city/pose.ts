/** What a picture of the city is drawn from: the scene as it is once everything has come to rest. */

import type { Lights } from "./lights";
import type { Scenery } from "./overlay";
import type { View } from "./placement";

export interface Pose {
  /** The lamps' own, to be copied; null where they are not drawn with WebGL2. */
  lights: Lights | null;
  /** Made for the picture's own width and height. */
  scenery: Scenery;
  /** x, y by token id, in map units. */
  xy: Float32Array;
  /** The span of the city, in map units. */
  box: View;
  /** Four bytes a token: rgb, how bright it sleeps. */
  tints: Uint8Array;
  /** The beat's rows and how brightly each shines, 0 to 1. */
  shining: { ids: Uint32Array; strengths: Float32Array };
}

/** Pixels of the screen for one pixel of the design: lamps grow with the picture. */
export function designSize(width: number, height: number): number {
  return Math.max(0.85, Math.min(2.2, Math.sqrt((width * height) / 1_000_000)));
}
