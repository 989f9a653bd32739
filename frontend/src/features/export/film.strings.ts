/** Texts of the film panel, and those found only in films. */

import type { ColourBy } from "../../model/view/view-options";
import { count, decimal } from "../../strings/numbers";
import { table } from "../../strings/translation";

const colourMore: Partial<Record<ColourBy, string>> = {
  since: "As it was at each step.",
  gradient: "From the last step of the video that read the word.",
  moved: "How far each vector moved over the steps named in the colour key.",
  trust: "Of the map at each step.",
  district: "As they were found at each step.",
};
const unknown: Partial<Record<ColourBy, string>> = { gradient: "no step so far" };

export const film = table("film", {
  film: {
    title: "Make a video",
    about:
      "A video of the map at the steps you choose. You can keep using the page while it is made. Lights change at most three times per second, each time to those of one real step.",
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
    light: "Lights",
    beats: "fade",
    steady: "steady",
    length: (shots: number, seconds: number) =>
      `${decimal(+seconds.toFixed(1))} s, ${count(shots)} ${shots === 1 ? "frame" : "frames"}`,
    stride: (steps: number) => `lights change every ${count(steps)} frames`,
    tooMany: (most: number) => `A video holds at most ${count(most)} steps: show fewer.`,
    starts: (step: number) => `The video starts with the map, at step ${count(step)}.`,
    wrong: (first: number, last: number) =>
      `Choose steps from ${count(first)} to ${count(last)}, the first not after the last, and “every” at least 1.`,
    make: "Make the video",
    cancel: "Cancel",
    fetching: "Loading the steps",
    drawing: "Drawing the frames",
    save: "Save the video",
    share: "Share",
    shown: "The video",
    colour: "Colour",
    colourMore,
    unknown,
    moved: (from: number, to: number) => `moved: from step ${count(from)} to ${count(to)}`,
    noVideo:
      "This browser cannot make videos at this address: most can only over HTTPS, or on the computer that runs Lamplighter. Save an image instead.",
    failed: "The video could not be made here; a smaller size may work.",
    lamps: (step: number) => `lights of step ${count(step)}`,
    every: (steps: number) =>
      steps === 1 ? "every step is shown" : `1 step in ${count(steps)} is shown`,
  },
} as const);
