/**
 * The content of the second map: a step of the first map's run, its other view, or another run
 * live.
 */

import {
  decode,
  type Districts,
  type Frame,
  type Layout,
  type LayoutMethod,
} from "../../api/frames";
import { FrameError } from "../../api/binary-reader";
import { fetchResponse, runPath } from "../../api/rest";
import { ApiError, reasonGiven, type Failure } from "../../api/failure";
import type { Vocabulary } from "../../api/vocabulary";
import { sourceKind, sourceName, type SecondMapSource } from "../../model/second-map-options";
import { LiveRun } from "../run/live-run.svelte";
import { beatFromRecord, type StepBeat } from "../../model/step-beat";

interface SecondMapStep {
  layout: Layout;
  beat: StepBeat | null;
  districts: Districts | null;
}

/** Nominal duration of a still beat, in ms. */
const STILL_BEAT_DURATION = 1_000;

export class SecondMap {
  /** Why the step cannot be shown. */
  problem = $state.raw<Failure | null>(null);

  private step = $state.raw<SecondMapStep | null>(null);
  private readonly abort = new AbortController();
  private readonly otherRun: LiveRun | null = null;

  /**
   * Open `source`. `method` gives the first map's layout method, for sources without one of their
   * own.
   */
  constructor(
    private readonly run: LiveRun,
    readonly source: SecondMapSource,
    private readonly method: () => LayoutMethod,
  ) {
    if (this.kind === "run") this.otherRun = new LiveRun(sourceName(source));
    if (this.kind === "step") void this.fetchStep(Number(sourceName(source)));
  }

  get kind() {
    return sourceKind(this.source);
  }

  /** Return whether the second map shows another run. */
  get showsOtherRun(): boolean {
    return this.otherRun !== null;
  }

  /** Return the run that the second map shows. */
  get shownRun(): LiveRun {
    return this.otherRun ?? this.run;
  }

  get vocabulary(): Vocabulary | null {
    return this.shownRun.vocabulary;
  }

  get layout(): Layout | null {
    if (this.kind === "step") return this.step?.layout ?? null;
    const { layouts } = this.shownRun;
    if (this.kind === "view") return layouts[sourceName(this.source) as LayoutMethod] ?? null;
    return layouts[this.method()] ?? layouts.linear ?? layouts.umap ?? null;
  }

  get beat(): StepBeat | null {
    return this.kind === "step" ? (this.step?.beat ?? null) : this.shownRun.beat;
  }

  get districts(): Districts | null {
    return this.kind === "step" ? (this.step?.districts ?? null) : this.shownRun.districts;
  }

  /** Return the brightness that the last beat keeps while no other comes, 0 to 1. */
  get heldBrightness(): number {
    if (this.kind === "step") return 0.75;
    return this.shownRun.paused ? 0.9 : this.shownRun.idle ? 0.6 : 0;
  }

  /** Return why nothing is shown, where that is known. */
  get displayProblem(): Failure | null {
    return this.problem ?? this.otherRun?.problem ?? null;
  }

  close() {
    this.abort.abort();
    this.otherRun?.close();
  }

  private async fetchStep(step: number) {
    const { signal } = this.abort;
    const { run } = this;
    const set = run.reprojected ? "&set=again" : "";
    try {
      const layout = await this.fetchFrame(
        `layouts/${step}?method=${this.method()}&format=frame${set}`,
      );
      if (layout.kind !== "layout") throw new ApiError(0, { code: "noLayout" });
      // The beat and the districts may be missing; the layout is then shown without them.
      const [detail, districts] = await Promise.all([
        step > 0 ? orNull(run.fetchStepDetail(step, signal)) : null,
        orNull(this.fetchFrame(`districts?step=${step}&format=frame`)),
      ]);
      this.step = {
        layout,
        beat: detail && beatFromRecord(detail, STILL_BEAT_DURATION),
        districts: districts?.kind === "districts" ? districts : null,
      };
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.problem = error.failure;
    }
  }

  private async fetchFrame(path: string): Promise<Frame> {
    const { signal } = this.abort;
    const answer = await fetchResponse(runPath(this.run.id, path), { signal });
    try {
      return decode(await answer.arrayBuffer());
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      throw new ApiError(0, reasonGiven(error.message));
    }
  }
}

async function orNull<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}
