/** What the panel of films says, and what stands in films alone. */

import { count } from "./numbers";

export const film = {
  film: {
    title: "A film of some steps",
    about:
      "A video of the map at the steps you name, drawn from the record; the page goes on meanwhile. Lamps light at most three times a second, each time one real step's.",
    from: "From step",
    to: "to",
    step: "every",
    rate: "Steps a second",
    size: "Size",
    sizes: {
      small: "1280 × 720",
      projector: "1920 × 1080",
      square: "square, 1440 × 1440",
    },
    light: "Light",
    beats: "comes and goes",
    steady: "steady, nothing glides",
    length: (shots: number, seconds: number) =>
      `${count(shots)} ${shots === 1 ? "step" : "steps"} shown, ${seconds.toFixed(1)} s`,
    stride: (steps: number) =>
      `at this speed only every ${count(steps)}th of them lights its lamps; the map moves with all`,
    tooMany: (most: number) => `At most ${count(most)} steps make a film: show fewer of them.`,
    wrong: "The first step must not be after the last.",
    make: "Make the film",
    cancel: "Cancel",
    fetching: "Fetching the steps",
    drawing: "Drawing the frames",
    save: "Save the film",
    share: "Share",
    shown: "The film",
    cannot:
      "This browser cannot make videos at this address (it must be https or this very machine). Pictures of single steps can be saved above.",
    failed: "The film could not be made here; a smaller size may work.",
    lamps: (step: number) => `lamps of step ${count(step)}`,
    every: (steps: number) =>
      steps === 1 ? "every step is shown" : `every ${count(steps)}th step is shown`,
  },
} as const;
