/** Two steps of a run side by side in one picture. */

import { FilmTiming } from "./film-timing";
import type { PictureSize } from "../../model/picture-sizes";
import { INK } from "../palette";
import { FilmRenderer, type FilmSpec } from "./film-renderer";
import { blankCanvas, canvasBlob } from "./studio";

/** Gap between the halves, in design pixels. */
const GAP = 2;

/** The two steps, the earlier one first, and how they are drawn. */
type ThenAndNow = Pick<FilmSpec, "vocabulary" | "frames" | "caption"> & { tints: Uint8Array };

/**
 * Return a PNG of two steps side by side.
 *
 * @throws Error if the picture does not fit in memory, or there is no WebGL2.
 */
export async function thenAndNowOf(
  { vocabulary, frames, caption, tints }: ThenAndNow,
  size: PictureSize,
): Promise<Blob | null> {
  const canvas = blankCanvas(size);
  const context = canvas.getContext("2d")!;
  context.fillStyle = INK.contour;
  context.fillRect(0, 0, canvas.width, canvas.height);
  const half = { ...size, width: (size.width - GAP) / 2 };
  for (const [place, frame] of frames.entries()) {
    const spec = { vocabulary, caption, rate: 1, steady: true, size: half };
    const renderer = new FilmRenderer(
      { ...spec, frames: [frame], tints: () => tints },
      new FilmTiming(1, 1),
    );
    try {
      renderer.drawAt(0);
      context.drawImage(renderer.canvas, place * (canvas.width - renderer.canvas.width), 0);
    } finally {
      renderer.stop();
    }
  }
  return canvasBlob(canvas);
}
