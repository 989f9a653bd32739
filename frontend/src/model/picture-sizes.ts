/** Sizes of exported pictures and films. */

export const PICTURE_SIZES = ["projector", "4k", "square", "screen"] as const;
export type PictureSizeName = (typeof PICTURE_SIZES)[number];

export interface PictureSize {
  /** Width and height in design pixels; `ratio` is the number of device pixels per design pixel. */
  width: number;
  height: number;
  ratio: number;
}

/** Return the size with a name; `screen` is the map's size on the page, in CSS pixels. */
export function pictureSize(
  name: PictureSizeName,
  screen: { width: number; height: number },
): PictureSize {
  switch (name) {
    case "projector":
      return { width: 1440, height: 810, ratio: 4 / 3 };
    case "4k":
      return { width: 1920, height: 1080, ratio: 2 };
    case "square":
      return { width: 900, height: 900, ratio: 1.6 };
    case "screen":
      return { ...screen, ratio: Math.min(3, devicePixelRatio || 1) };
  }
}

/** Return width and height of a size in device pixels. */
export function pixelDimensions({ width, height, ratio }: PictureSize): [number, number] {
  return [Math.round(width * ratio), Math.round(height * ratio)];
}
