/** Texts of the film panel, and those found only in films. */

import type { ColourBy } from "../../model/view/view-options";
import { count, fixed } from "../../strings/numbers";
import { table } from "../../strings/translation";

const colourMore: Partial<Record<ColourBy, string>> = {
  since: "As it was at each step.",
  gradient: "Of the last step of the film that read the word.",
  moved: "How far each vector moved over the steps that the legend names.",
  trust: "Of the map at each step.",
  district: "As they were found at each step.",
};
const unknown: Partial<Record<ColourBy, string>> = { gradient: "no step of the film so far" };

export const film = table("film", {
  film: {
    title: "Make a film",
    about:
      "A video of the map at the steps you name, drawn from the record; the page goes on meanwhile. Lamps light at most three times per second, each time those of one real step.",
    from: "From step",
    to: "to",
    step: "every",
    lengthLabel: "Length",
    seconds: (seconds: number) => (seconds === 60 ? "a minute" : `${seconds} seconds`),
    size: "Size",
    sizes: {
      small: "1280 × 720",
      projector: "1920 × 1080",
      square: "square, 1440 × 1440",
    },
    light: "Lamps",
    beats: "fade",
    steady: "steady",
    length: (shots: number, seconds: number) =>
      `${count(shots)} ${shots === 1 ? "step" : "steps"} shown, ${fixed(seconds, 1)} s`,
    stride: (steps: number) =>
      `at this speed only every ${count(steps)}th of them lights its lamps; the map moves with all`,
    tooMany: (most: number) => `At most ${count(most)} steps make a film: show fewer of them.`,
    starts: (step: number) => `The film starts with the map, at step ${count(step)}.`,
    wrong: (first: number, last: number) =>
      `Steps go from ${count(first)} to ${count(last)}, the first not after the last, and “every” is at least 1.`,
    make: "Make the film",
    cancel: "Cancel",
    fetching: "Fetching the steps",
    drawing: "Drawing the frames",
    save: "Save the film",
    share: "Share",
    shown: "The film",
    colour: "Colour",
    colourMore,
    unknown,
    moved: (from: number, to: number) => `moved: from step ${count(from)} to ${count(to)}`,
    noVideo:
      "This browser makes no videos at this address: most do so only over https, or on the computer that Lamplighter runs on. Save a picture instead.",
    failed: "The film could not be made here; a smaller size may work.",
    lamps: (step: number) => `lamps of step ${count(step)}`,
    every: (steps: number) =>
      steps === 1 ? "every step is shown" : `every ${count(steps)}th step is shown`,
  },
} as const);
