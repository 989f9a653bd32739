/**
 * A picture of the map as a file, in a size of its own: labels placed anew, lamps drawn at that resolution.
 *
 * It is drawn off screen and leaves the page untouched.
 */

import {
  drawCaption,
  createTextMeasure,
  layOutCaption,
  type Caption,
  type CaptionLayout,
} from "./caption";
import { PointRenderer } from "../webgl/renderer";
import { Overlay } from "../overlay/overlay";
import { canvasBlob } from "./canvas-blob";
import { designPixelSize, type StillScene } from "../scene/still-scene";
import type { Scene } from "../scene/scene";
import { pixelDimensions, type PictureSize } from "../../model/picture-sizes";
import { drawTrails } from "../overlay/draw-trails";
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
  const captionLayout = layOutCaption(caption, size.width, size.height, createTextMeasure());
  const stillScene = scene.stillScene(size.width, size.height, captionLayout.insets);
  if (!stillScene) return null;
  const canvas = stillScene.renderer
    ? drawPicture(stillScene, captionLayout, size)
    : await rasterise(renderSvg(stillScene, captionLayout, caption.title), size);
  return canvasBlob(canvas, "image/png");
}

/** Return an SVG document of what the scene shows; null if it shows nothing. */
export function svgBlobOf(
  scene: Scene,
  caption: Caption,
  size: PictureSize,
  title: string,
): Blob | null {
  const captionLayout = layOutCaption(caption, size.width, size.height, createTextMeasure());
  const stillScene = scene.stillScene(size.width, size.height, captionLayout.insets);
  return (
    stillScene && new Blob([renderSvg(stillScene, captionLayout, title)], { type: "image/svg+xml" })
  );
}

function drawPicture(
  stillScene: StillScene,
  caption: CaptionLayout,
  size: PictureSize,
): HTMLCanvasElement {
  const { width, height, ratio } = size;
  const canvas = blankCanvas(size);
  const context = canvas.getContext("2d")!;
  const renderer = new PointRenderer(document.createElement("canvas"), () => undefined);
  try {
    renderer.copyFrom(stillScene.renderer!);
    renderer.resize(canvas.width, canvas.height);
    const state = { view: stillScene.overlayModel.view, mixing: 1, landProgress: 1, glow: 1 };
    renderer.render(state, ratio * designPixelSize(width, height));
    context.drawImage(renderer.canvas, 0, 0);
  } finally {
    renderer.stop();
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  drawTrails(context, stillScene.overlayModel);
  const overlay = new Overlay(document.createElement("canvas"));
  overlay.resize(width, height, ratio);
  overlay.updateLabels(stillScene.overlayModel);
  overlay.draw(stillScene.overlayModel, Infinity);
  context.drawImage(overlay.canvas, 0, 0, width, height);
  drawCaption(context, caption);
  return canvas;
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

function blankCanvas(size: PictureSize): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = pixelDimensions(size);
  return canvas;
}
