/** The viewpoint on the flat map, which this viewer or a view chose. */

import type { Look } from "../../model/look";
import type { ViewChange } from "../../model/view/view-state";

export class Viewpoint {
  /** The part of the map that is looked at; null: the whole map. */
  look = $state.raw<Look | null>(null);
  /**
   * The token to bring into view as soon as there is a map, with its neighbourhood if it is sought `near`; "direction":
   * both ends of the direction that the geometry lab shows; null: nothing.
   */
  sought = $state.raw<{ readonly token: number; readonly near: boolean } | "direction" | null>(
    null,
  );
  /** Id of the district that the introduction speaks of just now; null: of none. */
  pointedOut = $state<number | null>(null);
  /** The look before the camera went to a token or a direction; null: it did not, or the viewer has moved it since. */
  private before: { readonly look: Look | null } | null = null;

  toViewState(): ViewChange {
    return { look: this.look };
  }

  applyView({ look }: ViewChange) {
    if (look === undefined) return;
    this.look = look;
    this.sought = this.before = null;
  }

  /** Take the look with which what is sought is in view. */
  arrive(look: Look) {
    if (this.sought === "direction" || this.sought?.near) this.before ??= { look: this.look };
    this.look = look;
    this.sought = null;
  }

  /** Return the change that leads back to the look before the camera went to a token or a direction; none if it did not. */
  get wayBack(): ViewChange {
    return this.before ?? {};
  }
}
