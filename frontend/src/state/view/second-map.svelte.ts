/**
 * The content of the second map: a step of the first map's run, its other view, or another run
 * live.
 */

import type { Districts, Layout, LayoutMethod } from "../../api/frames";
import { requestFrames } from "../../api/frame-request";
import { runPath } from "../../api/rest";
import { ApiError, type Failure } from "../../api/failure";
import type { Vocabulary } from "../../api/vocabulary";
import { sourceKind, sourceName, type SecondMapSource } from "../../model/second-map-options";
import { LiveRun } from "../run/live-run.svelte";
import { Query } from "../query/query.svelte";
import { beatFromRecord, type StepBeat } from "../../model/step-beat";

interface SecondMapStep {
  layout: Layout;
  beat: StepBeat | null;
  districts: Districts | null;
}

/** Nominal duration of a still beat, in ms. */
const STILL_BEAT_DURATION = 1_000;

export class SecondMap {
  private readonly query = new Query<SecondMapStep>();
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
    const step = Number(sourceName(source));
    if (this.kind === "step")
      this.query.ask({ key: source, fetch: (signal) => this.fetchStep(step, signal) });
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
    if (this.kind === "step") return this.query.value?.layout ?? null;
    const { layouts } = this.shownRun;
    if (this.kind === "view") return layouts[sourceName(this.source) as LayoutMethod] ?? null;
    return layouts[this.method()] ?? layouts.linear ?? layouts.umap ?? null;
  }

  get beat(): StepBeat | null {
    return this.kind === "step" ? (this.query.value?.beat ?? null) : this.shownRun.beat;
  }

  get districts(): Districts | null {
    return this.kind === "step" ? (this.query.value?.districts ?? null) : this.shownRun.districts;
  }

  /** Return the brightness that the last beat keeps while no other comes, 0 to 1. */
  get heldBrightness(): number {
    if (this.kind === "step") return 0.75;
    return this.shownRun.paused ? 0.9 : this.shownRun.idle ? 0.6 : 0;
  }

  /** Return why nothing is shown, where that is known. */
  get displayProblem(): Failure | null {
    return this.query.problem ?? this.otherRun?.problem ?? null;
  }

  close() {
    this.query.close();
    this.otherRun?.close();
  }

  private async fetchStep(step: number, signal: AbortSignal): Promise<SecondMapStep> {
    const { run } = this;
    const set = run.reprojected ? "&set=again" : "";
    const frames = (path: string) => requestFrames(runPath(run.id, path), signal);
    const [layout] = await frames(`layouts/${step}?method=${this.method()}&format=frame${set}`);
    if (layout?.kind !== "layout") throw new ApiError(0, { code: "noLayout" });
    // The beat and the districts may be missing; the layout is then shown without them.
    const [detail, found] = await Promise.all([
      step > 0 ? orNull(run.fetchStepDetail(step, signal)) : null,
      orNull(frames(`districts?step=${step}&format=frame`)),
    ]);
    const districts = found?.[0];
    return {
      layout,
      beat: detail && beatFromRecord(detail, STILL_BEAT_DURATION),
      districts: districts?.kind === "districts" ? districts : null,
    };
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
