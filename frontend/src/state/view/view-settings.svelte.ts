/**
 * The viewer's settings of the view: layout, colouring, panels. All of them are part of the URL.
 */

import type { LayoutMethod } from "../../api/frames";
import { DetailSettings } from "./detail-settings.svelte";
import type { ViewState } from "../../model/view-state";
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
/** Page width in pixels from which the legend has room beside the map and the inspector. */
const ROOMY_WIDTH = 1_500;

export class ViewSettings {
  view = $state<ViewMode>("umap");
  /** Measure behind the heights of the skyline. */
  height = $state<HeightMeasure>("touches");
  /** Source of the second map; null where there is none. */
  secondMap = $state<SecondMapSource | null>(null);
  /** Set when each of the two maps has its own zoom. */
  separateZoom = $state(false);
  colourBy = $state<ColourBy>("class");
  panel = $state<PanelName>("step");
  /** Set while the inspector is open. */
  inspectorOpen = $state(false);
  /** Set when tokens are marked that do not belong where they are shown. */
  markDoubtful = $state(false);
  /** Id of the district in focus. */
  district = $state<number | null>(null);
  readonly details: DetailSettings;
  trails = $state<TrailSet>("none");
  links = $state<LinkTarget>("space");
  /** Steps back that distances and trails reach; 0: to the start. */
  stepsBack = $state(DEFAULT_STEPS_BACK);
  /** Set while the legend is unfolded. */
  legendOpen = $state(false);
  /** Legend entry whose tokens are ringed. */
  ring = $state<string | null>(null);

  /** Start from a link; settings it lacks have their defaults. */
  constructor(initialView: ViewState) {
    this.view = initialView.map ?? "umap";
    this.height = initialView.height ?? "touches";
    this.secondMap = initialView.beside;
    this.separateZoom = initialView.apart !== null;
    this.colourBy = initialView.colour ?? "class";
    this.panel = initialView.panel ?? (initialView.token === null ? "step" : "token");
    this.inspectorOpen =
      initialView.folded === null && (innerWidth >= 1_100 || initialView.panel !== null);
    this.markDoubtful = initialView.doubt !== null;
    this.district = initialView.district;
    this.details = new DetailSettings(initialView);
    this.trails = initialView.trails ?? "none";
    this.links = initialView.links ?? "space";
    this.stepsBack = initialView.over ?? DEFAULT_STEPS_BACK;
    this.legendOpen = initialView.legend
      ? initialView.legend === "open"
      : innerWidth >= ROOMY_WIDTH;
    this.ring = initialView.ring;
  }

  /** Return these settings' part of the view state; defaults are left out. */
  toViewState(): Partial<ViewState> {
    return {
      map: this.view === "umap" ? null : this.view,
      height: this.view !== "skyline" || this.height === "touches" ? null : this.height,
      beside: this.secondMap,
      apart: (this.secondMap && this.separateZoom) || null,
      colour: this.colourBy === "class" ? null : this.colourBy,
      panel: this.panel === "step" ? null : this.panel,
      folded: this.inspectorOpen || innerWidth < 1_100 ? null : true,
      doubt: this.markDoubtful || null,
      district: this.district,
      trails: this.trails === "none" ? null : this.trails,
      links: this.links === "space" ? null : this.links,
      over: this.stepsBack === DEFAULT_STEPS_BACK ? null : this.stepsBack,
      legend:
        this.legendOpen === innerWidth >= ROOMY_WIDTH ? null : this.legendOpen ? "open" : "folded",
      ring: this.ring,
      ...this.details.toViewState(),
    };
  }

  /** Return the layout method shown; the skyline is built on the map. */
  get method(): LayoutMethod {
    return this.view === "linear" ? "linear" : "umap";
  }

  set method(method: LayoutMethod) {
    this.view = method;
  }

  /** Change the colouring; the ring belonged to the previous legend. */
  setColourBy(by: ColourBy) {
    this.colourBy = by;
    this.ring = null;
  }

  /** Open the second map, or close it. */
  toggleSecondMap() {
    if (this.secondMap) this.secondMap = null;
    else this.openOtherView();
  }

  /** Show the run's other view in the second map. */
  openOtherView() {
    this.secondMap = this.view === "umap" ? "view:linear" : "view:umap";
  }

  openPanel(panel: PanelName) {
    this.panel = panel;
    this.inspectorOpen = true;
  }

  toggleInspector() {
    this.inspectorOpen = !this.inspectorOpen;
  }

  /** Focus a district; null: none. */
  chooseDistrict(id: number | null) {
    this.district = id;
    if (id !== null) this.openPanel("map");
  }
}
