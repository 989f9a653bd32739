/**
 * The trails of some tokens over the last steps: fetched when the request changes, then extended by each new
 * layout.
 */

import { untrack } from "svelte";
import type { Layout } from "../../api/frames";
import { requestJson, runPath } from "../../api/rest";
import type { Answer, MapSettings } from "../../api/rest-types";
import { ApiError, type Failure } from "../../api/failure";
import type { TokenTrail } from "../../model/plane/trail";
import { Query } from "../query/query.svelte";
import type { LiveRun } from "../run/live-run.svelte";
import type { OpenRun } from "../run/open-run.svelte";
import type { BiggestMovers } from "../tokens/biggest-movers.svelte";
import type { TokenFocus } from "../tokens/token-focus.svelte";
import type { TokenSelection } from "../tokens/token-selection.svelte";
import type { ViewSettings } from "./view-settings.svelte";
import { placementOf, positionOf, quantisationStep } from "../../model/plane/placement";

/** Limit on the points of a trail; a longer one keeps evenly spaced points and the last. */
const MAX_POINTS = 72;
/** Quantisation steps within which two positions count as the same. */
const SAME_PLACE_STEPS = 3;

/** Return the distances in x and in y up to which two positions of a map count as the same. */
export function placeTolerance({ x0, x1, y0, y1 }: Layout): [number, number] {
  return [SAME_PLACE_STEPS * quantisationStep(x0, x1), SAME_PLACE_STEPS * quantisationStep(y0, y1)];
}

/** Append a position to a trail, unless the token has not moved. */
function appendPoint(
  trail: TokenTrail,
  step: number,
  x: number,
  y: number,
  tolerance: [number, number],
) {
  const { steps, xs, ys } = trail;
  const last = steps.length - 1;
  const here =
    last >= 0 && Math.abs(xs[last]! - x) <= tolerance[0] && Math.abs(ys[last]! - y) <= tolerance[1];
  if (here) return;
  steps.push(step);
  xs.push(x);
  ys.push(y);
}

/** Build trails from several layouts; `places` is by layout, then by token. */
export function buildTrails(
  ids: number[],
  steps: number[],
  places: [number, number][][],
  tolerance: [number, number],
): TokenTrail[] {
  return ids.map((id, at) => {
    const trail: TokenTrail = { id, steps: [], xs: [], ys: [] };
    places.forEach((layout, i) => appendPoint(trail, steps[i]!, ...layout[at]!, tolerance));
    return trail;
  });
}

/** Extend a trail with a new layout, and drop the part before `from`. */
export function extendTrail(trail: TokenTrail, layout: Layout, from: number): TokenTrail {
  const [x, y] = positionOf(placementOf(layout), trail.id);
  const longer = dropBefore(trail, 0);
  appendPoint(longer, layout.step, x, y, placeTolerance(layout));
  // The last position before `from` is the token's position at `from`.
  let first = 0;
  while (first + 1 < longer.steps.length && longer.steps[first + 1]! <= from) first += 1;
  return first === 0 ? longer : dropBefore(longer, first);
}

/** Thin a trail to few enough points to draw, evenly chosen; the first and the last stay. */
export function thinTrail(trail: TokenTrail): TokenTrail {
  const { id, steps, xs, ys } = trail;
  const every = Math.ceil(steps.length / MAX_POINTS);
  if (every <= 1) return trail;
  const last = steps.length - 1;
  const keep = (_: number, at: number) => at === last || at % every === 0;
  return { id, steps: steps.filter(keep), xs: xs.filter(keep), ys: ys.filter(keep) };
}

function dropBefore({ id, steps, xs, ys }: TokenTrail, first: number): TokenTrail {
  return { id, steps: steps.slice(first), xs: xs.slice(first), ys: ys.slice(first) };
}

/** Limits on the biggest movers with a trail, and on the tokens in total. */
export const MAX_TRAILED_MOVERS = 8;
const MAX_TRAILS = 24;
/** Debounce in ms: during a scrub the trails wait until the pointer rests. */
const DEBOUNCE = 250;
/** Interval of the layouts fetched from a run with too many to fetch at once. */
const SPARSE_INTERVAL = 20;

type LayoutPlaces = Answer<"GET /api/runs/{run}/places">;

/** The stores that trails depend on. */
interface TrailSources {
  readonly openRun: OpenRun;
  readonly viewSettings: ViewSettings;
  readonly biggestMovers: BiggestMovers;
  readonly focus: TokenFocus;
  readonly selection: TokenSelection;
}

/** Trails, and the steps that they cover. */
interface CoveredTrails {
  trails: TokenTrail[];
  from: number;
  to: number;
}

export class Trails {
  private readonly query = new Query<CoveredTrails>();

  /** Trails of the focused token, of the selected ones, and of the others. */
  readonly current: TokenTrail[] = $derived(this.query.value?.trails ?? []);

  /** Tokens with a trail, in that order. */
  readonly ids: number[] = $derived.by(() => {
    const { viewSettings, focus, biggestMovers, selection } = this.sources;
    if (viewSettings.trails === "none") return [];
    const chosen = focus.token;
    const own = [...(chosen === null ? [] : [chosen]), ...selection.ids];
    const others =
      viewSettings.trails === "movers" ? biggestMovers.farthest(MAX_TRAILED_MOVERS) : [];
    return [...new Set([...own, ...others])].slice(0, MAX_TRAILS);
  });

  constructor(private readonly sources: TrailSources) {
    // A change of the request starts over; a new layout extends the trails.
    $effect(() => {
      void this.question;
      untrack(() => this.restart());
    });
    $effect(() => {
      const { layout } = sources.openRun;
      if (layout && this.query.value) untrack(() => this.extend(layout));
    });
    $effect(() => () => this.query.close());
  }

  /** Return the steps that the trails cover; null if not known. */
  get span(): { from: number; to: number } | null {
    return this.query.value;
  }

  get problem(): Failure | null {
    return this.query.problem;
  }

  /** The map that the trails are on. */
  private readonly map = $derived.by(() => {
    const { run, layout } = this.sources.openRun;
    return [run?.id, layout?.method, layout?.drawnBy, run?.showsReprojected].join();
  });

  /** Everything that the trails depend on, except the passing of time. */
  private readonly question = $derived.by(() => {
    const { openRun, viewSettings } = this.sources;
    const { run } = openRun;
    const position = [run?.replay?.from, run?.paused, run?.stream.state.state];
    return [this.map, viewSettings.stepsBack, ...position, ...this.ids].join();
  });

  private restart() {
    const { query, ids, map } = this;
    const { run, layout } = this.sources.openRun;
    if (!ids.length || !run || !layout) {
      query.ask(null);
      return;
    }
    const fetch = (signal: AbortSignal) =>
      this.fetchTrails(run, this.sources.openRun.layout ?? layout, ids, signal);
    query.ask({ key: null, subject: map, fetch }, DEBOUNCE);
    const { value } = query;
    const trails = value?.trails.filter(({ id }) => ids.includes(id));
    if (value && trails && trails.length < value.trails.length) query.value = { ...value, trails };
  }

  private extend(layout: Layout) {
    const { query } = this;
    const { openRun, viewSettings } = this.sources;
    const { value } = query;
    if (!value?.trails.length || layout.step === value.to) return;
    // A jump or a scrub skips layouts, so the trails are fetched again.
    if (layout.step < value.to || openRun.run?.paused) {
      this.restart();
      return;
    }
    const from = viewSettings.stepsBack
      ? Math.max(value.from, layout.step - viewSettings.stepsBack)
      : value.from;
    const trails = value.trails.map((trail) => extendTrail(trail, layout, from));
    query.value = { trails, from, to: layout.step };
  }

  private async fetchTrails(
    run: LiveRun,
    layout: Layout,
    ids: number[],
    signal: AbortSignal,
  ): Promise<CoveredTrails> {
    const { stepsBack } = this.sources.viewSettings;
    const to = layout.step;
    let from = stepsBack ? Math.max(0, to - stepsBack) : 0;
    if (layout.method === "linear" && !run.showsReprojected) {
      // Before the directions of the linear view were chosen, a row at rest could move on it; no trail covers
      // that time.
      const { linear } = await requestJson<MapSettings>(runPath(run.id, "map"), { signal });
      from = Math.min(to, Math.max(from, linear?.step ?? 0));
    }
    const { steps, places } = await fetchPlaces(run, layout.method, { from, to }, ids, signal);
    const trails = buildTrails(ids, steps, places, placeTolerance(layout)).map(thinTrail);
    return { trails, from: Math.max(from, steps[0] ?? from), to };
  }
}

async function fetchPlaces(
  run: LiveRun,
  method: string,
  { from, to }: { from: number; to: number },
  ids: number[],
  signal: AbortSignal,
): Promise<LayoutPlaces> {
  const set = run.showsReprojected ? "&set=again" : "";
  const query = `places?from=${from}&to=${to}&method=${method}&token_ids=${ids.join()}&format=json${set}`;
  const request = (path: string) => requestJson<LayoutPlaces>(runPath(run.id, path), { signal });
  try {
    return await request(query);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 422) throw error;
    return request(`${query}&every=${SPARSE_INTERVAL}`);
  }
}
