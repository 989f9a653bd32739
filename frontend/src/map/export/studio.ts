/**
 * The off-screen canvases that a picture or a film is drawn on: lamps, then the overlay and a caption above
 * them.
 */

import { Overlay } from "../overlay/overlay";
import type { OverlayModel } from "../overlay/overlay-model";
import type { Instant } from "../scene/displayed-map";
import { designPixelSize } from "../scene/still-scene";
import { lampGrowth } from "../webgl/glow-falloff";
import { PointRenderer } from "../webgl/renderer";
import { pixelDimensions, type PictureSize } from "../../model/picture-sizes";
import {
  createTextMeasure,
  drawCaption,
  layOutCaption,
  type Caption,
  type CaptionLayout,
} from "./caption";

/** The canvases of one size. */
export class Studio {
  /** The finished picture. */
  readonly canvas: HTMLCanvasElement;
  readonly renderer = new PointRenderer(document.createElement("canvas"), () => undefined);
  readonly overlay = new Overlay(document.createElement("canvas"));
  private readonly context: CanvasRenderingContext2D;
  private readonly measure = createTextMeasure();

  /**
   * Create the canvases.
   *
   * @throws Error if there is no WebGL2.
   */
  constructor(private readonly size: PictureSize) {
    this.canvas = blankCanvas(size);
    this.context = this.canvas.getContext("2d")!;
    this.renderer.resize(this.canvas.width, this.canvas.height);
    this.overlay.resize(size.width, size.height, size.ratio);
  }

  /** Lay out a caption for this size. */
  layOut(caption: Caption): CaptionLayout {
    return layOutCaption(caption, this.size.width, this.size.height, this.measure);
  }

  /** Draw the map at an instant. Labels fade by `elapsed` ms; Infinity skips the fading. */
  draw(model: OverlayModel, at: Instant, caption: CaptionLayout, elapsed: number) {
    const { context, canvas, overlay, renderer } = this;
    const { width, height, ratio } = this.size;
    renderer.render(model.view, at, ratio * designPixelSize(width, height), lampGrowth(model.zoom));
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(renderer.canvas, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    overlay.draw(model, elapsed);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(overlay.canvas, 0, 0, canvas.width, canvas.height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    drawCaption(context, caption);
  }

  /** Release the graphics memory; the drawn picture stays. */
  stop() {
    this.renderer.stop();
  }
}

/** Create a canvas of a picture's size. */
export function blankCanvas(size: PictureSize): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = pixelDimensions(size);
  return canvas;
}

/**
 * Encode a canvas as a PNG.
 *
 * @throws Error if the browser returns no picture.
 */
export function canvasBlob(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"),
  );
}
