/** Texts of the panel of pictures and films, and of the pictures themselves. */

import type { PictureSizeName } from "../model/picture-sizes";
import { count } from "./numbers";

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
    pngMore: "With every lamp, for slides and print (s)",
    svg: "Save SVG",
    svgMore: "Lines and text that other programs can edit",
    share: "Share",
    busy: "Drawing",
    saved: (name: string, size: string) => `Saved ${name}, ${size}`,
    nothing: "There is nothing to save yet: the words have no places.",
    failed: "This browser could not draw the picture; a smaller size may work.",
    notShared: "This browser did not share it; it can be saved instead.",
  },
  caption: {
    learns: (words: number) => `A language model learns ${count(words)} words`,
    before: (step: number) =>
      step ? `At step ${count(step)}` : "Before it reads anything, words lie anywhere",
    after: (steps: number) => `After ${count(steps)} steps, words that are used alike lie together`,
    step: (step: number) => `step ${count(step)}`,
    loss: (loss: string) => `surprise ${loss} (loss, nats per word)`,
    lit: (lit: number, all: number) => `reading ${count(lit)} of ${count(all)} words`,
    none: (all: number) => `none of ${count(all)} words read yet`,
    view: (view: string, step: number) => `${view}, step ${count(step)}`,
    trust: (trust: string, error: string) => `map accuracy ${trust} ± ${error}`,
    noTrust: "map accuracy not measured",
    reading: "each light is a word, the brighter the more this step wants to change it",
    relief: "land: how densely words lie",
    legend: (by: string, entries: number, tints: number) =>
      entries > tints
        ? `Colour: ${by} (${count(entries)} share ${tints} colours)`
        : `Colour: ${by}`,
    more: (entries: number) => `and ${count(entries)} more`,
  },
} as const;
