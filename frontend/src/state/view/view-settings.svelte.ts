/**
 * The viewer's settings of the view: layout, colouring, panels. All of them but the list of
 * shortcuts are part of the view state.
 */

import type { LayoutMethod } from "../../api/frames";
import { DetailSettings } from "./detail-settings.svelte";
import { DEFAULT_VIEW, type ViewChange } from "../../model/view-state";
import type {
  ColourBy,
  LinkTarget,
  PanelName,
  TrailSet,
  ViewMode,
  HeightMeasure,
} from "../../model/view-options";
import type { SecondMapSource } from "../../model/second-map-options";

/** Default of the steps back that distances and trails reach. */
const DEFAULT_STEPS_BACK = 100;
/** Page widths in pixels from which the inspector, and the legend with it, have room beside the map. */
const WIDE_PAGE = 1_100;
const ROOMY_PAGE = 1_500;

export class ViewSettings {
  view = $state<ViewMode>("umap");
  /** Measure behind the heights of the skyline. */
  height = $state<HeightMeasure>("touches");
  /** Source of the second map; null where there is none. */
  secondMap = $state<SecondMapSource | null>(null);
  /** Set when each of the two maps has its own zoom. */
  separateZoom = $state(false);
  colourBy = $state<ColourBy>("family");
  panel = $state<PanelName>("step");
  /** Set while the inspector is open. */
  inspectorOpen = $state(false);
  /** Set when tokens are marked that do not belong where they are shown. */
  markDoubtful = $state(false);
  /** Id of the district in focus. */
  district = $state<number | null>(null);
  readonly details = new DetailSettings();
  trails = $state<TrailSet>("none");
  links = $state<LinkTarget>("space");
  /** Steps back that distances and trails reach; 0: to the start. */
  stepsBack = $state(DEFAULT_STEPS_BACK);
  /** Set while the legend is unfolded. */
  legendOpen = $state(false);
  /** Legend entry whose tokens are ringed. */
  ring = $state<string | null>(null);
  /** Set while the list of shortcuts is open. */
  shortcutsOpen = $state(false);

  constructor() {
    this.applyView(DEFAULT_VIEW);
  }

  /** Return these settings' part of the view state. `focused`: whether a token is in focus. */
  toViewState(focused: boolean): ViewChange {
    const wide = innerWidth >= WIDE_PAGE;
    const usual = this.panel === (focused ? "token" : "step");
    // On a narrow page an open inspector is not the default, and a view opens it by naming a panel.
    const panel = usual && (wide || !this.inspectorOpen) ? null : this.panel;
    return {
      map: this.view === "umap" ? null : this.view,
      height: this.view !== "skyline" || this.height === "touches" ? null : this.height,
      beside: this.secondMap,
      apart: (this.secondMap && this.separateZoom) || null,
      colour: this.colourBy === "family" ? null : this.colourBy,
      panel,
      folded: !this.inspectorOpen && (wide || panel !== null) ? true : null,
      doubt: this.markDoubtful || null,
      district: this.district,
      trails: this.trails === "none" ? null : this.trails,
      links: this.links === "space" ? null : this.links,
      over: this.stepsBack === DEFAULT_STEPS_BACK ? null : this.stepsBack,
      legend:
        this.legendOpen === innerWidth >= ROOMY_PAGE ? null : this.legendOpen ? "open" : "folded",
      ring: this.ring,
      ...this.details.toViewState(),
    };
  }

  applyView(change: ViewChange) {
    if (change.map !== undefined) this.view = change.map ?? "umap";
    if (change.height !== undefined) this.height = change.height ?? "touches";
    if (change.beside !== undefined) this.secondMap = change.beside;
    if (change.apart !== undefined) this.separateZoom = change.apart !== null;
    if (change.colour !== undefined) this.colourBy = change.colour ?? "family";
    this.applyPanel(change);
    if (change.doubt !== undefined) this.markDoubtful = change.doubt !== null;
    if (change.district !== undefined) this.district = change.district;
    if (change.trails !== undefined) this.trails = change.trails ?? "none";
    if (change.links !== undefined) this.links = change.links ?? "space";
    if (change.over !== undefined) this.stepsBack = change.over ?? DEFAULT_STEPS_BACK;
    if (change.legend !== undefined)
      this.legendOpen = change.legend ? change.legend === "open" : innerWidth >= ROOMY_PAGE;
    if (change.ring !== undefined) this.ring = change.ring;
    this.details.applyView(change);
  }

  /** Choose the panel: a view that names one opens the inspector, unless it says that it is folded. */
  private applyPanel({ panel, folded, token }: ViewChange) {
    if (panel !== undefined) this.panel = panel ?? (token == null ? "step" : "token");
    if (folded !== undefined)
      this.inspectorOpen = folded === null && (innerWidth >= WIDE_PAGE || panel != null);
    else if (panel) this.inspectorOpen = true;
  }

  /** Return the layout method shown; the skyline is built on the map. */
  get method(): LayoutMethod {
    return this.view === "linear" ? "linear" : "umap";
  }
}
