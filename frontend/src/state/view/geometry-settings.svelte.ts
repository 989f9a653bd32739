/** The viewer's settings of the geometry lab: its view and its words; all of them part of the view state. */

import { GEOMETRY_VIEWS, type GeometryView } from "../../model/view/view-options";
import type { ViewChange } from "../../model/view/view-state";

export class GeometrySettings {
  view = $state<GeometryView>(GEOMETRY_VIEWS[0]);
  /** Texts of the words, and of those at the other end of an axis; empty: examples. */
  of = $state("");
  to = $state("");
  /** Tokens at both ends of the direction on the map; null: none. Derived, so not part of the view state. */
  arrow = $state.raw<{ from: readonly number[]; to: readonly number[] } | null>(null);

  showArrow(arrow: GeometrySettings["arrow"]) {
    this.arrow = arrow;
  }

  toViewState(): ViewChange {
    return {
      lab: this.view === GEOMETRY_VIEWS[0] ? null : this.view,
      of: this.of || null,
      to: this.to || null,
    };
  }

  applyView({ lab, of, to }: ViewChange) {
    if (lab !== undefined) this.view = lab ?? GEOMETRY_VIEWS[0];
    if (of !== undefined) this.of = of ?? "";
    if (to !== undefined) this.to = to ?? "";
  }
}
