/** The exports of a run, asked for again while somebody looks at them. */

import { ask, Refusal, runPath, send, type Export, type ExportFormat } from "../wire/rest";

const SOON = 500;
const LATER = 4_000;

export class Exports {
  /** Newest first; null until the first answer. */
  items = $state.raw<Export[] | null>(null);
  /** Why what was asked for last was not done. */
  problem = $state<string | null>(null);
  /** Id of the one that was asked for here last. */
  asked: string | null = null;
  /** The server did not say, the last time, how far they are. */
  private unanswered = false;
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly run: string) {
    void this.look();
  }

  close() {
    this.abort?.abort();
    clearTimeout(this.timer);
  }

  make(format: ExportFormat, step: number | null): Promise<void> {
    return this.change(async () => {
      this.asked = (await send<Export>(this.path(), { format, step })).id;
    });
  }

  /** Cancel it if it is being made, else forget it. */
  drop(item: Export): Promise<void> {
    return this.change(() => ask(this.path(item.id), { method: "DELETE" }));
  }

  fileOf(item: Export): string {
    return `${this.path(item.id)}/file`;
  }

  private path(id = ""): string {
    return runPath(this.run, id ? `exports/${encodeURIComponent(id)}` : "exports");
  }

  private async change(request: () => Promise<unknown>) {
    this.problem = null;
    try {
      await request();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.problem = error.message;
    }
    await this.look();
  }

  private look = async () => {
    this.close();
    const { signal } = (this.abort = new AbortController());
    try {
      this.items = (await ask<{ items: Export[] }>(this.path(), { signal })).items;
      if (this.unanswered) this.problem = null;
      this.unanswered = false;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      this.problem = error.message;
      this.unanswered = true;
    }
    const running = this.items?.some((item) => item.state === "running");
    this.timer = setTimeout(this.look, running ? SOON : LATER);
  };
}
