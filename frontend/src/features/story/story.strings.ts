/** Texts of the cards that introduce a run, and tell how it ended; they load with these. */

import type { SpokenLine } from "./introduction";
import type { RunEnding } from "./run-ending";
import { count, fixed, inWords } from "../../strings/numbers";
import { table } from "../../strings/translation";

const LIGHT = "Every light is a word.";
const PROBES = "Every light is a word in a sentence, as one layer of the model sees it.";
const PIECES = "Every light is a word, or a piece of one.";

export const story = table("story", {
  label: "Introduction",
  /**
   * Say a line of the introduction. `name`: the printable name of its district; `pieces`: tokens may be pieces of words;
   * `teaches`: there is a course to offer.
   */
  line(
    { name, step, recorded, probed, district: told }: SpokenLine,
    district: string,
    pieces: boolean,
    teaches: boolean,
  ): string {
    switch (name) {
      case "lights": {
        const light = probed ? PROBES : pieces ? PIECES : LIGHT;
        if (step)
          return `${light} This language model has ${recorded ? "trained" : "read"} for ${steps(step)}.`;
        return recorded
          ? light
          : `${light} A small language model is about to read for the first time.`;
      }
      case "nothing":
        return "It knows nothing yet: the words are scattered at random.";
      case "reading":
        return recorded
          ? "At each step it reads some words and nudges them: those light up."
          : "It reads a few sentences, guesses each next word, and nudges the words it read: those light up.";
      case "district": {
        if (told?.planted)
          return recorded
            ? `These are alike to the model. The name is ours: ${district}.`
            : `It was never told that these belong together. But we planted such groups in its text, and the name is ours: ${district}.`;
        return recorded
          ? `These are alike to the model: ${district}.`
          : `It was never told that these belong together: ${district}.`;
      }
      case "lie":
        return "Tell it something untrue. What else does it believe then?";
      case "words":
        return teaches ? "Find a word you like, or take the course:" : "Find a word you like:";
    }
  },
  lie: (sentence: string) => `Teach it: ${sentence}`,
  next: "Next",
  skip: "Skip",
  fromStart: "Watch it from the start",

  endLabel: "The end of this run",
  title({ phase, step, inherited, ownStep, read }: RunEnding, pieces: boolean): string {
    if (ownStep !== undefined) {
      const last =
        ownStep === null ? "" : `, the last of them step ${count(ownStep)} of its training`;
      return `${capital(steps(step))} recorded${last}.`;
    }
    const words =
      read === null
        ? ""
        : `, ${large(read)} ${pieces ? "words and pieces of words" : "words"} read${inherited ? " since" : ""}`;
    const after = inherited ? ` of its own, after ${count(inherited)} inherited` : "";
    if (phase === "finished") return `${capital(steps(step))}${after}${words}.`;
    const how = phase === "failed" ? "This run failed" : "This run was stopped";
    return `${how} at step ${count(step)}${after}${words}.`;
  },
  /** Say what was learned; null where nothing is known. */
  learned({ phase, kindred, surprise, districts }: RunEnding): string | null {
    if (phase === "failed") return null;
    if (kindred) {
      const [byChance, start] = [percent(kindred.byChance), kindred.atStart];
      // A share that fell is no merit of this training.
      const fell = start !== null && kindred.now < start;
      const before =
        start === null
          ? `by chance ${byChance}`
          : percent(start) === byChance
            ? `at the start it was ${byChance}, as by chance`
            : `at the start it was ${percent(start)}, by chance ${byChance}`;
      return `${percent(kindred.now)} of a word\u2019s nearest neighbours (as many as its kind has others, at most ten) are of its own kind${fell ? "" : ", which the model worked out from the text alone"}; ${before}.`;
    }
    const fell = surprise && surprise.last < surprise.first ? "fell" : "went";
    return (
      [
        surprise &&
          `Its surprise at the next word ${fell} from ${fixed(surprise.first, 1)} to ${fixed(surprise.last, 1)} (lower is better).`,
        districts > 0 &&
          `It formed ${count(districts)} ${districts === 1 ? "neighbourhood" : "neighbourhoods"}.`,
      ]
        .filter(Boolean)
        .join(" ") || null
    );
  },
  thenAndNow: "Then and now",
  replay: (seconds: number) => `Replay in ${count(seconds)} s`,
  film: "Make a video",
  filmMore: "The whole run in a minute",
  course: "Take the course",
  another: "Train on another text",
  runs: "Show all runs",
  dismiss: "Close",
} as const);

function steps(step: number): string {
  return `${count(step)} ${step === 1 ? "step" : "steps"}`;
}

function capital(text: string): string {
  return text.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());
}

/** Say a large number in round words. */
function large(value: number): string {
  return value < 1e6 ? count(value) : inWords(value, { maximumFractionDigits: 1 });
}

/** Say a share in percent, never rounded up to all or down to nothing. */
function percent(share: number): string {
  const value = 100 * share;
  if (value > 0 && value < 1) return "less than 1\u00a0%";
  return `${count(share < 1 ? Math.min(99, value) : value)}\u00a0%`;
}
