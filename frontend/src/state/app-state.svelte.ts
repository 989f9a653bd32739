/**
 * The state of the whole page: the session, the open run and how it is viewed. The URL follows it.
 */

import { untrack } from "svelte";
import { requestJson, runPath, sendJson } from "../api/rest";
import type { Answer, PartialRecipe, Run, Session, Token } from "../api/rest-types";
import { ApiError } from "../api/failure";
import type { Layout } from "../api/frames";
import { parseViewState, formatViewState } from "../model/view-state";
import { Preferences } from "./view/preferences.svelte";
import { TokenSelection } from "./tokens/token-selection.svelte";
import { LiveRun } from "./run/live-run.svelte";
import { BiggestMovers, type MoversRequest } from "./tokens/biggest-movers.svelte";
import { FocusedToken } from "./tokens/focused-token.svelte";
import type { TimePosition } from "./run/time-control.svelte";
import { ViewSettings } from "./view/view-settings.svelte";

const POLL_INTERVAL = 5_000;
/**
 * Debounce before the URL follows the view, in ms: browsers limit URL changes to a few a second.
 */
const URL_DELAY = 250;

export class AppState {
  session = $state.raw<Session | null>(null);
  runs = $state.raw<Run[] | null>(null);
  /** Set when the server did not answer the last request for the list of runs. */
  unreachable = $state(false);
  run = $state.raw<LiveRun | null>(null);
  focusedToken = $state.raw<FocusedToken | null>(null);
  shortcuts = $state(false);
  readonly preferences = new Preferences();

  private readonly initialView = parseViewState(location.search);
  readonly viewSettings = new ViewSettings(this.initialView);
  /** How far each row has moved; requested only while the map shows it. */
  biggestMovers!: BiggestMovers;
  readonly tokenSelection = new TokenSelection(this.initialView);

  /** The layout to show: that of the chosen method, or the linear one until that exists. */
  layout: Layout | null = $derived.by(() => {
    const layouts = this.run?.layouts;
    return layouts?.[this.viewSettings.method] ?? layouts?.linear ?? layouts?.umap ?? null;
  });

  /** Resolves when it is worth showing another past step: once the map has drawn the last one. */
  whenPainted: () => Promise<void> = () => Promise.resolve();

  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    if (this.initialView.run)
      this.open(this.initialView.run, this.initialView.token, this.initialView);
    addEventListener("popstate", () => {
      const there = parseViewState(location.search);
      if (there.run && there.run !== this.run?.id) {
        this.open(there.run, there.token, there);
      } else this.focusedToken?.choose(there.token);
    });
    $effect.root(() => {
      this.biggestMovers = new BiggestMovers(
        () => this.moversRequest(),
        () => this.run?.pastStep ?? this.run?.counters?.step ?? 0,
      );
      $effect(() => this.run?.setMethod(this.viewSettings.method));
      $effect(() => {
        const query = this.query();
        const timer = setTimeout(() => this.writeUrl(query), URL_DELAY);
        return () => clearTimeout(timer);
      });
      $effect(() => this.focusedToken?.setStep(this.run?.pastStep ?? null));
      $effect(() => {
        const { vocabulary = null, districts = null } = this.run ?? {};
        // A link may name a token that does not exist.
        if (vocabulary && !((this.focusedToken?.token ?? 0) < vocabulary.tokens.length))
          this.focusedToken?.reject({ code: "noToken" });
        untrack(() => this.tokenSelection.resolvePending(vocabulary, districts));
      });
    });
    void this.poll();
  }

  get presenter(): boolean {
    return this.session?.presenter ?? false;
  }

  /** Open a run, live or at another point in time. */
  open(
    id: string,
    token: number | null = null,
    when: TimePosition = { from: null, speed: null, at: null },
  ) {
    this.run?.close();
    this.focusedToken?.close();
    const run = new LiveRun(id, when, () => this.whenPainted());
    run.setBeatInterval(this.beatInterval);
    let lastStep = -1;
    // A link names a district only for its own run; another run starts without one.
    if (this.run || id !== this.initialView.run) {
      this.viewSettings.district = null;
      this.viewSettings.details.reset();
      this.tokenSelection.reset();
    }
    this.run = run;
    this.focusedToken = new FocusedToken(id, () => {
      const step = run.counters?.step ?? 0;
      const fresh = step !== lastStep;
      lastStep = step;
      return fresh;
    });
    if (token !== null) this.focusedToken.choose(token);
    this.writeUrl(this.query(), true);
  }

  private beatInterval = 700;

  setBeatInterval(milliseconds: number) {
    this.beatInterval = milliseconds;
    this.run?.setBeatInterval(milliseconds);
  }

  choose(token: number | null) {
    this.focusedToken?.choose(token);
    if (token !== null) this.viewSettings.openPanel("token");
  }

  /** Return up to 20 tokens whose text contains `text`. */
  async search(text: string, signal: AbortSignal): Promise<Token[]> {
    if (!this.run || !text) return [];
    const path = runPath(this.run.id, `tokens?search=${encodeURIComponent(text)}&limit=20`);
    return (await requestJson<Answer<"GET /api/runs/{run}/tokens">>(path, { signal })).items;
  }

  async create(recipe: PartialRecipe, file: File | null): Promise<void> {
    let upload: string | undefined;
    if (file) {
      const path = `/api/uploads?name=${encodeURIComponent(file.name)}`;
      upload = (
        await requestJson<Answer<"POST /api/uploads">>(path, { method: "POST", body: file })
      ).upload;
    }
    const run = await sendJson<"POST /api/runs">(
      "/api/runs",
      upload ? { recipe, upload } : { recipe },
    );
    this.open(run.id);
    void this.poll();
  }

  async remove(id: string): Promise<void> {
    await requestJson(runPath(id), { method: "DELETE" });
    if (this.run?.id === id) {
      this.run.close();
      this.focusedToken?.close();
      this.run = this.focusedToken = null;
    }
    await this.poll();
  }

  /** Fetch the session and the list of runs, and again every few seconds. */
  poll = async () => {
    clearTimeout(this.timer);
    try {
      const [session, runs] = await Promise.all([
        requestJson<Session>("/api/session"),
        requestJson<Answer<"GET /api/runs">>("/api/runs"),
      ]);
      this.session = session;
      this.runs = runs.items;
      this.unreachable = false;
      if (!this.run) this.openDefaultRun();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.unreachable = true;
    } finally {
      this.timer = setTimeout(() => void this.poll(), POLL_INTERVAL);
    }
  };

  /** Open the run in progress, or else the newest readable one. */
  private openDefaultRun() {
    const readable = (this.runs ?? []).filter((run) => run.readable);
    readable.sort((a, b) => (b.created ?? 0) - (a.created ?? 0));
    const some = readable.find((run) => run.status?.alive) ?? readable[0];
    if (some) this.open(some.id, this.initialView.run === null ? this.initialView.token : null);
  }

  /** True once the run's current step is known. */
  private readonly stepKnown = $derived(this.run?.counters != null);

  private moversRequest(): MoversRequest | null {
    const { run, viewSettings } = this;
    if (
      !run?.vocabulary ||
      !this.stepKnown ||
      (viewSettings.colourBy !== "moved" && viewSettings.trails !== "movers")
    )
      return null;
    return {
      run: run.id,
      vocabulary: run.vocabulary.tokens.length,
      stepsBack: viewSettings.stepsBack,
    };
  }

  private query(): string {
    return formatViewState({
      run: this.run?.id ?? null,
      token: this.focusedToken?.token ?? null,
      ...this.viewSettings.toViewState(),
      ...this.tokenSelection.toViewState(),
      ...this.run?.timePosition,
    });
  }

  private writeUrl(query: string, step = false) {
    if (query === location.search) return;
    const address = location.pathname + query;
    if (step && parseViewState(location.search).run) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  }
}
