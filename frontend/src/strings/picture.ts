/** Texts of the panel of pictures and films. */

import type { PictureSizeName } from "../model/picture-sizes";

export const picture = {
  picture: {
    title: "A picture of the city",
    about:
      "What the map shows now, at the size you choose: the lights of this step, the names, and a caption.",
    thenAndNow: "Then | now",
    thenAndNowMore: "The first map and the one on the screen, side by side",
    size: "Size",
    sizes: {
      projector: "wide, 1920 × 1080",
      "4k": "4k, 3840 × 2160",
      square: "square, 1440 × 1440",
      screen: "as on this screen",
    } satisfies Record<PictureSizeName, string>,
    png: "Save PNG",
    pngMore: "With every lamp, for slides and print",
    share: "Share",
    busy: "Drawing",
    saved: (name: string, size: string) => `Saved ${name}, ${size}`,
    nothing: "There is nothing to save yet: the words have no places.",
    failed: "This browser could not draw the picture; a smaller size may work.",
    notShared: "This browser did not share it; it can be saved instead.",
  },
} as const;
