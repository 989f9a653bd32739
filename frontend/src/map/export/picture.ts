/**
 * A picture of the map as a file, in a size of its own: labels placed anew, lamps drawn at that resolution.
 *
 * It is drawn off screen and leaves the page untouched.
 */

import { createTextMeasure, layOutCaption, type Caption, type CaptionLayout } from "./caption";
import { canvasBlob } from "./canvas-blob";
import { SETTLED } from "../scene/displayed-map";
import type { StillScene } from "../scene/still-scene";
import type { Scene } from "../scene/scene";
import type { PictureSize } from "../../model/picture-sizes";
import { blankCanvas, Studio } from "./studio";
import { renderSvg } from "./svg";

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
  const [stillScene, layout] = settle(scene, caption, size);
  if (!stillScene) return null;
  const canvas = stillScene.renderer
    ? drawPicture(stillScene, layout, size)
    : await rasterise(renderSvg(stillScene, layout, caption.title), size);
  return canvasBlob(canvas, "image/png");
}

/** Return an SVG document of what the scene shows; null if it shows nothing. */
export function svgBlobOf(
  scene: Scene,
  caption: Caption,
  size: PictureSize,
  title: string,
): Blob | null {
  const [stillScene, layout] = settle(scene, caption, size);
  return stillScene && new Blob([renderSvg(stillScene, layout, title)], { type: "image/svg+xml" });
}

/** Lay the caption out, and return the settled scene in the space that it leaves; null if there is none. */
function settle(
  scene: Scene,
  caption: Caption,
  { width, height }: PictureSize,
): [StillScene | null, CaptionLayout] {
  const layout = layOutCaption(caption, width, height, createTextMeasure());
  return [scene.stillScene(width, height, layout.insets), layout];
}

function drawPicture(
  { overlayModel, renderer }: StillScene,
  caption: CaptionLayout,
  size: PictureSize,
): HTMLCanvasElement {
  const studio = new Studio(size);
  try {
    studio.renderer.copyFrom(renderer!);
    studio.overlay.updateLabels(overlayModel);
    studio.draw(overlayModel, SETTLED, caption, Infinity);
    return studio.canvas;
  } finally {
    studio.stop();
  }
}

/** Draw the SVG on a canvas, where the lamps have no WebGL2. */
async function rasterise(svg: string, size: PictureSize): Promise<HTMLCanvasElement> {
  const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = blankCanvas(size);
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    return canvas;
  } finally {
    URL.revokeObjectURL(url);
  }
}
