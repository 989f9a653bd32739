/** Texts of the board of claims: those around it, and those of the codes that the server sends. */

import type { ClaimFigure, ClaimRow } from "../../api/rest-types";
import { claimTexts as texts } from "../../strings/claim-texts";
import { fill } from "../../strings/fields";
import { count, small } from "../../strings/numbers";
import { percent, precise } from "../../strings/shares";
import { table } from "../../strings/translation";

type State = ClaimRow["state"];
type ClaimFinding = Pick<ClaimRow, "state" | "reason" | "waits_for">;
type Lamp = Pick<ClaimRow, "number" | "state" | "role" | "control">;

const activities: Record<string, string> = {
  microscope: "one step under the microscope",
  probe: "one word in two sentences",
  transplant: "older rows in this model",
  batch_sizes: "larger batches",
  better: "forty steps, at four places",
  substitution: "words swapped for others",
  bench: "the same batches under four rules",
  environment: "some time in another town",
  devices: "one step on two processes",
};

export const claims = table("claims", {
  title: "Is it true?",
  more: "What people say about how a model learns. Each window shows what this run found.",
  asOf: (step: number) => `As of step ${count(step)}.`,
  step: (step: number) => `at step ${count(step)}`,
  training: "It is still training, so windows may change.",
  close: "Back to the map",
  list: "The claims",
  states: {
    holds: "holds",
    conditional: "with conditions",
    failing: "fails here",
    unmeasured: "not measured yet",
  } satisfies Record<State, string>,
  held: (lamps: number, of: number) => `${lamps} of ${of} claims hold`,
  heldOnControl: (lamps: number) => `(${lamps} on shuffled words)`,
  /** How many statements that follow from the recipe hold. */
  follow: (holds: number, of: number) => `${holds} of ${of} that follow from the recipe hold`,
  /** How many statements no recipe refutes. */
  checked: (plaques: number) => `${plaques} checks and definitions`,
  /** How many lamps are in another state. */
  counts: {
    conditional: (lamps: number) => `${lamps} with conditions`,
    failing: (lamps: number) => `${lamps} ${lamps === 1 ? "fails" : "fail"} here`,
    unmeasured: (lamps: number) => `${lamps} not measured yet`,
  } satisfies Record<Exclude<State, "holds">, (lamps: number) => string>,
  roles: {
    recipe: "Follows from the recipe",
    check: "A check of this program",
    definition: "By definition",
  },
  roleMore: {
    recipe:
      "how batches are drawn, what an update changes and how a run begins decide it, not what is learned",
    check: "if it were false, this program would be wrong",
    definition: "it says what a word means, so no run can refute it",
  },
  /** `low`, `high`: the interval of the share of all seeds. */
  inSet: (holds: number, of: number, low: number, high: number) =>
    `In its set it holds in ${count(holds)} of ${count(of)} trainings (${percent(low)} to ${percent(high)} of all seeds)`,
  onControl: (state: string) => `On shuffled words: ${state}`,
  control: (step: number, training: boolean) =>
    `Framed: the control, trained on the same words in random order, ${training ? "now at" : "as of"} step ${count(step)}:`,
  controlMore: "Open its board once to measure it too.",
  noControl:
    "Which of these would also hold on nonsense? A control shows it: the same model, trained on the same words in random order.",
  isControl:
    "This run is a control: the words of its text are in random order, so claims about meaning should fail.",
  trainControl: "Train the control",
  controlBegun: "The control is training. Its results will appear beside these.",
  lamp: ({ number, state, role, control }: Lamp) =>
    [
      `${number}, ${texts.claims[number].name}: ${claims.states[state]}`,
      ...(role === "claim" ? [] : [claims.roles[role]]),
      ...(control ? [claims.onControl(claims.states[control.state])] : []),
    ].join(". "),
  compare: { null: "Baseline", control: "On shuffled words" },
  interval: (low: string, high: string) => `from ${low} to ${high}`,
  waitsFor: (what: string) => `Not measured yet: waiting for ${what}.`,
  units: {
    nats: "nats",
    bits: "bits",
    bytes: "bytes",
    FLOP: "FLOP",
    J: "J",
    ms: "ms",
  } satisfies Record<Exclude<ClaimFigure["unit"], "" | "share" | "degrees">, string>,
  numbers: "All numbers",
  condition: "Where it breaks down",
  method: "How it is measured",
  imported: "As reported by the person who shared this run.",
  show: "Show me",
  showMore: "Opens the place on this page where you can see it",
  breakIt: "Try to break it",
  seeHowFar: "See how far it goes",
  measure: "Measure it now",
  previous: "Previous claim",
  next: "Next claim",
  measuring: (number: number, of: number, activity: string) =>
    `Measuring, ${number} of ${of}: ${activity}`,
  waiting: "waiting for its turn",
  activities,
  stop: "Stop",
  goOn: (missing: number) => `Measure what is missing (${missing})`,
  failed: (activity: string, problem: string) => `${activity}: ${problem}`,
  confirm: "Ask anyway",
  /** Words of the field, each with what it means. */
  explained: {
    nats: "Nats measure surprise: 0 for a model that was sure and right, 0.7 for a coin toss.",
    cosine:
      "A cosine says how alike two arrows point: 1 is the same way, 0 has nothing in common, −1 is the opposite way.",
    purity:
      "Purity is the share of a word’s nearest that are of its own kind. As many count as its kind has others, at most ten, so 100\u00a0% can be reached by every word.",
  },
  unknown: "unknown",
  counting: "Counting trainings…",
  loading: "Reading the run…",
  broken: "The claims cannot be shown.",
  packed: "A file has no claims: open the run with Lamplighter to see them.",
} as const);

type Term = keyof typeof claims.explained;
type Code = ClaimFigure["code"] | ClaimFinding["reason"][number]["code"];

/** The figures and sentences that use a word of the field, besides those with its unit. */
const USES: Record<Term, readonly Code[]> = {
  nats: [
    "nearest_word_costs",
    "loss_with_rows_of_step",
    "step_changed_loss",
    "one_step_changed",
    "steps_elsewhere",
  ],
  cosine: [
    "cosine_of_a_row_with_its_nearest",
    "nearest_cosine_at_step",
    "word_in_two_sentences",
    "cosine_with_downhill",
    "update_direction",
  ],
  purity: [
    "purity_of_the_ten_nearest",
    "map_had_nothing_to_forget",
    "map_has_forgotten",
    "map_still_remembers",
  ],
};

/** Return what the words of the field mean that a claim uses where it is read first. */
export function explainedWords({
  figures,
  null: compared,
  reason,
}: Pick<ClaimRow, "figures" | "null" | "reason">): string[] {
  const first = [figures[0], compared].flatMap((one) => one ?? []);
  const used = new Set<string>([...first, ...reason].map(({ code }) => code));
  for (const { unit } of first) if (unit === "nats") used.add("nearest_word_costs");
  return (Object.keys(USES) as Term[])
    .filter((term) => USES[term].some((code) => used.has(code)))
    .map((term) => claims.explained[term]);
}

/** Return the words for what a figure measures. */
export function figureText({ code, values }: Pick<ClaimFigure, "code" | "values">): string {
  return fill(texts.figures[code], values);
}

/** Return the label of a button. */
export function linkText({ code, values }: ClaimRow["break_by"]): string {
  return fill(texts.links[code], values);
}

/** Return the sentences that say why a claim has its state. */
export function reasonText({ state, reason, waits_for: waits }: ClaimFinding): string {
  const told = reason.map(({ code, values }) => fill(texts.sentences[code], values));
  if (state === "unmeasured" && waits !== null) told.unshift(claims.waitsFor(texts.waits[waits]));
  return told.join(" ");
}

/** Format the value of a figure. */
export function claimValue(value: number | null, unit: ClaimFigure["unit"]): string {
  if (value === null) return claims.unknown;
  if (unit === "share") return precise(value);
  const text = Math.abs(value) >= 1_000 ? count(value) : small(value);
  return unit === "degrees" ? `${text}°` : unit ? `${text} ${claims.units[unit]}` : text;
}

/** Format the interval of a figure, with the number of draws, steps, words or kinds that it comes from; null where it has none. */
export function claimInterval({ low, high, unit, draws }: ClaimFigure): string | null {
  if (low === null || high === null) return null;
  const ends = claims.interval(claimValue(low, unit), claimValue(high, unit));
  return draws ? `${ends} (n = ${count(draws)})` : ends;
}
