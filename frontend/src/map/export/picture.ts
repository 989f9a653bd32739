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
  const placed = layOutCaption(caption, size.width, size.height, createTextMeasure());
  const pose = scene.stillScene(size.width, size.height, placed.insets);
  if (!pose) return null;
  const canvas = pose.renderer
    ? drawPicture(pose, placed, size)
    : await rasterise(renderSvg(pose, placed, caption.title), size);
  return canvasBlob(canvas, "image/png");
}

/** Return an SVG document of what the scene shows; null if it shows nothing. */
export function svgBlobOf(
  scene: Scene,
  caption: Caption,
  size: PictureSize,
  title: string,
): Blob | null {
  const placed = layOutCaption(caption, size.width, size.height, createTextMeasure());
  const pose = scene.stillScene(size.width, size.height, placed.insets);
  return pose && new Blob([renderSvg(pose, placed, title)], { type: "image/svg+xml" });
}

function drawPicture(
  pose: StillScene,
  caption: CaptionLayout,
  size: PictureSize,
): HTMLCanvasElement {
  const { width, height, ratio } = size;
  const canvas = blank(size);
  const pen = canvas.getContext("2d")!;
  const lights = new PointRenderer(document.createElement("canvas"), () => undefined);
  try {
    lights.copyFrom(pose.renderer!);
    lights.resize(canvas.width, canvas.height);
    const moment = { view: pose.scenery.view, mixing: 1, rising: 1, glow: 1 };
    lights.render(moment, ratio * designPixelSize(width, height));
    pen.drawImage(lights.canvas, 0, 0);
  } finally {
    lights.stop();
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  drawTrails(pen, pose.scenery);
  const overlay = new Overlay(document.createElement("canvas"));
  overlay.resize(width, height, ratio);
  overlay.updateLabels(pose.scenery);
  overlay.draw(pose.scenery, Infinity);
  pen.drawImage(overlay.canvas, 0, 0, width, height);
  drawCaption(pen, caption);
  return canvas;
}

/** Draw the SVG on a canvas, where the lamps have no WebGL2. */
async function rasterise(svg: string, size: PictureSize): Promise<HTMLCanvasElement> {
  const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = blank(size);
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    return canvas;
  } finally {
    URL.revokeObjectURL(address);
  }
}

function blank(size: PictureSize): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = pixelDimensions(size);
  return canvas;
}
