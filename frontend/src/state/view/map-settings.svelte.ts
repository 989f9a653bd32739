/** The map settings of a run, polled while they are on screen. */

import { ask, runPath, send, type Drawing, type Reprojection } from "../../api/rest";
import { Asking } from "../query/polled-query.svelte";

const AGAIN = 1_500;

export class MapDrawing extends Asking {
  /** The current settings; null until the first answer. */
  now = $state.raw<Drawing | null>(null);
  /** Progress of the reprojection; null until the first answer. */
  anew = $state.raw<Reprojection | null>(null);

  constructor(private readonly run: string) {
    super();
    void this.look();
  }

  /** Start a reprojection of the run. */
  again(): Promise<void> {
    return this.change(() => send(runPath(this.run, "reprojection"), {}));
  }

  cancel(): Promise<void> {
    return this.change(() => ask(runPath(this.run, "reprojection"), { method: "DELETE" }));
  }

  protected async fetch(signal: AbortSignal) {
    [this.now, this.anew] = await Promise.all([
      ask<Drawing>(runPath(this.run, "map"), { signal }),
      ask<Reprojection>(runPath(this.run, "reprojection"), { signal }),
    ]);
  }

  protected pause() {
    return AGAIN;
  }
}
