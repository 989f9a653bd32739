/** Texts of a set: several trainings of one recipe, shown as one thing. */

import type { ClaimRow } from "../../api/rest-types";
import { count } from "../../strings/numbers";
import { percent } from "../../strings/shares";
import { table } from "../../strings/translation";

/** Fields of the recipe beside those that a fork may change. */
const fields: Record<string, string> = {
  seed: "seed",
  "model.dim": "width",
  "model.layers": "layers",
  "model.tied": "tied weights",
};

const curveNames: Record<string, string> = {
  loss: "loss on the text it reads",
  loss_held_out: "loss on held-out text",
};

export const sets = table("sets", {
  title: (members: number) => `One recipe, ${count(members)} trainings`,
  more: "What all of them show is unlikely to be luck; where they differ, luck decides.",
  moreGroups: "Not only the seed differs. Claims and words for",
  close: "Back to the map",
  loading: "Reading the set",
  none: "This run is on its own",
  noneMore:
    "What one training shows may be luck. Train the same recipe with ten seeds, and this page says what holds in all of them.",
  noneFork: "This is a fork. Open the run it comes from.",
  fields,
  grid: (field: string, values: string) => `${field} ${values}`,
  /** A series of whole numbers without gaps. */
  range: (first: string, last: string) => `${first} to ${last}`,
  done: (finished: number, of: number) =>
    finished === of
      ? `all ${count(of)} have finished`
      : `${count(finished)} of ${count(of)} have finished`,
  sweeping: "training now",
  failed: (members: number) =>
    members === 1 ? "1 training failed" : `${count(members)} trainings failed`,
  curves: "How they learned",
  curve: "Curve",
  curveNames,
  /** `least`, `most`: the trainings of a line; `few`: they have no band. */
  curvesMore: (least: number, most: number, few: boolean) =>
    `A line is the median of ${least === most ? "" : `${count(least)} to `}${count(most)} trainings${
      few
        ? ", too few for a band: each thin line is one of them."
        : ". The dark band holds the middle half of them, the light one eight in ten."
    }`,
  lines: "Show every training",
  /** A curve's end, for screen readers. */
  ends: (name: string, median: string, low: string, high: string) =>
    `${name}: median ${median} at the end, eight in ten between ${low} and ${high}`,
  median: "median",
  noCurves: "No training of this set has numbers yet.",
  claims: "Is it true, every time?",
  claimsMore:
    "Each mark is one finished training. Press it to see more. Below each count: where the share of all seeds lies, 95 times in 100.",
  /** `of`: the trainings in which it is measured; `unmeasured`: the others. */
  holdsIn: (holds: number, of: number, unmeasured: number) =>
    `holds in ${count(holds)} of ${count(of)}${unmeasured ? `, ${count(unmeasured)} not measured` : ""}`,
  /** The interval of the share in which a claim holds. */
  interval: (low: number, high: number) => `${percent(low)} to ${percent(high)}`,
  claimOf: (run: string, state: string) => `${run}: ${state}`,
  /** Trainings without an answer: not finished, or not to be read. */
  waiting: (members: number) => `Not finished: ${count(members)}.`,
  lost: (members: number) => `Missing, unreadable or too many: ${count(members)}.`,
  word: (members: number) => `One word, ${count(members)} cities`,
  wordField: "Word",
  show: "Show",
  same: (word: string, same: number, k: number, members: number) =>
    `${count(same)} of the ${count(k)} nearest words of “${word}” ${same === 1 ? "is" : "are"} the same in all ${count(members)} trainings.`,
  shared: (jaccard: number, chance: number | null, typical: number | null) =>
    [
      `Two of them share ${percent(jaccard)} of their words on average`,
      chance === null ? "" : `; chance would give ${percent(chance)}`,
      typical === null ? "." : `. For a typical word it is ${percent(typical)}.`,
    ].join(""),
  /** The step of the vectors, and the number of trainings that have none there. */
  at: (step: number, leftOut: number) =>
    `At step ${count(step)}.${leftOut ? ` Left out: ${count(leftOut)}.` : ""}`,
  wordMore:
    "The maps are turned, mirrored and scaled to match. Coloured names are neighbours in every city.",
  noMap: "no map yet",
  openCity: (run: string) => `Open ${run}`,
  spread: "Relations and words with two meanings",
  spreadMore: "Each dot is one training, the line their median. Dashed: what chance gives.",
  relation: (name: string) => `${name}: right answers`,
  homonym: (word: string, first: string, second: string) => `${word}: ${first} or ${second}?`,
  /** Whose neighbours a word has: `lean` is 1 if all are of the first sense, -1 if all are of the second. */
  lean: (first: string, second: string, lean: number) =>
    Math.abs(lean) < 0.15 ? "both" : lean > 0 ? first : second,
  /** No training has neighbours of either sense. */
  neither: "neither",
  strip: (name: string, median: string, low: string, high: string) =>
    `${name}: median ${median}, from ${low} to ${high}`,
  noSpread: "Nothing is planted in this text.",
  states: {
    holds: "holds",
    conditional: "with conditions",
    failing: "fails",
    unmeasured: "not measured yet",
  } satisfies Record<ClaimRow["state"], string>,
});
