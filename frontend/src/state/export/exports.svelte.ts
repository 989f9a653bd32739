/** The exports of a run, polled while they are on screen. */

import { ask, runPath, send, type Export, type ExportFormat } from "../../api/rest";
import { Asking } from "../query/polled-query.svelte";

const SOON = 500;
const LATER = 4_000;

export class Exports extends Asking {
  /** Newest first; null until the first answer. */
  items = $state.raw<Export[] | null>(null);
  /** Id of the export last requested on this page. */
  asked: string | null = null;

  constructor(private readonly run: string) {
    super();
    void this.look();
  }

  make(format: ExportFormat, step: number | null): Promise<void> {
    return this.change(async () => {
      this.asked = (await send<Export>(this.path(), { format, step })).id;
    });
  }

  /** Cancel a running export, or delete a finished one. */
  drop(item: Export): Promise<void> {
    return this.change(() => ask(this.path(item.id), { method: "DELETE" }));
  }

  fileOf(item: Export): string {
    return `${this.path(item.id)}/file`;
  }

  protected async fetch(signal: AbortSignal) {
    this.items = (await ask<{ items: Export[] }>(this.path(), { signal })).items;
  }

  protected pause() {
    return this.items?.some((item) => item.state === "running") ? SOON : LATER;
  }

  private path(id = ""): string {
    return runPath(this.run, id ? `exports/${encodeURIComponent(id)}` : "exports");
  }
}
