/** Texts of the geometry lab. */

import type { GeometryView } from "../../model/view/view-options";
import { count, decimal, fixed, small } from "../../strings/numbers";
import { table } from "../../strings/translation";

const percent = (share: number | null | undefined) =>
  share === null || share === undefined ? "–" : `${decimal(+(100 * share).toPrecision(2))}\u00a0%`;
const place = (rank: number) => {
  const tens = rank % 100;
  const ending = tens > 10 && tens < 14 ? "th" : (["th", "st", "nd", "rd"][rank % 10] ?? "th");
  return `${count(rank)}${ending}`;
};

export const geometry = table("geometry", {
  tabs: "Views of the geometry lab",
  view: {
    analogy: "analogy",
    relations: "relations",
    axis: "direction",
    pairs: "pairs",
  } satisfies Record<GeometryView, string>,
  atStep: (step: number) => `At step ${count(step)}.`,
  choose: "Choose a word",
  hint: "another word…",
  waiting: "Measuring…",
  withheld: "This file has no vectors, which the lab needs. Open the run itself to use it.",
  filling: (filled: number, of: number) =>
    `${count(filled)} of ${count(of)} steps of the curves are measured so far; the rest will follow.`,
  noCurve: "No curve yet: it is measured while the run trains or soon after.",
  place,
  percent,
  analogy: {
    about:
      "Words are rows of numbers, so they can be added and subtracted. Which words lie nearest to the sum?",
    words: ["first word", "minus", "plus"],
    ruled: "Excluding the three input words",
    whole: "All words allowed",
    few: "This run has too few words for a sum of three.",
    /** `given`: it is one of the three words; `stays`: the sum has hardly left it. */
    said: (
      ruled: string,
      whole: string,
      given: boolean,
      stays: boolean,
      c: string,
      nearest: string,
    ) =>
      `Excluding the three input words, “${ruled}” comes first. With all words allowed it is “${whole}”${
        stays
          ? ", one of the three: the sum has hardly moved from it"
          : given
            ? ", one of the three"
            : ""
      }. With no arithmetic at all, the word nearest to “${c}” is “${nearest}”.`,
    chance: (chance: number | null) =>
      chance === null ? "" : `A random guess would be right 1 time in ${count(1 / chance)}.`,
  },
  relations: {
    about:
      "The town has planted pairs, such as dog and dogs. Each pair is tested on every other: how often does the sum find the right word?",
    none: "This run’s text has no planted pairs, so there is nothing to score.",
    columns: {
      name: "relation",
      score: "right",
      without: "all allowed",
      nearest: "nearest to c",
      kind: "right kind",
      way: "its pairs",
      wayChance: "random pairs",
    },
    way: "Do its pairs point the same way?",
    wayMore:
      "The mean cosine between the directions of every two pairs, from first word to second: 1 if all point the same way. Beside it: random pairs of the same kinds.",
    more: {
      score: "Share of questions answered with the right word, excluding the three input words",
      without: "The same with all words allowed",
      nearest:
        "Share that is right by naming the third word’s nearest neighbour, with no arithmetic",
      kind: "Share that is right by guessing among words of the right kind",
    },
    said: (name: string, score: number | null, nearest: number | null, chance: number | null) =>
      `Best: ${name}, ${percent(score)} right. With no arithmetic it would be ${percent(nearest)}, and by random guessing ${percent(chance)}.`,
    curve: "Right answers by step",
    chance: "chance",
    meetings: "Do pairs that often meet in the text do better?",
    meetingsAbout: (window: number, tokens: number) =>
      `How often both words of a pair are within ${count(window)} words of each other in ${count(tokens)} words of the text, and how many of the pair’s questions are right.`,
    correlation: (value: number | null, deviation: number | null) =>
      value === null
        ? "Nothing to compare: one of the two is the same for every word."
        : `Rank correlation ${fixed(value, 2)} (1 is perfect). If the two were unrelated it would be 0, give or take ${small(deviation, 1)}.`,
    gone: "This run’s text was not saved, so these meetings cannot be counted.",
    met: (least: number, most: number) =>
      least === most ? `${count(least)}×` : `${count(least)} to ${count(most)}×`,
  },
  axis: {
    about:
      "Two ends make a direction. Every word has a place along it, and the arrow shows it on the map, which bends such lines.",
    from: "from",
    to: "to",
    remove: (word: string) => `Remove ${word}`,
    same: "Both ends are in the same place, so there is no direction.",
    few: "This run has too few words for two ends.",
    said: (length: number, spread: number, chance: number) =>
      `The ends lie ${small(length)} apart. Words spread by ${small(spread, 2)} along this line, and by ${small(chance, 2)} along a line drawn at random.`,
    strip: "Words along the direction",
    selected: "use the selection",
  },
  pairs: {
    about: "Is each of two words among the nearest of the other? Rank 1 is the nearest of all.",
    columns: { pair: "pair", ofB: "second in first's list", ofA: "first in second's list" },
    add: "Add a pair",
    first: "first word",
    second: "second word",
    chance: (rank: number, kind: number | null) =>
      `A random word would be ${place(Math.round(rank))} on average${
        kind === null
          ? ""
          : `, and a random word of the first pair's own kind ${place(Math.round(kind))} at best`
      }.`,
    remove: (a: string, b: string) => `Remove ${a} and ${b}`,
    curve: "The worse of the two ranks by step",
    line: (a: string, b: string) => `${a} / ${b}`,
    random: "a random word",
    none: "Name two words to compare.",
  },
} as const);
