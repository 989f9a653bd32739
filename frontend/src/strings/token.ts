/** Texts of the cards of a word and of a neighbourhood, and of the page without a chosen word. */

import { count } from "./numbers";

const times = (n: number) => (n === 1 ? "once" : `${count(n)} times`);

export const token = {
  explore: {
    title: "Explore",
    find: "Find a word",
    findMore: "Tap a light on the map, or type a word.",
    try: "Words to try",
    ask: "Ask the model",
    askMore: "Write a few words, and it goes on with them.",
    course: "The course",
    courseOpen: "Take the course",
    courseMore: "Guess first, then look: how a model learns, a few minutes a part.",
    gameOpen: "Play",
    gameMore: "A game about which words lie together for the model.",
    claims: "Is it true?",
    claimsMore: "28 statements about learning, and what this run says to each.",
    geometry: "Geometry of words",
    geometryMore:
      "King minus man plus woman: add words, draw directions, and see what chance would give.",
    districts: "Neighbourhoods",
    districtsMore: "The model put these words together. The names are ours.",
    noneYet: "None yet: no words lie close enough together. They form as the model reads.",
    unknown: "Nobody has looked for neighbourhoods in this run.",
  },
  district: {
    made: (words: number) =>
      `${words === 1 ? "1 word" : `${count(words)} words`} the model put together`,
    formed: (step: number) => `Formed at step ${count(step)}.`,
    looking: "Looking for the step at which it formed",
    share: (some: number, all: number, kind: string) =>
      `${count(some)} of ${count(all)} are of one kind: ${kind}. It was never told.`,
    named: "A neighbourhood is the model\u2019s grouping, its name is ours.",
    before: (names: string) => `Earlier names: ${names}.`,
    words: "Its words",
    gone: "There is no such neighbourhood at this step.",
    look: "Look at it on the map",
    all: "All neighbourhoods",
  },
  token: {
    /** Empty if unknown. */
    occurs: (n: number) => (Number.isNaN(n) ? "" : `occurs ${times(n)}`),
    kindMore: "Its true kind: we know it, the model does not.",
    clear: "Clear",
    clearMore: "Let go of this word (Esc)",

    neighbours: "Neighbours",
    then: "at step",
    thenMore: "The step to compare with",
    now: (step: number) => `now (${count(step)})`,
    past: (step: number) => `at step ${count(step)}`,
    similarity: "Similarity: 1 is the same direction, 0 has nothing in common (cosine)",
    similar: "similarity",
    nearest: (step: number) => `From step ${count(step)}, the nearest that is kept.`,
    more: (n: number) => `${count(n)} more`,
    fewer: "Fewer",
    noneYet: "None known at this step.",

    ask: "Ask",
    askMore: "Let the model go on from this word",
    geometry: "Geometry",
    geometryMore: "Add, subtract and line up words, this one first",
    way: "Watch its way",
    wayMore: "Draws the way of this word over the map, from the first step to the last",
    compareMaps: "Compare",
    compareMapsMore: (then: number) =>
      `Two maps, step ${count(then)} and now, with this word ringed in both`,
    card: "Save image",
    cardMore: "Saves an image of this word with its neighbours then and now",
    cardSentence: "The words nearest to it, for a model that learns by reading",
    cardThen: (step: number) => `step ${count(step)}`,

    numbers: "Numbers",
    class: "true kind (known to us, not to the model)",
    family: "family",
    district: "neighbourhood",
    norm: "length of its vector",
    touches: "in batches",
    lastLit: "last read",
    ago: (steps: number) => {
      if (steps <= 0) return "in this step";
      return steps === 1 ? "1 step ago" : `${count(steps)} steps ago`;
    },
    never: "never yet",
    notRecorded: "not recorded",
    trust: "place on the map",
    trusted: (own: number) => `${Math.round(100 * own)} % reliable`,
    noTrust: "not known yet",
    gradient: "gradient when last lit",
    unseen: "not seen yet",
    shownAt: (step: number) => `The vector after step ${count(step)}.`,
    over: "Over time",
    overMore:
      "The dashed line is the step on the screen; each number is of that step, or of the last before it.",
    length: "Length of its vector",
    turned: "Turned since the first step, degrees",
    turnedStep: "Turned since the kept step before, degrees",
    gradientPath: "Gradient, when it was lit",
    neverLit: "It was in no batch yet.",
    saidAt: (value: string, step: string) => `${value} at step ${step}`,
    fetching: "Fetching its history",
    compare: "Beside another word",
    compareMore:
      "Distance and similarity of the two vectors over time. Choose a neighbour or find any word; or keep this one, then click the other on the map.",
    compareWith: "The word to compare with",
    compareSearch: "Find the other word",
    noPair: "no other word",
    keep: "Keep this one",
    keepMore: "Keeps this word to compare with the next one you choose",
    kept: "This word is kept: choose another one, by search or on the map.",
    distance: "Distance (Euclidean)",
    cosineOver: "Similarity (cosine)",
  },
} as const;
