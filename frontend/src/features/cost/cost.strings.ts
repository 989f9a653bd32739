/** Texts of the panel of costs. */

import type { Cost, CostEnergy, ScaleRow } from "../../api/rest-types";
import { energyText, large, short, spanText, tiny } from "../../strings/amounts";
import { bytes, count, fixed, small } from "../../strings/numbers";
import { table } from "../../strings/translation";

type Process = NonNullable<Cost["shared"]>["processes"][number];
const ms = (seconds: number) => `${fixed(1_000 * seconds, 1)}\u00a0ms`;
const span = (from: number, size: number) => `${count(from)} to ${count(from + size - 1)}`;

const METHODS: Record<CostEnergy["method"], string> = {
  nvml: "Measured by the graphics card’s own counter. It does not include the processor.",
  rapl: "Measured by the processors’ own counters (RAPL). They count the work of all programs on the machine.",
  processor: "Estimated: this machine has no energy counter.",
};

export const cost = table("cost", {
  none: "No cost data yet.",
  meter: "Energy so far",
  spent: (joules: number) => energyText(joules),
  watts: (watts: number) => `${short(watts)} W`,
  wattsNow: "now",
  wattsMean: "on average, while it trained",
  units:
    "Joules (J) say how much energy was used. Watts (W) say how fast: one watt is one joule per second.",
  lamp: (seconds: number, watts: number) =>
    `Enough to run a ${watts} W bulb for ${spanText(seconds)}.`,
  method: ({ method, watts_assumed: watts }: CostEnergy, seconds: number) =>
    watts === null
      ? METHODS[method]
      : `${METHODS[method]} It assumes ${short(watts)} W per busy core for ${spanText(seconds)} of processor time.`,
  between: (least: number, most: number) =>
    `The true number may be anywhere between ${energyText(least)} and ${energyText(most)}.`,
  noError: (mixed: boolean) =>
    mixed
      ? "Its error is unknown."
      : "Its error is unknown: it is as good as the watts that were stated.",
  source: "Source of this error",
  withoutCard: "A graphics card did most of the work. Its energy is not included.",
  mixed: "Several machines trained this run, and not all of them measured in the same way.",
  missing: {
    recorded: "This run was trained by another program, which did not record its energy.",
    unmeasured: "This run was trained before Lamplighter measured energy.",
  } satisfies Record<NonNullable<Cost["missing"]>, string>,
  processor: "processor time",
  perStep: "energy per step",
  measured: (since: number, step: number) =>
    since ? `from step ${count(since)} to ${count(step)}` : `up to step ${count(step)}`,
  upTo: (step: number) => `up to step ${count(step)}`,

  work: "What one step computes",
  workMore: (flops: number, tokens: number) =>
    `About ${large(flops)} additions and multiplications (FLOPs) for ${count(tokens)} guesses, counted by formula.`,
  all: (flops: number, tokens: number) =>
    `So far: ${large(flops)} FLOPs, for ${large(tokens)} guesses.`,
  update: "Update of the weights",
  flops: (flops: number) => `${large(flops)} FLOPs`,
  operations: large,

  rule: "The rule of thumb",
  ruleMore:
    "People often estimate 6 × N × D: six operations for each of the model’s N numbers and each of D tokens. It depends on which numbers you count: looking up rows of the input table computes nothing.",
  counted: {
    all: "all numbers",
    without_input_table: "without the input table",
    without_tables: "without both tables",
  },
  error: (error: number) => `${error < 0 ? "−" : "+"}${count(Math.abs(100 * error))}\u00a0%`,
  ruleError: "Beside each: its error against the matrix products of the step.",

  memory: "Only the rows that were read",
  memoryMore: (arrays: number) =>
    arrays > 1
      ? `Each row is updated together with ${count(arrays - 1)} averages of past gradients. All of these are read and written; the gradient is only read.`
      : "Each row is read and written, and its gradient is read.",
  touched: (rows: number) => `updating ${count(rows)} rows`,
  whole: "updating the whole matrix",
  bytes: (size: number) => bytes(size),
  times: (times: number) =>
    times >= 1.5
      ? `That moves ${short(times)} times as much memory.`
      : "Here that is the same: every row is updated.",

  order: "What it bought",
  orderMore: {
    joules:
      "Left to right: energy spent. Loss falls as it guesses better; bits rise as neighbours become alike in kind.",
    flops:
      "Left to right: operations, since energy was not measured. Loss falls as it guesses better.",
  },
  lossOf: { held_out: "loss on text it never read", batch: "loss" },
  bits: "bits of kind in the neighbours",
  noBits: "Order is not measured here yet: waiting for the measure “neighbour_information”.",
  axis: { joules: "joules", flops: "FLOPs" },
  half: (step: number, [start, half, end]: [number, number, number]) =>
    `The first half of the cost (to step ${count(step)}) bought ${fixed(half - start, 2)} bits of order, the second half ${fixed(end - half, 2)}.`,
  chart: (spent: string, loss: string) => `Loss ${loss} after ${spent}`,

  scale: "The same for larger models",
  scaleMore:
    "Only this run was measured here. The others’ FLOPs are computed and their energy is extrapolated, as if each operation cost what it costs on this machine. Large computers need far less per operation, as the published figures show.",
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
  unknown: "unknown",
  sourceOf: "size",
  energySource: "energy",
  sources: "Sources:",

  devices: "Two devices, one model",
  devicesMore:
    "Large models train on many devices. Each reads a part of the batch with its own copy of the model; then all add up their gradients.",
  share: (step: number) => `Let two processes share step ${count(step)}`,
  first: "Go to a later step: there must be a step to share.",
  viewer: "Only the presenter can start this.",
  cancel: "Cancel",
  sent: "Sent by one device per step",
  way: { dense: "with all gradients whole", lazy: "with only the rows it read" },
  byFormula: (measured: (number | null)[], formula: (number | null)[]) =>
    measured.every((size, i) => size === formula[i])
      ? "That matches the formula to the byte."
      : `The formula says ${formula.flatMap((size) => (size === null ? [] : [bytes(size)])).join(" and ")}.`,
  shared: ([a = 0, b = 0]: number[], rows: number[], together: number) =>
    `One read ${count(a)} sequences (${count(rows[0] ?? 0)} rows), the other ${count(b)} (${count(rows[1] ?? 0)} rows); together ${count(together)} rows.`,
  same: (difference: number, largest: number) =>
    `Together their gradients equal those of one process, up to rounding: the largest difference is ${tiny(difference)}, the largest gradient ${small(largest, 2)}.`,

  together: (processes: number) => `${count(processes)} processes train this run`,
  handed: (step: number) =>
    `Bytes that all together handed over in step ${count(step)}, by kind and formula (letters: docs/deploy.md, docs/client.md). A “≠” would show what the formula says instead.`,
  transfer: "between steps",
  process: ({ offset, rows, columns }: Process, at: number) =>
    `process ${at} has rows ${span(offset, rows)}${columns ? `, columns ${span(...columns)}` : ""}`,
  worked: ({ worked, waited, slowest }: Process, steps: number) =>
    `${ms(worked)} computing, ${ms(waited)} waiting; slowest in ${count(slowest)} of ${count(steps)} steps`,
  guest:
    "The bytes are those of the recording. Computing leaves out where processes may wait for each other, but not waiting between two steps; waiting is how much longer the slowest computes.",
  lags: (at: number) => `Process ${at} lags: the others wait for it.`,
  lagging: (steps: number, processes: number) =>
    `By chance each is the slowest in ${fixed(steps / processes, 1)} of ${count(steps)} steps; a process lags if it is that so often that chance would bring it about for any of them in fewer than 1.4 of 1,000 such stretches, and computes a tenth longer than the others (from ten steps on).`,
} as const);
