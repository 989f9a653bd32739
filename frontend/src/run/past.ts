/**
 * Moments of a run's past, as the server has them recorded: fetched when they are wanted, kept while there is room.
 *
 * The light of 64 steps comes at once, as a census and the pulses after it, and so do the maps that were made of them,
 * unless they are large; districts come one by one. Of what is only likely to be wanted next little is asked for at
 * once, and that is given up as soon as something else is likelier.
 */

import { failures } from "../strings/failures";
import type { Census, Districts, Frame, Layout, Method, Pulse } from "../wire/frames";
import { ask, Refusal, runPath } from "../wire/rest";
import { FrameCache, type Wanted } from "./framecache";
import { Ledger } from "./ledger";
import type { Layouts } from "./shown.svelte";
import { allAlong, inOrder, middleOf, placeAt, STRETCH, stretchOf, type Made } from "./stretch";

/** Bytes of frames that are kept. */
const MOST = 64 << 20;
/** Requests at once for what a hand that drags may come by; and the bytes of it: the rest is for where it went. */
const BESIDES = 3;
const BESIDES_MOST = MOST / 2;
/** Of so many tokens the maps of a whole stretch are fetched together: many small answers cost more than they hold. */
const SMALL = 8_192;

/** Everything that can be shown of one step. */
export interface Moment {
  attempt: number;
  step: number;
  /** What the step did; null for the state before the first. */
  pulse: Pulse | null;
  ledger: Ledger;
  /** Of each view the last map made at or before the step; where there is none, the first that was made at all. */
  layouts: Layouts;
  districts: Districts | null;
}

interface Index {
  layouts: Record<Method, Made[]>;
  districts: Made[];
}

/** A map among those asked for together: the step that it was made for. */
type WantedMap = [...Wanted, made: number];

export class Past {
  private readonly cache = new FrameCache(MOST, () => {
    // A map that was thinned out since, or of a superseded attempt: the list of them is old.
    this.index = null;
  });
  private index: Promise<Index> | null = null;
  /** Changes when what was fetched may not count any more. */
  private line = 0;
  /** Maps as they were laid out anew, not as they were made live. */
  private again = false;
  /** All along the run is being fetched; another object when it was begun anew. */
  private skimming: object | null = null;

  /** `now` says the newest step and attempt of the run. */
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

  /** Another attempt took steps, or other maps shall be shown: what is known by step is asked for again. */
  renew(again: boolean) {
    this.again = again;
    this.index = null;
    this.line += 1;
  }

  /** The line was lost for a while: what was drawn meanwhile is in no list yet. */
  missed() {
    this.index = null;
  }

  /** Nobody looks at the past any more: what is new is not followed, and nothing is on its way. */
  rest() {
    this.endSkim();
    this.cache.giveUp(new Set());
    this.index = null;
  }

  /** Something was drawn or found while somebody looked at the past. */
  note(frame: Layout | Districts) {
    this.listed(({ layouts, districts }) => {
      const made = frame.kind === "layout" ? layouts[frame.method] : districts;
      const { attempt, step } = frame;
      if ((made.at(-1)?.step ?? -1) < step) made.push({ attempt, step });
    });
  }

  /** The moment of a step, with the maps of some views. Throws `Refusal` with the server's reason. */
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

  /** As much is being asked for as can be at once. */
  get busy(): boolean {
    return this.cache.busy;
  }

  /** Resolves when something that was asked for has come. */
  news(): Promise<void> {
    return this.cache.news();
  }

  /**
   * The step nearest to `step`, on the way there from `from`, that can be shown at once since all of it is kept;
   * null where there is none. `step` itself, where it can.
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

  /** The maps that belong to a step. */
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
    // It was thinned out since.
    this.cache.delete(key);
    this.index = null;
    throw new Refusal(404, failures.noMapAt(made));
  }

  /** What was found by the list; by a new one, once, where the server does not have what the list names. */
  private async listedStill<Found>(find: (index: Index) => Promise<Found>): Promise<Found> {
    try {
      return await find(await this.list());
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 404) throw error;
      return find(await this.list());
    }
  }

  /** The steps for which a view's map was made: the last at or before `step`, and the one after that. */
  async drawn(step: number, method: Method): Promise<{ at: number | null; next: number | null }> {
    const made = (await this.list()).layouts[method];
    const place = placeAt(made, step);
    return { at: made[place]?.step ?? null, next: made[place + 1]?.step ?? null };
  }

  /**
   * What may be wanted next, the likeliest first. What was likely before and is not now is given up, unless the hand
   * that drags is `passing` it.
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
   * Somebody may drag through the run: fetch all along it, far apart first, until `endSkim`, until a step is shown
   * to somebody who stands, or until something does not come.
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

  /** Nobody is going to drag just now. */
  endSkim() {
    this.skimming = null;
  }

  /** What is not kept of what steps need, each once. */
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

  /** Do something once the list is there, if anybody wants it. */
  private listed(then: (index: Index) => void) {
    // Whoever waits for the list hears why it did not come.
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
    // The newest stretch was not whole when it was fetched.
    if (kept && !reaches(kept, step)) this.cache.delete(wanted[0]);
    const frames = await this.cache.fetch(wanted);
    if (frames[0]?.kind === "census" && reaches(frames, step)) return frames;
    // There is no such step: the server says which there are.
    await ask(this.address(`steps/${step}`), { signal: this.signal });
    throw new Refusal(404, failures.noStep(step));
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

  /** With the attempt named, a browser keeps the answer; it is known where there was but one. */
  private lasting(to: number): string {
    const { attempt, step } = this.now();
    return attempt === 1 && to <= step ? "&attempt=1" : "";
  }

  private address(path: string): string {
    return runPath(this.run, path);
  }
}

/** A stretch was whole enough, when it was fetched, to hold that step. */
function reaches(frames: Frame[], step: number): boolean {
  return step === 0 || (frames.at(-1)?.step ?? 0) >= step;
}
