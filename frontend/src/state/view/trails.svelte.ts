/**
 * The trails of some tokens over the last steps: fetched when the question changes, then extended
 * by each layout that arrives.
 */

import { untrack } from "svelte";
import type { Layout } from "../../api/frames";
import { ask, runPath, type Drawing } from "../../api/rest";
import { Refusal, type Failure } from "../../api/failure";
import { grain, grown, thinned, trailsOf } from "./trail-building";
import type { Trail } from "../../model/trail";
import type { LiveRun } from "../run/live-run.svelte";
import type { Moves } from "../tokens/biggest-movers.svelte";
import type { Selection } from "../tokens/focused-token.svelte";
import type { Gathered } from "../tokens/token-selection.svelte";
import type { Viewing } from "./view-settings.svelte";

/** Limits on the biggest movers that leave a trail, and on the tokens in all. */
export const MOVERS = 8;
const MOST = 24;
/** Debounce in ms: during a scrub the trails wait for the hand to rest. */
const SETTLED = 250;
/** Interval of the layouts fetched from a run with too many to fetch at once. */
const SPARSE = 20;

interface Places {
  steps: number[];
  places: [number, number][][];
}

/** The part of the page's state that trails depend on. */
export interface TrailSources {
  readonly run: LiveRun | null;
  readonly layout: Layout | null;
  readonly viewing: Viewing;
  readonly moves: Moves;
  readonly selection: Selection | null;
  readonly gathered: Gathered;
}

export class Trails {
  /** Trails of the focused token, of the selected ones, and of the others. */
  now = $state.raw<Trail[]>([]);
  /** Steps that the trails cover; null while not known. */
  span = $state.raw<{ from: number; to: number } | null>(null);
  problem = $state.raw<Failure | null>(null);

  /** Tokens that leave a trail, in that order. */
  readonly ids: number[] = $derived.by(() => {
    const { viewing, selection, moves, gathered } = this.app;
    if (viewing.trails === "none") return [];
    const chosen = selection?.token ?? null;
    const own = [...(chosen === null ? [] : [chosen]), ...gathered.ids];
    const others = viewing.trails === "movers" ? moves.farthest(MOVERS) : [];
    return [...new Set([...own, ...others])].slice(0, MOST);
  });

  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly app: TrailSources) {
    // A change of the question starts over; a layout that follows extends the trails.
    $effect(() => {
      void this.question;
      untrack(() => this.begin());
      return () => this.close();
    });
    $effect(() => {
      const { layout } = app;
      if (layout) untrack(() => this.follow(layout));
    });
  }

  /** Everything that the trails depend on, except for time simply going on. */
  private readonly question = $derived.by(() => {
    const { run, viewing, layout } = this.app;
    const map = [layout?.method, layout?.drawnBy, run?.again, viewing.over];
    return [run?.id, ...map, run?.replay?.from, run?.paused, run?.link.state, ...this.ids].join();
  });

  private close() {
    this.abort?.abort();
    clearTimeout(this.timer);
  }

  private begin() {
    const { ids } = this;
    this.close();
    this.problem = null;
    this.now = this.now.filter(({ id }) => ids.includes(id));
    if (ids.length && this.app.layout) {
      this.timer = setTimeout(() => void this.fetch(ids), SETTLED);
    } else this.span = null;
  }

  private follow(layout: Layout) {
    const { span } = this;
    if (!this.now.length || !span || layout.step === span.to) return;
    const { run, viewing } = this.app;
    // A jump or a scrub skips layouts, so the trails are fetched again.
    if (layout.step < span.to || run?.paused) {
      this.begin();
      return;
    }
    const from = viewing.over ? Math.max(span.from, layout.step - viewing.over) : span.from;
    this.now = this.now.map((trail) => grown(trail, layout, from));
    this.span = { from, to: layout.step };
  }

  private async fetch(ids: number[]) {
    const { run, viewing, layout } = this.app;
    if (!run || !layout) return;
    const { signal } = (this.abort = new AbortController());
    const to = layout.step;
    try {
      let from = viewing.over ? Math.max(0, to - viewing.over) : 0;
      if (layout.method === "linear" && !(run.again && run.replay)) {
        // Before the directions of the linear view were chosen, a row at rest could move on it; no
        // trail covers that time.
        const { linear } = await ask<Drawing>(runPath(run.id, "map"), { signal });
        from = Math.min(to, Math.max(from, linear?.step ?? 0));
      }
      const found = await this.places(run.id, layout.method, { from, to }, ids, signal);
      // Layouts that arrived meanwhile are appended with the newest one.
      this.now = trailsOf(ids, found.steps, found.places, grain(layout)).map(thinned);
      this.span = { from: Math.max(from, found.steps[0] ?? from), to };
      this.problem = null;
      const newest = this.app.layout;
      if (newest && newest.method === layout.method) this.follow(newest);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      this.now = [];
      this.problem = error.failure;
    }
  }

  private async places(
    run: string,
    method: string,
    { from, to }: { from: number; to: number },
    ids: number[],
    signal: AbortSignal,
  ): Promise<Places> {
    const set = this.app.run?.again && this.app.run.replay ? "&set=again" : "";
    const query = `places?from=${from}&to=${to}&method=${method}&token_ids=${ids.join()}&format=json${set}`;
    try {
      return await ask<Places>(runPath(run, query), { signal });
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 422) throw error;
      return ask<Places>(runPath(run, `${query}&every=${SPARSE}`), { signal });
    }
  }
}
