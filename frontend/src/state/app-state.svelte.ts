/**
 * The state of the whole page: the session, the open run and how it is viewed. The URL follows it.
 */

import { untrack } from "svelte";
import { ask, runPath, send, type Run, type Session, type Token } from "../api/rest";
import { Refusal } from "../api/failure";
import type { Layout } from "../api/frames";
import { readAddress, writeAddress } from "../model/view-state";
import { Comfort } from "./view/preferences.svelte";
import { Gathered } from "./tokens/token-selection.svelte";
import { LiveRun } from "./run/live-run.svelte";
import { Moves, type Wanted } from "./tokens/biggest-movers.svelte";
import { Selection } from "./tokens/focused-token.svelte";
import type { When } from "./run/time-control.svelte";
import { Viewing } from "./view/view-settings.svelte";

const LOOK_AGAIN = 5_000;
/**
 * Debounce before the URL follows the view, in ms: browsers limit URL changes to a few a second.
 */
const WRITE_LATE = 250;

export class App {
  session = $state.raw<Session | null>(null);
  runs = $state.raw<Run[] | null>(null);
  /** Set when the server did not answer the last request for the list of runs. */
  unreachable = $state(false);
  run = $state.raw<LiveRun | null>(null);
  selection = $state.raw<Selection | null>(null);
  shortcuts = $state(false);
  readonly comfort = new Comfort();

  private readonly wish = readAddress(location.search);
  readonly viewing = new Viewing(this.wish);
  /** How far each row has moved; requested only while the map shows it. */
  moves!: Moves;
  readonly gathered = new Gathered(this.wish);

  /** The layout to show: that of the chosen method, or the linear one until that exists. */
  layout: Layout | null = $derived.by(() => {
    const layouts = this.run?.layouts;
    return layouts?.[this.viewing.method] ?? layouts?.linear ?? layouts?.umap ?? null;
  });

  /** Resolves when it is worth showing another past step: once the map has drawn the last one. */
  painted: () => Promise<void> = () => Promise.resolve();

  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    if (this.wish.run) this.open(this.wish.run, this.wish.token, this.wish);
    addEventListener("popstate", () => {
      const there = readAddress(location.search);
      if (there.run && there.run !== this.run?.id) {
        this.open(there.run, there.token, there);
      } else this.selection?.choose(there.token);
    });
    $effect.root(() => {
      this.moves = new Moves(
        () => this.movesWanted(),
        () => this.run?.at ?? this.run?.counters?.step ?? 0,
      );
      $effect(() => this.run?.lookAt(this.viewing.method));
      $effect(() => {
        const query = this.query();
        const timer = setTimeout(() => this.write(query), WRITE_LATE);
        return () => clearTimeout(timer);
      });
      $effect(() => this.selection?.show(this.run?.at ?? null));
      $effect(() => {
        const { vocabulary = null, districts = null } = this.run ?? {};
        // A link may name a token that does not exist.
        if (vocabulary && !((this.selection?.token ?? 0) < vocabulary.tokens.length))
          this.selection?.refuse({ code: "noToken" });
        untrack(() => this.gathered.resolve(vocabulary, districts));
      });
    });
    void this.look();
  }

  get presenter(): boolean {
    return this.session?.presenter ?? false;
  }

  /** Open a run, live or at another point in time. */
  open(
    id: string,
    token: number | null = null,
    when: When = { from: null, speed: null, at: null },
  ) {
    this.run?.close();
    this.selection?.close();
    const run = new LiveRun(id, when, () => this.painted());
    run.setBeatInterval(this.beatInterval);
    let seen = -1;
    // A link names a district only for its own run; another run starts without one.
    if (this.run || id !== this.wish.run) {
      this.viewing.district = null;
      this.viewing.details.forget();
      this.gathered.leave();
    }
    this.run = run;
    this.selection = new Selection(id, () => {
      const step = run.counters?.step ?? 0;
      const fresh = step !== seen;
      seen = step;
      return fresh;
    });
    if (token !== null) this.selection.choose(token);
    this.write(this.query(), true);
  }

  private beatInterval = 700;

  setBeatInterval(milliseconds: number) {
    this.beatInterval = milliseconds;
    this.run?.setBeatInterval(milliseconds);
  }

  choose(token: number | null) {
    this.selection?.choose(token);
    if (token !== null) this.viewing.show("token");
  }

  /** Return up to 20 tokens whose text contains `text`. */
  async search(text: string, signal: AbortSignal): Promise<Token[]> {
    if (!this.run || !text) return [];
    const path = runPath(this.run.id, `tokens?search=${encodeURIComponent(text)}&limit=20`);
    return (await ask<{ items: Token[] }>(path, { signal })).items;
  }

  async create(recipe: unknown, file: File | null): Promise<void> {
    let upload: string | undefined;
    if (file) {
      const path = `/api/uploads?name=${encodeURIComponent(file.name)}`;
      upload = (await ask<{ upload: string }>(path, { method: "POST", body: file })).upload;
    }
    const run = await send<Run>("/api/runs", upload ? { recipe, upload } : { recipe });
    this.open(run.id);
    void this.look();
  }

  async remove(id: string): Promise<void> {
    await ask(runPath(id), { method: "DELETE" });
    if (this.run?.id === id) {
      this.run.close();
      this.selection?.close();
      this.run = this.selection = null;
    }
    await this.look();
  }

  /** Fetch the session and the list of runs, and again every few seconds. */
  look = async () => {
    clearTimeout(this.timer);
    try {
      const [session, runs] = await Promise.all([
        ask<Session>("/api/session"),
        ask<{ items: Run[] }>("/api/runs"),
      ]);
      this.session = session;
      this.runs = runs.items;
      this.unreachable = false;
      if (!this.run) this.openSome();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.unreachable = true;
    } finally {
      this.timer = setTimeout(() => void this.look(), LOOK_AGAIN);
    }
  };

  /** Open the run in progress, or else the newest readable one. */
  private openSome() {
    const readable = (this.runs ?? []).filter((run) => run.readable);
    readable.sort((a, b) => (b.created ?? 0) - (a.created ?? 0));
    const some = readable.find((run) => run.status?.alive) ?? readable[0];
    if (some) this.open(some.id, this.wish.run === null ? this.wish.token : null);
  }

  /** True once the run's current step is known. */
  private readonly counted = $derived(this.run?.counters != null);

  private movesWanted(): Wanted | null {
    const { run, viewing } = this;
    if (
      !run?.vocabulary ||
      !this.counted ||
      (viewing.colourBy !== "moved" && viewing.trails !== "movers")
    )
      return null;
    return { run: run.id, vocabulary: run.vocabulary.tokens.length, over: viewing.over };
  }

  private query(): string {
    return writeAddress({
      run: this.run?.id ?? null,
      token: this.selection?.token ?? null,
      ...this.viewing.address(),
      ...this.gathered.address(),
      ...this.run?.when,
    });
  }

  private write(query: string, step = false) {
    if (query === location.search) return;
    const address = location.pathname + query;
    if (step && readAddress(location.search).run) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  }
}
