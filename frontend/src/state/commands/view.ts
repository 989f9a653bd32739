/** Commands of the view: the map, its colours and marks, the second map, and the panels. */

import type { LayoutMethod } from "../../api/frames";
import type { Look } from "../../model/look";
import type { SecondMapSource } from "../../model/view/second-map-options";
import type { ViewChange } from "../../model/view/view-state";
import type {
  ColourBy,
  Level,
  LinkTarget,
  PanelName,
  RowOrder,
  SectionName,
  TrailSet,
} from "../../model/view/view-options";
import { wayBackFromDirection } from "./panels";
import type { CommandScope } from "./scope";

export function viewCommands({
  apply,
  viewSettings,
  viewpoint,
  focus,
  selection,
  history,
}: CommandScope) {
  const otherView = (): SecondMapSource =>
    viewSettings.method === "umap" ? "view:linear" : "view:umap";
  const openPanel = (panel: PanelName) => apply({ panel, folded: null });

  return {
    /** Show a view, or a part of one, sent by a link or another page. */
    showView: (change: ViewChange) => apply(change),
    showMap: (map: LayoutMethod) => apply({ map }),
    toggleMap: () => apply({ map: viewSettings.method === "umap" ? "linear" : "umap" }),
    /** Change the colouring; the ring belonged to the previous legend. */
    colourBy: (colour: ColourBy) => apply({ colour, ring: null }),
    /** Ring the tokens of a legend entry, or none. */
    toggleRing: (key: string) => apply({ ring: viewSettings.ring === key ? null : key }),
    toggleLegend: () => apply({ legend: viewSettings.legendOpen ? "folded" : "open" }),
    setTrails: (trails: TrailSet) => apply({ trails }),
    setLinks: (links: LinkTarget) => apply({ links }),
    /** Set how many steps back distances and trails reach; 0: to the start. */
    setStepsBack: (over: number) => apply({ over }),
    markDoubtful: (marked: boolean) => apply({ doubt: marked || null }),
    nameByTokens: (own: boolean) => apply({ names: own ? "own" : null }),

    /** Make a one-minute film of the whole run. */
    makeRecap() {
      viewSettings.wantsRecap = true;
      openPanel("export");
    },
    /** Record that the film of the whole run has started. */
    takeRecap() {
      viewSettings.wantsRecap = false;
    },
    /** Set what the second map shows; null: no second map. */
    showSecondMap: (source: SecondMapSource | null) => apply({ beside: source }),
    /** Show the run's other view in the second map. */
    showOtherView: () => apply({ beside: otherView() }),
    toggleSecondMap: () => apply({ beside: viewSettings.secondMap ? null : otherView() }),
    /** Show the step of the comparison on a second map, beside the one displayed; or return to one map. */
    toggleThenAndNow() {
      const then: SecondMapSource = `step:${viewSettings.details.comparedStep}`;
      if (viewSettings.secondMap === then) apply({ beside: null });
      // The token may be anywhere on either map.
      else apply({ beside: then, look: null });
    },
    /** Show or hide the path of the chosen token over the whole run. */
    toggleWay() {
      if (viewSettings.showsWay) apply({ trails: null, over: null });
      else apply({ trails: "chosen", over: 0, look: null });
    },
    zoomTogether: (together: boolean) => apply({ apart: together ? null : true }),

    /** Adopt the part of the map that this viewer moved to; null: the whole map. */
    lookAt: (look: Look | null) => apply({ look }),
    lookAtDistrict: (district: number) => apply({ look: { district } }),
    /** Adopt the part of the map that brought a token or a direction into view. */
    followSought(look: Look) {
      // It belongs to that choice, which already has a history entry.
      history.goOn();
      viewpoint.arrive(look);
    },
    /** Focus a district; null: none. */
    chooseDistrict: (district: number | null) =>
      apply({ district, ...(district !== null && { panel: "district", folded: null }) }),

    openPanel,
    /** Highlight a section of the panel, for this viewer and for followers; null: none. */
    pointOut: (section: SectionName) =>
      apply({ section: viewSettings.section === section ? null : section }),
    /** Close the panel; choices stay, except for a direction, which goes with its panel. */
    closePanel: () => apply({ folded: true, ...wayBackFromDirection({ viewSettings, viewpoint }) }),
    /** Show no panel, the card of the choice, or the last open panel of the lab. */
    showLevel(level: Level) {
      if (level === "watch") apply({ folded: true });
      else if (level === "lab") openPanel(viewSettings.labPanel);
      else openPanel(selection.ids.length && focus.reference === null ? "gathered" : "token");
    },
    orderRows: (rows: RowOrder) => apply({ rows }),
    /** Subtract the matrix of a step from the one shown; null: subtract none. */
    subtractStep: (step: number | null) =>
      apply({ against: step === null ? null : validStep(step) }),
    /** Compare the neighbours at a step with the current ones. */
    compareStep: (step: number) => apply({ then: validStep(step) || null }),
  };
}

/** Return the nearest valid step number; 0 for an empty field. */
function validStep(step: number): number {
  return Math.max(0, Math.min(999_999_999, Math.round(step) || 0));
}
