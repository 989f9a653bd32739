/** What the token's panel says. */

import { count } from "./numbers";

export const token = {
  token: {
    none: "No token chosen",
    noneMore: "Click a lamp, or press / and search.",
    about: "One row of the embedding matrix: its neighbours are the rows that point the same way.",
    class: "planted class",
    noClass: "none",
    count: "in the corpus",
    times: (n: number) => (n === 1 ? "once" : `${count(n)} times`),
    norm: "length of its row",
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
    gradient: "gradient when last lit",
    unseen: "not seen yet",
    neighbours: "Nearest in the space",
    cosine: "cosine",
    at: (step: number, exact: boolean) =>
      `at step ${count(step)}${exact ? "" : " (nearest kept snapshot)"}`,
    clear: "Let go of this token",
  },
} as const;
