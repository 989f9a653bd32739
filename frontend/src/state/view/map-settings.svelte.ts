/** The map settings of a run, polled while they are on screen. */

import { requestJson, runPath, sendJson } from "../../api/rest";
import type { MapSettings, Reprojection } from "../../api/rest-types";
import { PolledQuery } from "../query/polled-query.svelte";

interface MapState {
  settings: MapSettings;
  /** The reprojection's progress and result. */
  reprojection: Reprojection;
}

export class MapSettingsQuery extends PolledQuery<MapState> {
  protected readonly pollInterval = 1_500;

  constructor(private readonly run: string) {
    super();
    this.poll();
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

  protected question() {
    const fetch = async (signal: AbortSignal): Promise<MapState> => {
      const [settings, reprojection] = await Promise.all([
        requestJson<MapSettings>(runPath(this.run, "map"), { signal }),
        requestJson<Reprojection>(runPath(this.run, "reprojection"), { signal }),
      ]);
      return { settings, reprojection };
    };
    return { key: null, fetch };
  }
}
