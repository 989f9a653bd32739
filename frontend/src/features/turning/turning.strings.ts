/** Texts of turning points: what happens from a step on. */

import { count } from "../../strings/numbers";
import { table } from "../../strings/translation";

/** What it means that a curve rises, and that it falls. */
type Both = readonly [string, string];

const guessed = (who: string): Both => [`${who} are guessed worse`, `${who} are guessed better`];

/** By the name of the curve. */
const curves: Record<string, Both> = {
  loss: guessed("the words it reads"),
  loss_held_out: guessed("words of held-out text"),
  accuracy_held_out: ["sums it never saw come out right", "sums it never saw come out wrong"],
  accuracy_read: ["sums it has seen come out right", "sums it has seen come out wrong"],
  purity_10nn: ["words gather by kind", "words of a kind drift apart"],
  effective_rank: ["the words use more directions", "the words use fewer directions"],
  anisotropy: ["all words turn one way", "the words turn different ways"],
  nearest_cosine: ["close words move closer", "close words move apart"],
  length_log_count_spearman: [
    "vectors of frequent words grow longest",
    "vectors of rare words catch up in length",
  ],
  induction_head: ["a head finds what it read before (induction)", "that head looks elsewhere"],
  previous_token_head: ["a head looks at the word before", "that head looks elsewhere"],
  in_context: ["words further back help less", "words further back help more"],
  repetition: ["repeated words get easier to guess", "repeated words get harder to guess"],
};

export const turning = table("turning", {
  label: (all: number) => `${count(all)} turning ${all === 1 ? "point" : "points"}`,
  note: "At each of these steps a curve speeds up again or turns round; otherwise learning only slows down. By chance alone, one run in a hundred would have one.",
  begins: (what: string) => `From here: ${what}`,
  reverses: (what: string) => `Turned round: ${what}`,
  speeds_up: (what: string) => `Faster from here: ${what}`,
  groups: ["frequent words", "words of medium frequency", "rare words"],
  curves,
  guessed,
  analogy: (kind: string): Both => [
    `“${kind}” analogies come out right`,
    `“${kind}” analogies fail`,
  ],
  separation: (layer: string): Both => [
    `meanings come apart in ${layer}`,
    `meanings come closer in ${layer}`,
  ],
  other: (name: string): Both => [`${name} rises`, `${name} falls`],
} as const);
