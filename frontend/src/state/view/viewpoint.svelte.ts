/** The viewpoint on the flat map, chosen by this viewer or by a view. */

import type { Look } from "../../model/look";
import type { ViewChange } from "../../model/view/view-state";

export class Viewpoint {
  /** The part of the map in view; null: the whole map. */
  look = $state.raw<Look | null>(null);
  /**
   * The token to bring into view once there is a map, with its neighbourhood if `near`; or several tokens;
   * "direction": both ends of the direction in the geometry lab; null: nothing.
   */
  sought = $state.raw<
    { readonly token: number; readonly near: boolean } | readonly number[] | "direction" | null
  >(null);
  /** Id of the district that the introduction is describing; null: none. */
  pointedOut = $state<number | null>(null);
  /**
   * The look before the camera moved to a token or a direction; null: it did not, or the viewer has moved it
   * since.
   */
  private before: { readonly look: Look | null } | null = null;

  toViewState(): ViewChange {
    return { look: this.look };
  }

  applyView({ look }: ViewChange) {
    if (look === undefined) return;
    this.look = look;
    this.sought = this.before = null;
  }

  /** Adopt the look that brought the sought token or direction into view. */
  arrive(look: Look) {
    const { sought } = this;
    if (sought && (typeof sought === "string" || "length" in sought || sought.near))
      this.before ??= { look: this.look };
    this.look = look;
    this.sought = null;
  }

  /**
   * Return the change that restores the look from before the camera moved to a token or a direction; empty if
   * it did not.
   */
  get wayBack(): ViewChange {
    return this.before ?? {};
  }
}
