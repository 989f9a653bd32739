/** How the map of a run is drawn, asked for again while somebody looks at it. */

import { ask, runPath, send, type Drawing, type Reprojection } from "../wire/rest";
import { Asking } from "./asking.svelte";

const AGAIN = 1_500;

export class MapDrawing extends Asking {
  /** null until the first answer. */
  now = $state.raw<Drawing | null>(null);
  /** How far laying the run out anew is; null until the first answer. */
  anew = $state.raw<Reprojection | null>(null);

  constructor(private readonly run: string) {
    super();
    void this.look();
  }

  /** Lay the run out anew. */
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
