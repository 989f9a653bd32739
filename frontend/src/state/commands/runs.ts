/** Commands of runs: which one is open, requests to its trainer, its map, and its exports. */

import type {
  AssistantRequest,
  Export,
  ExportFormat,
  PartialRecipe,
  TrainerRequest,
} from "../../api/rest-types";
import { NOTHING_OF_A_RUN } from "../../model/view/view-state";
import type { Exports } from "../export/exports.svelte";
import type { MapSettingsQuery } from "../view/map-settings.svelte";
import type { OutputMap } from "../view/output-map.svelte";
import type { CommandScope } from "./scope";

export function runCommands({ apply, leaveRun, openRun, server, history }: CommandScope) {
  /** Open a run live, without any choices in it. */
  const openRunLive = (id: string) => apply({ ...NOTHING_OF_A_RUN, run: id });

  /**
   * Send a request to the trainer; return whether it was accepted. The run keeps the reason for a refusal.
   */
  async function askTrainer(request: TrainerRequest): Promise<boolean> {
    const { run } = openRun;
    if (!run) return false;
    if (server.presenter) return run.requests.trySending(request);
    if (server.assists) return run.requests.tryAssisting(request as AssistantRequest);
    run.requests.problem = { code: "presenterOnly" };
    return false;
  }

  return {
    openRunLive,
    /** Dismiss the notice about a newly started run. */
    dismissNewRun: (id: string) => server.dismissNewRun(id),
    /** Create a run from a recipe, and an uploaded text if any; then show its steps. Throws `ApiError`. */
    async createRun(recipe: PartialRecipe, upload: string | null) {
      const { id } = await server.createRun(recipe, upload);
      history.record(() => apply({ ...NOTHING_OF_A_RUN, run: id, folded: true }));
      void server.poll();
    },
    /** Open a run, and play it from the start. */
    replayRun: (id: string) => apply({ ...NOTHING_OF_A_RUN, run: id, from: 0 }),
    /** Open a run, and continue its training. Throws `ApiError`. */
    async continueRun(id: string, steps: number, confirmed: boolean) {
      await server.continueRun(id, steps, confirmed);
      history.record(() => openRunLive(id));
      await server.poll();
    },
    /** Rename a run. Throws `ApiError`. */
    async renameRun(id: string, name: string) {
      await server.renameRun(id, name);
      await server.poll();
    },
    /** Remove a run. Throws `ApiError`. */
    async removeRun(id: string) {
      await server.removeRun(id);
      if (id === openRun.run?.id) leaveRun();
      await server.poll();
    },
    /** Reconnect to the server. */
    retryConnection: () => openRun.run?.stream.retry(),

    askTrainer,
    /** Train one step; the picture goes live and shows it in two beats. */
    trainOneStep() {
      const ask = () => askTrainer({ kind: "step" });
      void (server.steers ? openRun.run?.trainOneStep(ask) : ask());
    },
    startReprojection: (settings: MapSettingsQuery) => settings.startReprojection(),
    cancelReprojection: (settings: MapSettingsQuery) => settings.cancelReprojection(),
    drawOutputMap: (output: OutputMap) => output.startDrawing(),
    cancelOutputMap: (output: OutputMap) => output.cancelDrawing(),
    /** Export a run, or one step of it; null: the newest. */
    startExport: (exports: Exports, format: ExportFormat, step: number | null) =>
      exports.create(format, step),
    /** Cancel a running export, or delete a finished one. */
    removeExport: (exports: Exports, item: Export) => exports.remove(item),
  };
}
