/**
 * The content of the second map: a step of the first map's run, its other view, or another run
 * live.
 */

import { decode, type Districts, type Frame, type Layout, type Method } from "../../api/frames";
import { FrameError } from "../../api/binary-reader";
import { answerTo, runPath } from "../../api/rest";
import { Refusal, said, type Failure } from "../../api/failure";
import type { Vocabulary } from "../../api/vocabulary";
import { kindOf, namedBy, type Beside } from "../../model/second-map-options";
import { LiveRun } from "../run/live-run.svelte";
import { beatOfRecord, type StepBeat } from "../../model/step-beat";

interface Moment {
  layout: Layout;
  beat: StepBeat | null;
  districts: Districts | null;
}

/** Nominal duration of a still beat, in ms. */
const STANDING = 1_000;

export class BesideMap {
  /** Why the step cannot be shown. */
  problem = $state.raw<Failure | null>(null);

  private moment = $state.raw<Moment | null>(null);
  private readonly abort = new AbortController();
  private readonly other: LiveRun | null = null;

  /**
   * Open `source`. `method` gives the first map's layout method, for sources without one of their
   * own.
   */
  constructor(
    private readonly run: LiveRun,
    readonly source: Beside,
    private readonly method: () => Method,
  ) {
    if (this.kind === "run")
      this.other = new LiveRun(namedBy(source), { from: null, speed: null, at: null });
    if (this.kind === "step") void this.fetch(Number(namedBy(source)));
  }

  get kind() {
    return kindOf(this.source);
  }

  /** Return whether the second map shows another run. */
  get foreign(): boolean {
    return this.other !== null;
  }

  /** Return the run that the second map shows. */
  get of(): LiveRun {
    return this.other ?? this.run;
  }

  get vocabulary(): Vocabulary | null {
    return this.of.vocabulary;
  }

  get layout(): Layout | null {
    if (this.kind === "step") return this.moment?.layout ?? null;
    const { layouts } = this.of;
    if (this.kind === "view") return layouts[namedBy(this.source) as Method] ?? null;
    return layouts[this.method()] ?? layouts.linear ?? layouts.umap ?? null;
  }

  get beat(): StepBeat | null {
    return this.kind === "step" ? (this.moment?.beat ?? null) : this.of.beat;
  }

  get districts(): Districts | null {
    return this.kind === "step" ? (this.moment?.districts ?? null) : this.of.districts;
  }

  /** Return the brightness that the last beat keeps while no other comes, 0 to 1. */
  get held(): number {
    if (this.kind === "step") return 0.75;
    return this.of.paused ? 0.9 : this.of.resting ? 0.6 : 0;
  }

  /** Return why nothing is shown, where that is known. */
  get trouble(): Failure | null {
    return this.problem ?? this.other?.problem ?? null;
  }

  close() {
    this.abort.abort();
    this.other?.close();
  }

  private async fetch(step: number) {
    const { signal } = this.abort;
    const { run } = this;
    const set = run.again ? "&set=again" : "";
    try {
      const layout = await this.frame(`layouts/${step}?method=${this.method()}&format=frame${set}`);
      if (layout.kind !== "layout") throw new Refusal(0, { code: "noLayout" });
      // The beat and the districts may be missing; the layout is then shown without them.
      const [detail, districts] = await Promise.all([
        step > 0 ? orNothing(run.detail(step, signal)) : null,
        orNothing(this.frame(`districts?step=${step}&format=frame`)),
      ]);
      this.moment = {
        layout,
        beat: detail && beatOfRecord(detail, STANDING),
        districts: districts?.kind === "districts" ? districts : null,
      };
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      this.problem = error.failure;
    }
  }

  private async frame(path: string): Promise<Frame> {
    const { signal } = this.abort;
    const answer = await answerTo(runPath(this.run.id, path), { signal });
    try {
      return decode(await answer.arrayBuffer());
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      throw new Refusal(0, said(error.message));
    }
  }
}

async function orNothing<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}
