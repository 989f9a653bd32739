/** The viewpoint on the flat map, which this viewer or a view chose. */

import type { Look } from "../../model/look";
import type { ViewChange } from "../../model/view-state";

export class Viewpoint {
  /** The part of the map that is looked at; null: the whole map. */
  look = $state.raw<Look | null>(null);
  /** The token to bring into view, as soon as there is a map; null: none. */
  sought = $state.raw<{ readonly token: number } | null>(null);

  toViewState(): ViewChange {
    return { look: this.look };
  }

  applyView({ look }: ViewChange) {
    if (look === undefined) return;
    this.look = look;
    this.sought = null;
  }
}
