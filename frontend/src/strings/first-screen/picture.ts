/** Texts of the panel of pictures and films. */

import type { PictureSizeName } from "../../model/picture-sizes";

export const picture = {
  picture: {
    title: "Image of the city",
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
    pngMore: "Every light, for slides and print",
    share: "Share",
    busy: "Drawing",
    saved: (name: string, size: string) => `Saved ${name}, ${size}`,
    nothing: "Nothing to save yet: the words have not been placed.",
    failed: "This browser could not draw the image; a smaller size may work.",
    notShared: "This browser could not share it; save it instead.",
  },
} as const;
