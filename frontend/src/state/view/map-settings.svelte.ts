/** The map settings of a run, polled while they are on screen. */

import { requestJson, runPath, sendJson } from "../../api/rest";
import type { MapSettings, Reprojection } from "../../api/rest-types";
import { PolledQuery } from "../query/polled-query.svelte";

const POLL_INTERVAL = 1_500;

export class MapSettingsQuery extends PolledQuery {
  /** The current settings; null until the first answer. */
  settings = $state.raw<MapSettings | null>(null);
  /** Progress of the reprojection; null until the first answer. */
  reprojection = $state.raw<Reprojection | null>(null);

  constructor(private readonly run: string) {
    super();
    void this.poll();
  }

  /** Start a reprojection of the run. */
  startReprojection(): Promise<void> {
    return this.mutate(() =>
      sendJson<"POST /api/runs/{run}/reprojection">(runPath(this.run, "reprojection"), {}),
    );
  }

  cancelReprojection(): Promise<void> {
    return this.mutate(() => requestJson(runPath(this.run, "reprojection"), { method: "DELETE" }));
  }

  protected async fetchLatest(signal: AbortSignal) {
    [this.settings, this.reprojection] = await Promise.all([
      requestJson<MapSettings>(runPath(this.run, "map"), { signal }),
      requestJson<Reprojection>(runPath(this.run, "reprojection"), { signal }),
    ]);
  }

  protected pollDelay() {
    return POLL_INTERVAL;
  }
}
