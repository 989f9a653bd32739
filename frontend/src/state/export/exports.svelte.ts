/** The exports of a run, polled while they are on screen. */

import { requestJson, runPath, sendJson } from "../../api/rest";
import type { Answer, Export, ExportFormat } from "../../api/rest-types";
import { serverPath } from "../../api/server-path";
import { PolledQuery } from "../query/polled-query.svelte";

const RUNNING_INTERVAL = 500;
const IDLE_INTERVAL = 4_000;

export class Exports extends PolledQuery<Export[]> {
  /** Id of the last export requested on this page. */
  lastRequested: string | null = null;

  constructor(private readonly run: string) {
    super();
    this.poll();
  }

  /** Return the exports, newest first; null until the first answer. */
  get items(): Export[] | null {
    return this.value;
  }

  create(format: ExportFormat, step: number | null): Promise<void> {
    return this.mutate(async () => {
      this.lastRequested = (
        await sendJson<"POST /api/runs/{run}/exports">(this.path(), { format, step })
      ).id;
    });
  }

  /** Cancel a running export, or delete a finished one. */
  remove(item: Export): Promise<void> {
    return this.mutate(() => requestJson(this.path(item.id), { method: "DELETE" }));
  }

  fileUrl(item: Export): string {
    return serverPath(`${this.path(item.id)}/file`);
  }

  protected question() {
    const fetch = async (signal: AbortSignal) =>
      (await requestJson<Answer<"GET /api/runs/{run}/exports">>(this.path(), { signal })).items;
    return { key: null, fetch };
  }

  protected get pollInterval() {
    return this.value?.some((item) => item.state === "running") ? RUNNING_INTERVAL : IDLE_INTERVAL;
  }

  private path(id = ""): string {
    return runPath(this.run, id ? `exports/${encodeURIComponent(id)}` : "exports");
  }
}
