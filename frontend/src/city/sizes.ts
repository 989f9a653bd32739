/** How large pictures and films may be. */

export const SIZES = ["projector", "4k", "square", "screen"] as const;
export type SizeName = (typeof SIZES)[number];

export interface Size {
  /** In the pixels that type is measured in, and how many real ones there are for one of them. */
  width: number;
  height: number;
  ratio: number;
}

/** What a size by name is; `screen` is how large the map is on it, in CSS pixels. */
export function sizeOf(name: SizeName, screen: { width: number; height: number }): Size {
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

/** Real pixels of a size. */
export function pixelsOf({ width, height, ratio }: Size): [number, number] {
  return [Math.round(width * ratio), Math.round(height * ratio)];
}
