/**
 * The source of the second map: a step of the first map's run, its other view, its output matrix, or another
 * run at the same time.
 */

import { decode, type Districts, type Layout, type LayoutMethod } from "../../api/frames";
import { requestBytes, runPath } from "../../api/rest";
import type { Failure } from "../../api/failure";
import type { Vocabulary } from "../../api/vocabulary";
import type { SecondMapKind } from "../../model/view/second-map-options";
import { lightOfBeat, type StepLight } from "../../model/light";
import { hasEnded } from "../../model/phase";
import type { PastStep } from "../../state/past/past-store";
import { layoutIn } from "../../state/shown-step.svelte";
import type { LiveRun } from "../../state/run/live-run.svelte";
import { Query } from "../../state/query/query.svelte";
import { OutputMap } from "../../state/view/output-map.svelte";
import { coordinates, placementOf, quantise } from "../../model/plane/placement";

/** Nominal duration of a still beat, in ms. */
const STILL_BEAT_DURATION = 1_000;
/** Debounce in ms: during a scrub only the last step is drawn. */
const DEBOUNCE = 120;

export class SecondMap {
  private readonly query = new Query<PastStep>();
  /** The layout of the other run that is drawn like the first map, of runs with a common origin. */
  readonly aligned = new Query<AlignedLayouts>();
  private readonly otherRun: LiveRun | null = null;
  /** The map of the output matrix; null for other sources. */
  readonly output: OutputMap | null = null;
  private readonly pastBeat: StepLight | null = $derived.by(() => {
    const beat = this.query.value?.beat;
    return beat ? lightOfBeat(beat, STILL_BEAT_DURATION, 0) : null;
  });

  /**
   * Open a map of `kind`: of the other run `name`, or of the view `name`. `method` returns the first map's
   * layout method, for sources without their own; `presenter` returns whether this viewer may start a layout.
   */
  constructor(
    private readonly run: LiveRun,
    readonly kind: SecondMapKind,
    private readonly name: string,
    private readonly method: () => LayoutMethod,
    presenter: () => boolean,
  ) {
    if (kind === "run") this.otherRun = run.openBeside(name);
    if (kind === "matrix") this.output = new OutputMap(run.id, presenter);
  }

  /**
   * Show a step of the run, or (null) its current state. The previous step stays until the next has loaded.
   */
  showStep(step: number | null) {
    const { shownRun: run, view } = this;
    if (this.output) {
      this.output.showStep(step, view);
      return;
    }
    if (step === null || !run.vocabulary) {
      this.query.ask(null);
      return;
    }
    const fetch = async () => (await run.fetchPastStep(step, view))!;
    this.query.ask({ key: `${step} ${view} ${run.reprojected}`, fetch });
  }

  /** Draw the other run like the layout `first` of this one, at this run's `step`; nothing: as it was laid out itself. */
  drawLike(first: Layout | null | undefined | false, step: number | null) {
    const { id, showsReprojected } = this.run;
    if (!first || step === null) {
      this.aligned.ask(null);
      return;
    }
    const method = first.drawnBy === "linear" ? "linear" : "umap";
    const set = showsReprojected ? "again" : "live";
    const path = `difference/layout?with=${encodeURIComponent(this.name)}&step=${step}&layout=${first.step}&method=${method}&set=${set}`;
    const fetch = async (signal: AbortSignal) => ({
      first,
      second: decode(await requestBytes(runPath(id, path), { signal })) as Layout,
    });
    this.aligned.ask({ key: path, subject: this.name, fetch }, DEBOUNCE);
  }

  /** Return the requested view. */
  private get view(): LayoutMethod {
    return this.kind === "view" ? (this.name as LayoutMethod) : this.method();
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

  /** Return the layout that was made for the shown run alone. */
  get layout(): Layout | null {
    const { kind, shownRun, view } = this;
    if (this.output) return this.output.layout;
    const past = this.query.value;
    if (past ? kind !== "view" : kind === "step") return past && layoutIn(past.layouts, view);
    if (kind === "run") return shownRun.layoutFor(view);
    return (past ?? shownRun).layouts[view] ?? null;
  }

  /** Return the displayed step; null while there is none. */
  get step(): number | null {
    if (this.output) return this.output.layout?.step ?? null;
    if (this.query.value || this.kind === "step") return this.query.value?.step ?? null;
    return this.shownRun.displayedStep;
  }

  get beat(): StepLight | null {
    // A step lights rows of the input matrix.
    if (this.output) return null;
    return this.query.value || this.kind === "step" ? this.pastBeat : this.shownRun.beat;
  }

  get districts(): Districts | null {
    // Districts belong to the input matrix: their names would label the wrong words here.
    if (this.output) return null;
    const { shownRun, run } = this;
    const past = this.query.value;
    const found = this.kind === "step" || this.otherRun ? (past ?? this.otherRun) : shownRun;
    return run.named(found?.districts ?? null, shownRun);
  }

  /** Return the brightness of the last beat until another arrives, 0 to 1. */
  get heldBrightness(): number {
    if (this.kind === "step" || this.output || this.shownRun.paused || this.query.value) return 1;
    return this.shownRun.idle ? 0.8 : 0;
  }

  /** Return the first step of the requested view, if it begins after the displayed step. */
  get mapStart(): number | null {
    const { at, next } = this.query.value?.mapSteps ?? { at: null, next: null };
    return at === null ? next : null;
  }

  /** Return whether no map is displayed or expected: the other run has ended, and all of it is loaded. */
  get unmapped(): boolean {
    const { status, info, vocabulary } = this.otherRun ?? {};
    return hasEnded(status?.phase) && !this.layout && !info?.vocabulary === !vocabulary;
  }

  /** Return why no map is displayed, as the server reported it. */
  get displayProblem(): Failure | null {
    return this.query.problem ?? this.otherRun?.problem ?? null;
  }

  close() {
    this.query.close();
    this.aligned.close();
    this.otherRun?.close();
    this.output?.close();
  }
}

/** A layout of the run on the first map, and the one of the other run that was drawn like it. */
export interface AlignedLayouts {
  readonly first: Layout;
  readonly second: Layout;
}

/** Return the second layout moved as the first map has moved to `now`; of two runs with the same words. */
export function moveAlong({ first, second }: AlignedLayouts, now: Layout): Layout {
  if (now === first) return second;
  const [before, after] = [first, now].map((one) => coordinates(placementOf(one)));
  const places = coordinates(placementOf(second));
  const { box, ...moved } = quantise(places.map((at, i) => at + after![i]! - before![i]!));
  return { ...second, ...box, ...moved };
}

export class TokenMatching {
  private readonly same: boolean;
  private readonly idsInSecond = new Map<string, number>();
  private readonly idsInFirst = new Map<string, number>();

  constructor(
    readonly first: Vocabulary,
    readonly second: Vocabulary,
  ) {
    this.same = first === second || first.run === second.run;
    if (this.same) return;
    first.tokens.forEach((text, id) => this.idsInFirst.set(text, id));
    second.tokens.forEach((text, id) => this.idsInSecond.set(text, id));
  }

  /** Return the second map's id of a token of the first; null where it has none. */
  toSecond(id: number): number | null {
    return this.matchingId(id, this.first, this.idsInSecond, this.second);
  }

  /** Return the first map's id of a token of the second; null where it has none. */
  toFirst(id: number): number | null {
    return this.matchingId(id, this.second, this.idsInFirst, this.first);
  }

  /** Return the second map's ids of the tokens that it shares. */
  allToSecond(ids: number[]): number[] {
    return ids.flatMap((id) => this.toSecond(id) ?? []);
  }

  /** Return the ids of all shared tokens, in the first map and in the second. */
  commonIds(): [Uint32Array, Uint32Array] {
    const inFirst: number[] = [];
    const inSecond: number[] = [];
    this.first.tokens.forEach((_, id) => {
      const other = this.toSecond(id);
      if (other === null) return;
      inFirst.push(id);
      inSecond.push(other);
    });
    return [Uint32Array.from(inFirst), Uint32Array.from(inSecond)];
  }

  private matchingId(
    id: number,
    from: Vocabulary,
    ids: Map<string, number>,
    to: Vocabulary,
  ): number | null {
    if (this.same) return id < to.tokens.length ? id : null;
    const text = from.tokens[id];
    return text === undefined ? null : (ids.get(text) ?? null);
  }
}
