/**
 * A picture of the map as a file, in its own size: labels are placed for it, and lamps drawn at its
 * resolution.
 *
 * It is drawn off screen and leaves the page unchanged.
 */

import { createTextMeasure, layOutCaption, type Caption } from "./caption";
import { SETTLED } from "../scene/displayed-map";
import type { Scene } from "../scene/scene";
import type { PictureSize } from "../../model/picture-sizes";
import { canvasBlob, Studio } from "./studio";

/**
 * Return a PNG of what the scene shows; null if it shows nothing.
 *
 * @throws Error if the picture does not fit in memory.
 */
export async function pngOf(
  scene: Scene,
  caption: Caption,
  size: PictureSize,
): Promise<Blob | null> {
  const { width, height } = size;
  const layout = layOutCaption(caption, width, height, createTextMeasure());
  const stillScene = scene.stillScene(width, height, layout.insets);
  if (!stillScene) return null;
  const { overlayModel, renderer } = stillScene;
  const studio = new Studio(size);
  try {
    studio.renderer.copyFrom(renderer);
    studio.overlay.updateLabels(overlayModel);
    studio.draw(overlayModel, SETTLED, layout, Infinity);
    return await canvasBlob(studio.canvas);
  } finally {
    studio.stop();
  }
}
