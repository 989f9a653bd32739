/**
 * Where some tokens went on the map over the last steps: asked for when something else is wanted, and then longer with
 * each layout that comes.
 */

import { untrack } from "svelte";
import type { Layout } from "../wire/frames";
import { ask, Refusal, runPath, type Drawing } from "../wire/rest";
import { grain, grown, thinned, trailsOf, type Trail } from "./trail";
import type { App } from "./app.svelte";

/** The biggest movers that leave a trail, and tokens in all. */
export const MOVERS = 8;
const MOST = 24;
/** While one scrubs, the trail waits for the hand to rest, in ms. */
const SETTLED = 250;
/** Of a long run every so-manieth layout is enough, if all are too many at once. */
const SPARSE = 20;

interface Places {
  steps: number[];
  places: [number, number][][];
}

export class Trails {
  /** The chosen token's, those of gathered ones, and the others'. */
  now = $state.raw<Trail[]>([]);
  /** The steps they lead over; null while nothing is known. */
  span = $state.raw<{ from: number; to: number } | null>(null);
  problem = $state<string | null>(null);

  /** Whose they are. */
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

  constructor(private readonly app: App) {
    // Every change of what is asked begins anew; a layout that follows makes it longer.
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

  /** All that the trails follow from, but time that simply goes on. */
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
    // A hand that goes back and forth in time leaps over layouts: then they are asked for.
    if (layout.step < span.to || run?.paused) return this.begin();
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
        // Before its directions were chosen a row that rests could move on it: no trail leads over that.
        const { linear } = await ask<Drawing>(runPath(run.id, "map"), { signal });
        from = Math.min(to, Math.max(from, linear?.step ?? 0));
      }
      const found = await this.places(run.id, layout.method, { from, to }, ids, signal);
      // Layouts that came meanwhile are followed by the next one.
      this.now = trailsOf(ids, found.steps, found.places, grain(layout)).map(thinned);
      this.span = { from: Math.max(from, found.steps[0] ?? from), to };
      this.problem = null;
      const newest = this.app.layout;
      if (newest && newest.method === layout.method) this.follow(newest);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      this.now = [];
      this.problem = error.message;
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
