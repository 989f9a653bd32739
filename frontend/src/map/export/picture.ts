/**
 * A picture of the map as a file, in a size of its own: labels placed anew, lamps drawn at that resolution.
 *
 * It is drawn off screen and leaves the page untouched.
 */

import { drawCaption, measuring, placeCaption, type Caption, type Placed } from "./caption";
import { Lights } from "../webgl/renderer";
import { Overlay } from "../overlay/overlay";
import { pictureOf } from "./canvas-blob";
import { designSize, type Pose } from "../scene/still-scene";
import type { Scene } from "../scene/scene";
import { pixelsOf, type Size } from "../../model/picture-sizes";
import { drawTrails } from "../overlay/draw-trails";
import { svgOf } from "./svg";

/**
 * Return a PNG of what the scene shows; null if it shows nothing.
 *
 * @throws Error if the picture does not fit in memory.
 */
export async function pngOf(scene: Scene, caption: Caption, size: Size): Promise<Blob | null> {
  const placed = placeCaption(caption, size.width, size.height, measuring());
  const pose = scene.pose(size.width, size.height, placed.insets);
  if (!pose) return null;
  const canvas = pose.lights
    ? drawn(pose, placed, size)
    : await painted(svgOf(pose, placed, caption.title), size);
  return pictureOf(canvas, "image/png");
}

/** Return an SVG document of what the scene shows; null if it shows nothing. */
export function svgBlobOf(scene: Scene, caption: Caption, size: Size, title: string): Blob | null {
  const placed = placeCaption(caption, size.width, size.height, measuring());
  const pose = scene.pose(size.width, size.height, placed.insets);
  return pose && new Blob([svgOf(pose, placed, title)], { type: "image/svg+xml" });
}

function drawn(pose: Pose, caption: Placed, size: Size): HTMLCanvasElement {
  const { width, height, ratio } = size;
  const canvas = blank(size);
  const pen = canvas.getContext("2d")!;
  const lights = new Lights(document.createElement("canvas"), () => undefined);
  try {
    lights.copy(pose.lights!);
    lights.resize(canvas.width, canvas.height);
    const moment = { view: pose.scenery.view, mixing: 1, rising: 1, glow: 1 };
    lights.draw(moment, ratio * designSize(width, height));
    pen.drawImage(lights.canvas, 0, 0);
  } finally {
    lights.stop();
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  drawTrails(pen, pose.scenery);
  const overlay = new Overlay(document.createElement("canvas"));
  overlay.resize(width, height, ratio);
  overlay.choose(pose.scenery);
  overlay.draw(pose.scenery, Infinity);
  pen.drawImage(overlay.canvas, 0, 0, width, height);
  drawCaption(pen, caption);
  return canvas;
}

/** Draw the SVG on a canvas, where the lamps have no WebGL2. */
async function painted(svg: string, size: Size): Promise<HTMLCanvasElement> {
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

function blank(size: Size): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = pixelsOf(size);
  return canvas;
}
