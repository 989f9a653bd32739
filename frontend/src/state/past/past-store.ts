/**
 * The store of a run's past steps, as the server recorded them: fetched on demand and cached.
 *
 * The light of 64 steps is fetched at once, as a census and the pulses after it; so are the maps of
 * those steps, unless they are large. Districts are fetched one by one. Prefetching uses few
 * requests, and they are aborted as soon as another step becomes likelier.
 */

import type { Census, Districts, Frame, Layout, Method, Pulse } from "../../api/frames";
import { ask, runPath } from "../../api/rest";
import { Refusal } from "../../api/failure";
import { FrameCache, type Wanted } from "./frame-cache";
import { Ledger } from "../../model/touch-counts";
import type { Layouts } from "../shown-step.svelte";
import { allAlong, inOrder, middleOf, placeAt, STRETCH, stretchOf, type Made } from "./step-ranges";

/** Byte budget of the frame cache. */
const MOST = 64 << 20;
/**
 * Parallel requests for steps that a scrub may pass, and their share of the byte budget; the rest
 * is for the steps actually shown.
 */
const BESIDES = 3;
const BESIDES_MOST = MOST / 2;
/**
 * Vocabulary size up to which the maps of a whole range are fetched together: many small responses
 * cost more than they hold.
 */
const SMALL = 8_192;

/** Everything that can be shown of one step. */
export interface Moment {
  attempt: number;
  step: number;
  /** The step's pulse; null for the state before the first step. */
  pulse: Pulse | null;
  ledger: Ledger;
  /** For each view, the last map made at or before the step, or else the first map made at all. */
  layouts: Layouts;
  districts: Districts | null;
}

interface Index {
  layouts: Record<Method, Made[]>;
  districts: Made[];
}

/** A request for a map, which may come with others, and the step it was made for. */
type WantedMap = [...Wanted, made: number];

export class Past {
  private readonly cache = new FrameCache(MOST, () => {
    // The index is out of date: the map was thinned out since, or its attempt was superseded.
    this.index = null;
  });
  private index: Promise<Index> | null = null;
  /** Part of the cache keys; a new value invalidates the cached light. */
  private line = 0;
  /** Set to show the reprojected maps instead of those made live. */
  private again = false;
  /**
   * Identity of the skim in progress, so that a newer one can tell itself from an older; null:
   * none.
   */
  private skimming: object | null = null;

  /** Open an empty store. `newest` returns the newest step and attempt of the run. */
  constructor(
    private readonly run: string,
    private readonly vocabulary: number,
    private readonly now: () => Made,
    private readonly signal: AbortSignal,
  ) {
    signal.addEventListener("abort", () => {
      this.endSkim();
      this.cache.close();
    });
  }

  /**
   * Invalidate what is cached by step: another attempt took steps, or the other set of maps is to
   * be shown.
   */
  renew(again: boolean) {
    this.again = again;
    this.index = null;
    this.line += 1;
  }

  /** Invalidate the index after a lost connection: the maps made meanwhile are missing from it. */
  missed() {
    this.index = null;
  }

  /** Stop prefetching and drop the index, while nobody looks at the past. */
  rest() {
    this.endSkim();
    this.cache.giveUp(new Set());
    this.index = null;
  }

  /** Add a new map, or new districts, to the index if it is loaded. */
  note(frame: Layout | Districts) {
    this.listed(({ layouts, districts }) => {
      const made = frame.kind === "layout" ? layouts[frame.method] : districts;
      const { attempt, step } = frame;
      if ((made.at(-1)?.step ?? -1) < step) made.push({ attempt, step });
    });
  }

  /**
   * Fetch all that is shown of a step, with the maps of the given views. Throws `ApiError` with the
   * server's reason.
   */
  async moment(step: number, methods: readonly Method[]): Promise<Moment> {
    const [light, layouts, districts] = await Promise.all([
      this.light(step),
      this.layouts(step, methods),
      this.districts(step),
    ]);
    const [census, ...pulses] = light as [Census, ...Pulse[]];
    const ledger = new Ledger(this.vocabulary);
    ledger.begin(census);
    for (const pulse of pulses) if (pulse.step <= step) ledger.add(pulse);
    const pulse = pulses.find((one) => one.step === step) ?? null;
    return { attempt: ledger.attempt, step, pulse, ledger, layouts, districts };
  }

  /** Return whether the limit on parallel requests is reached. */
  get busy(): boolean {
    return this.cache.busy;
  }

  /** Wait until any requested frames arrive. */
  news(): Promise<void> {
    return this.cache.news();
  }

  /**
   * Return the fully cached step nearest to `step`, on the way there from `from`; `step` itself if
   * it is cached, null if none is.
   */
  async nearest(step: number, from: number, methods: readonly Method[]): Promise<number | null> {
    const index = await this.list();
    const back = step < from;
    let { first } = stretchOf(step);
    let place = step;
    while (back ? place < from : place > from) {
      if (this.keeps(index, place, methods)) return place;
      const middle = middleOf(place);
      const between = back ? place < middle && middle < from : from < middle && middle < place;
      if (between && this.keeps(index, middle, methods)) return middle;
      first += back ? STRETCH : -STRETCH;
      place = back ? first : first + STRETCH - 1;
    }
    return null;
  }

  private keeps(index: Index, step: number, methods: readonly Method[]): boolean {
    const light = this.cache.get(this.lightWanted(step)[0]);
    return (
      light !== undefined &&
      reaches(light, step) &&
      [...this.layoutsWanted(index, step, methods), ...this.districtsWanted(index, step)].every(
        ([key]) => this.cache.has(key),
      )
    );
  }

  /** Fetch the maps that belong to a step, one for each view. */
  async layouts(step: number, methods: readonly Method[]): Promise<Layouts> {
    const found = await this.listedStill((index) =>
      Promise.all(this.layoutsWanted(index, step, methods).map((one) => this.layout(one))),
    );
    return Object.fromEntries(found.map((layout) => [layout.method, layout]));
  }

  private async layout([key, path, made]: WantedMap): Promise<Layout> {
    const frames = (await this.cache.fetch([key, path])) as Layout[];
    const layout = frames.find(({ step }) => step === made);
    if (layout) return layout;
    // The map was thinned out since the index was read.
    this.cache.delete(key);
    this.index = null;
    throw new Refusal(404, { code: "noMapAt", step: made });
  }

  /**
   * Run `find` with the index; once more with a fresh index if the server lacks what the old one
   * names.
   */
  private async listedStill<Found>(find: (index: Index) => Promise<Found>): Promise<Found> {
    try {
      return await find(await this.list());
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 404) throw error;
      return find(await this.list());
    }
  }

  /**
   * Return the steps that a view's map was made for: the last at or before `step`, and the next
   * one.
   */
  async drawn(step: number, method: Method): Promise<{ at: number | null; next: number | null }> {
    const made = (await this.list()).layouts[method];
    const place = placeAt(made, step);
    return { at: made[place]?.step ?? null, next: made[place + 1]?.step ?? null };
  }

  /**
   * Prefetch steps, likeliest first. Earlier prefetches that are no longer likely are aborted,
   * except during a scrub (`passing`).
   */
  ahead(steps: readonly number[], methods: readonly Method[], passing = false) {
    if (!passing) this.endSkim();
    this.listed((index) => {
      const wanted = this.lacking(index, steps, methods);
      if (!passing) this.cache.giveUp(new Set(wanted.map(([key]) => key)));
      for (const one of wanted) {
        if (this.busy) break;
        this.cache.fetch(one, true).catch(() => undefined);
      }
    });
  }

  /**
   * Prefetch steps all along the run for a scrub, far apart first. It ends with `endSkim`, when a
   * step is shown outside a scrub, or when a request fails.
   */
  async skim(methods: readonly Method[]) {
    if (this.skimming) return;
    const own = (this.skimming = {});
    const end = () => {
      if (this.skimming === own) this.skimming = null;
    };
    try {
      const index = await this.list();
      const before = this.cache.bytes;
      for (const step of allAlong(this.now().step)) {
        for (const one of this.lacking(index, [step], methods)) {
          while (this.cache.asking >= BESIDES && this.skimming === own) await this.cache.settled();
          if (this.skimming !== own || this.cache.bytes - before > BESIDES_MOST) return;
          this.cache.fetch(one, true).catch(end);
        }
      }
    } finally {
      end();
    }
  }

  /** Stop prefetching for a scrub. */
  endSkim() {
    this.skimming = null;
  }

  /** Return the requests that these steps need and the cache lacks, each once. */
  private lacking(index: Index, steps: readonly number[], methods: readonly Method[]): Wanted[] {
    const newest = this.now().step;
    const wanted = new Map<string, Wanted>();
    for (const step of steps) {
      if (step < 0 || step > newest) continue;
      for (const [key, path] of [
        this.lightWanted(step),
        ...this.layoutsWanted(index, step, methods),
        ...this.districtsWanted(index, step),
      ]) {
        if (!this.cache.has(key)) wanted.set(key, [key, path]);
      }
    }
    return [...wanted.values()];
  }

  private list(): Promise<Index> {
    const asked = (this.index ??= this.fetchIndex());
    asked.catch(() => {
      if (this.index === asked) this.index = null;
    });
    return asked;
  }

  /** Run `then` once the index is loaded, if it was requested. */
  private listed(then: (index: Index) => void) {
    // The caller that requested the index handles its failure.
    this.index?.then(then, () => undefined);
  }

  private async fetchIndex(): Promise<Index> {
    const [umap, linear, districts] = await Promise.all([
      this.made(`layouts?method=umap${this.again ? "&set=again" : ""}`),
      this.made(`layouts?method=linear${this.again ? "&set=again" : ""}`),
      this.made("districts/steps"),
    ]);
    return { layouts: { umap, linear }, districts };
  }

  private async made(path: string): Promise<Made[]> {
    const all: Made[] = [];
    let next: string | null = this.address(path);
    while (next) {
      const page: { items: Made[]; next?: string | null } = await ask(next, {
        signal: this.signal,
      });
      all.push(...page.items);
      next = page.next ?? null;
    }
    return inOrder(all);
  }

  private async light(step: number): Promise<Frame[]> {
    const wanted = this.lightWanted(step);
    const kept = this.cache.get(wanted[0]);
    // The newest range was incomplete when it was fetched.
    if (kept && !reaches(kept, step)) this.cache.delete(wanted[0]);
    const frames = await this.cache.fetch(wanted);
    if (frames[0]?.kind === "census" && reaches(frames, step)) return frames;
    // For a step that does not exist, the server's error names those that do.
    await ask(this.address(`steps/${step}`), { signal: this.signal });
    throw new Refusal(404, { code: "noStep", step });
  }

  private lightWanted(step: number): Wanted {
    const { first, last } = stretchOf(step);
    const to = Math.max(step, Math.min(last, this.now().step));
    const path = `steps?from=${first}&to=${to}&every=1&format=frame&census=true`;
    return [`light ${this.line} ${first}`, this.address(`${path}${this.lasting(to)}`)];
  }

  private layoutsWanted(index: Index, step: number, methods: readonly Method[]): WantedMap[] {
    const there = methods.filter((method) => index.layouts[method].length);
    const either = (["linear", "umap"] as const).filter((method) => index.layouts[method].length);
    return (there.length ? there : either.slice(0, 1)).map((method) => {
      const made = index.layouts[method];
      const one = made[placeAt(made, step)] ?? made[0]!;
      let [from, to] = [one, one];
      if (this.vocabulary <= SMALL) {
        const { first, last } = stretchOf(one.step);
        from = made[placeAt(made, first === 1 ? -1 : first - 1) + 1]!;
        to = made[placeAt(made, last)]!;
      }
      const of = this.again ? "&set=again" : "";
      const path = `places?from=${from.step}&to=${to.step}&method=${method}&format=frame${of}`;
      const key = `layouts ${of} ${method} ${from.step} ${to.attempt} ${to.step}`;
      return [key, this.address(path), one.step];
    });
  }

  private districts(step: number): Promise<Districts | null> {
    return this.listedStill(async (index) => {
      const [wanted] = this.districtsWanted(index, step);
      return wanted ? ((await this.cache.fetch(wanted))[0] as Districts) : null;
    });
  }

  private districtsWanted({ districts }: Index, step: number): Wanted[] {
    const one = districts[placeAt(districts, step)];
    if (!one) return [];
    const path = this.address(`districts?step=${one.step}&format=frame`);
    return [[`districts ${one.attempt} ${one.step}`, path]];
  }

  /**
   * Return the query parameter that makes a response cacheable in the browser; `""` where the
   * attempt of the steps is uncertain.
   */
  private lasting(to: number): string {
    const { attempt, step } = this.now();
    return attempt === 1 && to <= step ? "&attempt=1" : "";
  }

  private address(path: string): string {
    return runPath(this.run, path);
  }
}

/** Return whether a range was complete enough, when it was fetched, to include that step. */
function reaches(frames: Frame[], step: number): boolean {
  return step === 0 || (frames.at(-1)?.step ?? 0) >= step;
}
