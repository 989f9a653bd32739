/** Texts of the token panel. */

import { count } from "./numbers";

export const token = {
  token: {
    none: "No token chosen",
    noneMore: "Click a lamp, or press / and search.",
    class: "planted class",
    noClass: "none",
    count: "in the corpus",
    times: (n: number) => (n === 1 ? "once" : `${count(n)} times`),
    norm: "length of its row (Euclidean)",
    touches: "in batches",
    lastLit: "last lit",
    ago: (steps: number, about = false) => {
      if (steps <= 0) return about ? "in one of the last steps" : "in this step";
      const ago = steps === 1 ? "1 step ago" : `${count(steps)} steps ago`;
      return about ? `about ${ago}` : ago;
    },
    never: "never yet",
    trust: "trust of its place",
    trusted: (own: number) =>
      `${own.toFixed(2)}, ${own < 0.25 ? "doubtful: it hardly belongs here" : own < 0.6 ? "partly its neighbourhood" : "its neighbourhood"}`,
    noTrust: "not known yet",
    district: "district",
    gradient: "gradient norm when last lit",
    unseen: "not seen yet",
    unrecorded: "not recorded",
    neighbours: "Nearest in the space",
    cosine: "cosine",
    at: (step: number, exact: boolean) =>
      `at step ${count(step)}${exact ? "" : " (nearest kept snapshot)"}`,
    since: "Compared with step",
    sinceMore: "New among the nearest since that step: +. Gone since: −.",
    came: "new since then",
    went: "Gone since then",
    shownAt: (step: number) => `The row after step ${count(step)}.`,
    over: "Over time",
    overMore:
      "The dashed line is the step that is shown; the numbers are those of that step, or the last before it.",
    length: "Length of its row (Euclidean)",
    turned: "Turned since the first step, degrees",
    turnedStep: "Turned since the kept step before, degrees",
    gradientPath: "Gradient norm, when it was lit",
    neverLit: "It was in no batch yet.",
    saidAt: (value: string, step: string) => `${value} at step ${step}`,
    fetching: "Fetching its path",
    compare: "Beside another token",
    compareMore:
      "Distance and cosine of the two rows over time. Choose a near one or search any; or keep this token, then click the other on the map.",
    compareWith: "The token to compare with",
    compareSearch: "Search the other token",
    noPair: "no other token",
    keep: "Keep this one",
    keepMore: "Keeps this token to compare with the next that is chosen",
    kept: "This token is kept: choose another, by search or on the map.",
    distance: "Distance (Euclidean)",
    cosineOver: "Cosine of the angle between them",
    clear: "Let go of this token",
  },
} as const;
