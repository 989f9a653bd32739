/** The run on the page, and the layout of it on the map. */

import type { Layout, LayoutMethod } from "../../api/frames";
import { requestJson, runPath } from "../../api/rest";
import type { Answer, Token } from "../../api/rest-types";
import { tokenIdOf } from "../../model/token-reference";
import type { FrameClock } from "../frame-clock";
import type { ClassTies } from "./class-feed.svelte";
import { LiveRun } from "./live-run.svelte";
import type { TimePosition } from "./shown-run.svelte";

export class OpenRun {
  run = $state.raw<LiveRun | null>(null);

  /** The layout of the chosen method, or the other one until that exists. */
  readonly layout: Layout | null = $derived.by(
    () => this.run?.layoutFor(this.settings.method) ?? null,
  );

  private beatInterval = 700;

  constructor(
    private readonly settings: { readonly method: LayoutMethod },
    private readonly frameClock: FrameClock,
    private readonly ties: ClassTies,
  ) {}

  /** Return the step on display: a past one, or the newest. */
  get shownStep(): number {
    return this.run?.settledStep ?? this.run?.displayedStep ?? 0;
  }

  /** Open a run in place of the previous one. */
  openAt(id: string, position: TimePosition): LiveRun {
    this.close();
    const run = new LiveRun(id, position, this.frameClock, this.ties);
    run.setBeatInterval(this.beatInterval);
    this.run = run;
    return run;
  }

  close() {
    this.run?.close();
    this.run = null;
  }

  /** Set the minimum milliseconds between two beats, for this run and the next. */
  setBeatInterval(milliseconds: number) {
    this.beatInterval = milliseconds;
    this.run?.setBeatInterval(milliseconds);
  }

  /** Return up to 20 tokens whose text contains `text`; without a server that of this text, if the page knows it. */
  async searchTokens(text: string, signal: AbortSignal): Promise<Token[]> {
    const { run } = this;
    if (!run || !text) return [];
    const path = runPath(run.id, `tokens?search=${encodeURIComponent(text)}&limit=20`);
    try {
      return (await requestJson<Answer<"GET /api/runs/{run}/tokens">>(path, { signal })).items;
    } catch (error) {
      const id = run.vocabulary && tokenIdOf(text, run.vocabulary);
      if (id === null) throw error;
      return [{ token_id: id, token: text, text, class: null, count: null }];
    }
  }
}
