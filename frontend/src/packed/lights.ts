/** The lights of a packed run: some of its steps as beats, and their counts. */

import type { Beat } from "../api/beat-frames";
import { NEVER, type Census, type Frame, type Districts, type Layout } from "../api/frames";
import { readFrames, type PackedFile } from "./packed-file";
import type { LayoutMethod } from "../api/frame-header";
import { GridLayouts } from "../api/grid-layouts";

export class PackedMaps {
  private constructor(
    readonly layouts: Readonly<Record<LayoutMethod, readonly Layout[]>>,
    readonly districts: readonly Districts[],
  ) {}

  /** Decode all maps of a file. Throws `FrameError`. */
  static async open(file: PackedFile): Promise<PackedMaps> {
    const { umap, linear, districts } = file.head.parts;
    const [ofUmap, ofLinear, found] = await Promise.all([
      readLayouts(file, umap),
      readLayouts(file, linear),
      readFrames(file, districts),
    ]);
    const isDistricts = (frame: Frame) => frame.kind === "districts";
    return new PackedMaps({ umap: ofUmap, linear: ofLinear }, found.filter(isDistricts));
  }
}

async function readLayouts(file: PackedFile, names: readonly string[]): Promise<Layout[]> {
  const chain = new GridLayouts();
  const onGrid = (await readFrames(file, names)).filter(
    (frame) => frame.kind === "grid-layout" || frame.kind === "grid-change",
  );
  return onGrid.flatMap((frame) => chain.receive(frame) ?? []);
}

/** Beats between two kept censuses, so that counting from one is quick. */
const CENSUS_EVERY = 64;

export class PackedLights {
  private constructor(
    private readonly beats: readonly Beat[],
    /** The counts before beat 0, `CENSUS_EVERY`, ... */
    private readonly censuses: readonly Census[],
  ) {}

  /** Decode all lights of a file. Throws `FrameError`. */
  static async open(file: PackedFile): Promise<PackedLights> {
    const beats: Beat[] = [];
    const censuses: Census[] = [];
    let counts: Census | null = null;
    for (const frame of await readFrames(file, file.head.parts.lights)) {
      if (frame.kind === "census") counts = frame;
      if (frame.kind !== "beat" || !counts) continue;
      if (beats.length % CENSUS_EVERY === 0) censuses.push(copyOf(counts));
      beats.push(frame);
      count(counts, frame);
    }
    return new PackedLights(beats, censuses);
  }

  /** Return the last step. */
  get last(): number {
    return this.beats.at(-1)?.step ?? 0;
  }

  /**
   * Return the counts before step `from`, and the beats up to step `to`; at least one beyond, if the file
   * holds none in between.
   */
  between(from: number, to: number): Frame[] {
    const first = this.beats.findIndex(({ step }) => step >= from);
    if (first < 0) return [this.censusBefore(this.beats.length, from)];
    let end = first;
    while (end < this.beats.length && this.beats[end]!.step <= to) end += 1;
    // A request for step 0, which lights nothing, gets nothing beyond it.
    const least = to > 0 ? first + 1 : first;
    return [this.censusBefore(first, from), ...this.beats.slice(first, Math.max(end, least))];
  }

  /** Return the beat of a step; null if it is not held. */
  at(step: number): Beat | null {
    return this.beats.find((beat) => beat.step === step) ?? null;
  }

  /** Return the counts up to a step. */
  countsAt(step: number): Census {
    const next = this.beats.findIndex((beat) => beat.step > step);
    return this.censusBefore(next < 0 ? this.beats.length : next, step + 1);
  }

  /** Return the counts before a beat, as those of the step before `from`. */
  private censusBefore(index: number, from: number): Census {
    const start = Math.min(Math.floor(index / CENSUS_EVERY), this.censuses.length - 1);
    const census = copyOf(this.censuses[start]!);
    for (const beat of this.beats.slice(start * CENSUS_EVERY, index)) count(census, beat);
    census.step = Math.min(Math.max(census.step, from - 1), (this.beats[index]?.step ?? from) - 1);
    return census;
  }
}

function copyOf(census: Census): Census {
  return { ...census, touches: census.touches.slice(), lastLit: census.lastLit.slice() };
}

/** Add a beat to the counts, and the steps since the previous beat. */
function count(census: Census, { between, batchIds, step, attempt, time }: Beat) {
  between.ids.forEach((id, i) => {
    census.touches[id]! += between.touches[i]!;
    census.lastLit[id] = between.lastLit[i]!;
  });
  for (const id of batchIds) {
    census.touches[id]! += 1;
    census.lastLit[id] = step;
  }
  Object.assign(census, { step, attempt, time });
}

/** Return a step as REST gives it; null for none. */
export function stepOrNull(step: number): number | null {
  return step === NEVER ? null : step;
}
