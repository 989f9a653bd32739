/**
 * The trails of some tokens over the last steps: fetched when the question changes, then extended
 * by each layout that arrives.
 */

import { untrack } from "svelte";
import type { Layout } from "../../api/frames";
import { requestJson, runPath } from "../../api/rest";
import type { Answer, MapSettings } from "../../api/rest-types";
import { ApiError, type Failure } from "../../api/failure";
import { placeTolerance, extendTrail, thinTrail, buildTrails } from "./trail-building";
import type { TokenTrail } from "../../model/trail";
import type { LiveRun } from "../run/live-run.svelte";
import type { BiggestMovers } from "../tokens/biggest-movers.svelte";
import type { TokenSelection } from "../tokens/token-selection.svelte";
import type { ViewSettings } from "./view-settings.svelte";

/** Limits on the biggest movers that leave a trail, and on the tokens in all. */
export const MAX_TRAILED_MOVERS = 8;
const MAX_TRAILS = 24;
/** Debounce in ms: during a scrub the trails wait for the hand to rest. */
const DEBOUNCE = 250;
/** Interval of the layouts fetched from a run with too many to fetch at once. */
const SPARSE_INTERVAL = 20;

type LayoutPlaces = Answer<"GET /api/runs/{run}/places">;

/** The part of the page's state that trails depend on. */
interface TrailSources {
  readonly run: LiveRun | null;
  readonly layout: Layout | null;
  readonly viewSettings: ViewSettings;
  readonly biggestMovers: BiggestMovers;
  readonly focusedToken: { readonly token: number | null };
  readonly tokenSelection: TokenSelection;
}

export class Trails {
  /** Trails of the focused token, of the selected ones, and of the others. */
  current = $state.raw<TokenTrail[]>([]);
  /** Steps that the trails cover; null while not known. */
  span = $state.raw<{ from: number; to: number } | null>(null);
  problem = $state.raw<Failure | null>(null);

  /** Tokens that leave a trail, in that order. */
  readonly ids: number[] = $derived.by(() => {
    const { viewSettings, focusedToken, biggestMovers, tokenSelection } = this.app;
    if (viewSettings.trails === "none") return [];
    const chosen = focusedToken.token;
    const own = [...(chosen === null ? [] : [chosen]), ...tokenSelection.ids];
    const others =
      viewSettings.trails === "movers" ? biggestMovers.farthest(MAX_TRAILED_MOVERS) : [];
    return [...new Set([...own, ...others])].slice(0, MAX_TRAILS);
  });

  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly app: TrailSources) {
    // A change of the question starts over; a layout that follows extends the trails.
    $effect(() => {
      void this.question;
      untrack(() => this.restart());
      return () => this.close();
    });
    $effect(() => {
      const { layout } = app;
      if (layout) untrack(() => this.extend(layout));
    });
  }

  /** Everything that the trails depend on, except for time simply going on. */
  private readonly question = $derived.by(() => {
    const { run, viewSettings, layout } = this.app;
    const map = [layout?.method, layout?.drawnBy, run?.reprojected, viewSettings.stepsBack];
    return [
      run?.id,
      ...map,
      run?.replay?.from,
      run?.paused,
      run?.connectionState.state,
      ...this.ids,
    ].join();
  });

  private close() {
    this.abort?.abort();
    clearTimeout(this.timer);
  }

  private restart() {
    const { ids } = this;
    this.close();
    this.problem = null;
    this.current = this.current.filter(({ id }) => ids.includes(id));
    if (ids.length && this.app.layout) {
      this.timer = setTimeout(() => void this.fetchTrails(ids), DEBOUNCE);
    } else this.span = null;
  }

  private extend(layout: Layout) {
    const { span } = this;
    if (!this.current.length || !span || layout.step === span.to) return;
    const { run, viewSettings } = this.app;
    // A jump or a scrub skips layouts, so the trails are fetched again.
    if (layout.step < span.to || run?.paused) {
      this.restart();
      return;
    }
    const from = viewSettings.stepsBack
      ? Math.max(span.from, layout.step - viewSettings.stepsBack)
      : span.from;
    this.current = this.current.map((trail) => extendTrail(trail, layout, from));
    this.span = { from, to: layout.step };
  }

  private async fetchTrails(ids: number[]) {
    const { run, viewSettings, layout } = this.app;
    if (!run || !layout) return;
    const { signal } = (this.abort = new AbortController());
    const to = layout.step;
    try {
      let from = viewSettings.stepsBack ? Math.max(0, to - viewSettings.stepsBack) : 0;
      if (layout.method === "linear" && !(run.reprojected && run.replay)) {
        // Before the directions of the linear view were chosen, a row at rest could move on it; no
        // trail covers that time.
        const { linear } = await requestJson<MapSettings>(runPath(run.id, "map"), { signal });
        from = Math.min(to, Math.max(from, linear?.step ?? 0));
      }
      const found = await this.fetchPlaces(run.id, layout.method, { from, to }, ids, signal);
      // Layouts that arrived meanwhile are appended with the newest one.
      this.current = buildTrails(ids, found.steps, found.places, placeTolerance(layout)).map(
        thinTrail,
      );
      this.span = { from: Math.max(from, found.steps[0] ?? from), to };
      this.problem = null;
      const newest = this.app.layout;
      if (newest && newest.method === layout.method) this.extend(newest);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.current = [];
      this.problem = error.failure;
    }
  }

  private async fetchPlaces(
    run: string,
    method: string,
    { from, to }: { from: number; to: number },
    ids: number[],
    signal: AbortSignal,
  ): Promise<LayoutPlaces> {
    const set = this.app.run?.reprojected && this.app.run.replay ? "&set=again" : "";
    const query = `places?from=${from}&to=${to}&method=${method}&token_ids=${ids.join()}&format=json${set}`;
    try {
      return await requestJson<LayoutPlaces>(runPath(run, query), { signal });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 422) throw error;
      return requestJson<LayoutPlaces>(runPath(run, `${query}&every=${SPARSE_INTERVAL}`), {
        signal,
      });
    }
  }
}
