/** Texts of the panel of costs. */

import type { Cost, CostEnergy, ScaleRow } from "../../api/rest-types";
import { energyText, large, short, spanText, tiny } from "../../strings/amounts";
import { bytes, count, fixed, small } from "../../strings/numbers";
import { table } from "../../strings/translation";

const METHODS: Record<CostEnergy["method"], string> = {
  nvml: "Measured by the graphics card’s own counter. The processor beside it is not in it.",
  rapl: "Measured by the processors’ own counters (RAPL). They count the work of all programs on the machine.",
  processor: "Estimated: nothing on this machine counts its energy for us.",
};

export const cost = table("cost", {
  none: "Nothing is known of the cost yet.",
  meter: "Energy so far",
  spent: (joules: number) => energyText(joules),
  watts: (watts: number) => `${short(watts)} W`,
  wattsNow: "now",
  wattsMean: "on average, while it trained",
  units:
    "Joules (J) count energy: how much was used up. Watts (W) tell how fast: one watt is one joule each second.",
  lamp: (seconds: number, watts: number) =>
    `A lamp of ${watts} W burns for ${spanText(seconds)} on that.`,
  method: ({ method, watts_assumed: watts }: CostEnergy, seconds: number) =>
    watts === null
      ? METHODS[method]
      : `${METHODS[method]} We take the ${spanText(seconds)} of processor time, and ${short(watts)} W for a busy core.`,
  between: (least: number, most: number) =>
    `The true number may lie anywhere between ${energyText(least)} and ${energyText(most)}.`,
  noError: (mixed: boolean) =>
    mixed
      ? "How far it is off, nobody knows."
      : "How far it is off, nobody knows: it is as good as the watts that were stated.",
  source: "Source of this error",
  withoutCard: "A graphics card did most of the work. What it took is not in this number.",
  mixed: "Several machines trained this run, and not all of them measured in the same way.",
  missing: {
    recorded:
      "This run was trained by another program, and only its numbers are here. What energy that took, we do not know.",
    unmeasured: "Nobody measured the energy of this run: it was trained before we did.",
  } satisfies Record<NonNullable<Cost["missing"]>, string>,
  processor: "processor time",
  perStep: "energy a step",
  measured: (since: number, step: number) =>
    since ? `from step ${count(since)} to ${count(step)}` : `up to step ${count(step)}`,
  upTo: (step: number) => `up to step ${count(step)}`,

  work: "What one step computes",
  workMore: (flops: number, tokens: number) =>
    `About ${large(flops)} additions and multiplications (FLOPs) for ${count(tokens)} guesses, counted by formula.`,
  all: (flops: number, tokens: number) =>
    `So far: ${large(flops)} FLOPs, for ${large(tokens)} guesses.`,
  layer: (name: string) => name.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase()),
  update: "Update of the weights",
  flops: (flops: number) => `${large(flops)} FLOPs`,
  operations: large,

  rule: "The rule of thumb",
  ruleMore:
    "People often count 6 × N × D: six operations for each of N numbers of the model and each of D tokens. It depends on which numbers you count. The table of the input is only looked up in, which computes nothing.",
  counted: {
    all: "all numbers",
    without_input_table: "without the input table",
    without_tables: "without both tables",
  },
  error: (error: number) => `${error < 0 ? "−" : "+"}${count(Math.abs(100 * error))} %`,
  ruleError: "Beside it: how far it is from the matrix products of the step.",

  memory: "Only the rows that were read",
  memoryMore: (arrays: number) =>
    arrays > 1
      ? `Each row is updated with ${count(arrays - 1)} averages of past gradients beside it. All that is read and written, and the gradient is read.`
      : "Each row is read and written, and its gradient is read.",
  touched: (rows: number) => `updating ${count(rows)} rows`,
  whole: "updating the whole matrix",
  bytes: (size: number) => bytes(size),
  times: (times: number) =>
    times >= 1.5
      ? `That is ${short(times)} times as much memory to move.`
      : "Here that is the same: every row is updated.",

  order: "What it bought",
  orderMore: {
    joules:
      "Left to right: energy spent. The line of loss falls as it guesses better; bits rise as neighbours are of one kind.",
    flops:
      "Left to right: operations, since nobody measured energy. The line of loss falls as it guesses better.",
  },
  lossOf: { held_out: "loss on text it never read", batch: "loss" },
  bits: "bits of kind in the neighbours",
  noBits:
    "How much order there is, is not measured here yet: it waits for the measure “neighbour_information”.",
  axis: { joules: "joules", flops: "FLOPs" },
  half: (step: number, [start, half, end]: [number, number, number]) =>
    `The first half of the cost (to step ${count(step)}) bought ${fixed(half - start, 2)} bits of order, the second half ${fixed(end - half, 2)}.`,
  chart: (spent: string, loss: string) => `Loss ${loss} after ${spent}`,

  scale: "The same for larger models",
  scaleMore:
    "Only this run is from here. FLOPs of the others are computed, and their energy is extrapolated: as if every operation cost what it costs on this machine. Large computers need far less for each, as the published figures show.",
  rowName: ({ kind, published }: ScaleRow) =>
    kind === "run"
      ? "This run"
      : kind === "larger"
        ? "The same steps, 50,000 words × 1,024 numbers"
        : `${published?.name ?? ""} (${published?.year ?? ""})`,
  rowSize: (parameters: number, tokens: number) =>
    `${large(parameters)} numbers, ${large(tokens)} tokens`,
  basis: {
    measured: "measured",
    estimated: "estimated",
    extrapolated: "extrapolated",
  } satisfies Record<ScaleRow["joules_basis"], string>,
  computed: { formula: "computed", "6ND": "computed, 6ND" } satisfies Record<
    ScaleRow["flops_basis"],
    string
  >,
  publishedEnergy: "published",
  unknown: "not known",
  sourceOf: "size",
  energySource: "energy",
  sources: "Sources:",

  devices: "Two devices, one model",
  devicesMore:
    "Large models train on many devices. Each reads a part of the batch with its own copy of the model; then all add up their gradients. Half of the rows of the matrix could live on each.",
  share: (step: number) => `Let two processes share step ${count(step)}`,
  first: "Go to a step after the first: a step is needed to share.",
  viewer: "Only the presenter can start this.",
  working: "Working",
  cancel: "Cancel",
  failed: "It could not be done.",
  cancelled: "Taken back.",
  sent: "Sent by one device in a step",
  way: { dense: "with all gradients whole", lazy: "with only the rows it read" },
  byFormula: (measured: (number | null)[], formula: (number | null)[]) =>
    measured.every((size, i) => size === formula[i])
      ? "That is to the byte what the formula says."
      : `The formula says ${formula.flatMap((size) => (size === null ? [] : [bytes(size)])).join(" and ")}.`,
  shared: ([a = 0, b = 0]: number[], rows: number[], together: number) =>
    `One read ${count(a)} sequences (${count(rows[0] ?? 0)} rows), the other ${count(b)} (${count(rows[1] ?? 0)} rows); together ${count(together)} rows.`,
  same: (difference: number, largest: number) =>
    `Their gradients together are those of one process, up to rounding: the largest difference is ${tiny(difference)}, the largest gradient ${small(largest, 2)}.`,
  took: (seconds: number, exchange: number) =>
    `Computing took ${fixed(1_000 * seconds, 0)} ms, sending ${fixed(1_000 * exchange, 1)} ms.`,
} as const);
