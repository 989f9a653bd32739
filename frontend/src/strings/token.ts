/** Texts of the cards of a word and of a neighbourhood, and of the page without a chosen word. */

import { count } from "./numbers";

const times = (n: number) => (n === 1 ? "once" : `${count(n)} times`);

export const token = {
  explore: {
    title: "Explore",
    find: "Find a word",
    findMore: "Click a light, or search for a word.",
    try: "Words to try",
    ask: "Ask the model",
    askMore: "Type a few words and it will continue.",
    course: "The course",
    courseOpen: "Take the course",
    courseMore: "How a model learns, a few minutes per part: guess first, then look.",
    gameOpen: "Play",
    gameMore: "A quick game about which words the model finds alike.",
    claims: "Is it true?",
    claimsMore: "28 statements about learning, tested on this run.",
    geometry: "Geometry of words",
    geometryMore:
      "King minus man plus woman: add words, draw directions, and see what chance would give.",
    districts: "Neighbourhoods",
    districtsMore: "The model put these words together. The names are ours.",
    noneYet: "None yet: no words lie close enough together. They form as the model reads.",
    unknown: "This run has not been searched for neighbourhoods.",
  },
  district: {
    made: (words: number) =>
      `${words === 1 ? "1 word" : `${count(words)} words`} the model put together`,
    formed: (step: number) => `Formed at step ${count(step)}.`,
    looking: "Finding the step at which it formed",
    share: (some: number, all: number, kind: string) =>
      `${count(some)} of ${count(all)} are of one kind: ${kind}. The model was never told.`,
    named: "The grouping is the model\u2019s; the name is ours.",
    before: (names: string) => `Earlier names: ${names}.`,
    words: "Its words",
    gone: "This neighbourhood does not exist at this step.",
    look: "Show on the map",
    all: "All neighbourhoods",
  },
  token: {
    /** Empty if unknown. */
    occurs: (n: number) => (Number.isNaN(n) ? "" : `occurs ${times(n)}`),
    kindMore: "Its kind: hidden from the model.",
    clear: "Clear",
    clearMore: "Deselect this word (Esc)",

    neighbours: "Neighbours",
    then: "at step",
    thenMore: "The step to compare with",
    now: (step: number) => `now (${count(step)})`,
    past: (step: number) => `at step ${count(step)}`,
    similarity: "Similarity (cosine): 1 means the same direction, 0 nothing in common",
    similar: "similarity",
    nearest: (step: number) => `From step ${count(step)}, the nearest snapshot.`,
    more: (n: number) => `${count(n)} more`,
    fewer: "Fewer",
    noneYet: "None known at this step.",

    ask: "Ask",
    askMore: "Let the model continue from this word",
    geometry: "Geometry",
    geometryMore: "Add, subtract and line up words, this one first",
    way: "Trace its path",
    wayMore: "Draws this word’s path across the map, from the first step to the last",
    compareMaps: "Compare",
    compareMapsMore: (then: number) =>
      `Two maps, step ${count(then)} and now, with this word ringed in both`,
    card: "Save image",
    cardMore: "Saves an image of this word with its neighbours then and now",
    cardSentence: "Its nearest words, to a model that learns by reading",
    cardThen: (step: number) => `step ${count(step)}`,

    numbers: "Numbers",
    class: "kind (hidden from the model)",
    family: "family",
    district: "neighbourhood",
    norm: "length of its vector",
    touches: "in batches",
    lastLit: "last read",
    ago: (steps: number) => {
      if (steps <= 0) return "in this step";
      return steps === 1 ? "1 step ago" : `${count(steps)} steps ago`;
    },
    never: "never",
    notRecorded: "not recorded",
    trust: "on the map",
    trusted: (real: number, of: number) => `${real} of ${of} neighbours are real`,
    noTrust: "not measured yet",
    gradient: "gradient when last read",
    unseen: "not seen yet",
    shownAt: (step: number) => `The vector after step ${count(step)}.`,
    over: "Over time",
    overMore: "Dashed line: current step. Values are from it or the latest before.",
    length: "Length of its vector",
    turned: "Rotation since the first step (°)",
    turnedStep: "Rotation since the previous snapshot (°)",
    gradientPath: "Gradient when read",
    neverLit: "It has not been in a batch yet.",
    saidAt: (value: string, step: string) => `${value} at step ${step}`,
    fetching: "Loading its history",
    compare: "Compare with another word",
    compareMore:
      "Distance and similarity of the two vectors over time. Choose a neighbour or search; or pin this word, then click another on the map.",
    compareWith: "The word to compare with",
    compareSearch: "Find the other word",
    noPair: "no other word",
    keep: "Pin this word",
    keepMore: "Pins this word to compare it with the next one you select",
    kept: "This word is pinned. Select another, by search or on the map.",
    distance: "Distance (Euclidean)",
    cosineOver: "Similarity (cosine)",
  },
} as const;
