/**
 * The viewer's settings of the view: layout, colouring, panels. All of them are part of the URL.
 */

import type { Method } from "../../api/frames";
import { Details } from "./detail-settings.svelte";
import type { Address } from "../../model/view-state";
import type {
  ColourBy,
  LinksTo,
  PanelName,
  TrailsOf,
  View,
  Height,
} from "../../model/view-options";
import type { Beside } from "../../model/second-map-options";

/** Default of the steps back that distances and trails reach. */
const OVER = 100;
/** Page width in pixels from which the legend has room beside the map and the inspector. */
const ROOMY = 1_500;

export class Viewing {
  view = $state<View>("umap");
  /** Measure behind the heights of the skyline. */
  height = $state<Height>("touches");
  /** Source of the second map; null where there is none. */
  beside = $state<Beside | null>(null);
  /** Set when each of the two maps has its own zoom. */
  apart = $state(false);
  colourBy = $state<ColourBy>("class");
  panel = $state<PanelName>("step");
  /** Set while the inspector is open. */
  inspecting = $state(false);
  /** Set when tokens are marked that do not belong where they are shown. */
  doubting = $state(false);
  /** Id of the district in focus. */
  district = $state<number | null>(null);
  readonly details: Details;
  trails = $state<TrailsOf>("none");
  links = $state<LinksTo>("space");
  /** Steps back that distances and trails reach; 0: to the start. */
  over = $state(OVER);
  /** Set while the legend is unfolded. */
  explaining = $state(false);
  /** Legend entry whose tokens are ringed. */
  ring = $state<string | null>(null);

  /** Start from a link; settings it lacks have their defaults. */
  constructor(wish: Address) {
    this.view = wish.map ?? "umap";
    this.height = wish.height ?? "touches";
    this.beside = wish.beside;
    this.apart = wish.apart !== null;
    this.colourBy = wish.colour ?? "class";
    this.panel = wish.panel ?? (wish.token === null ? "step" : "token");
    this.inspecting = wish.folded === null && (innerWidth >= 1_100 || wish.panel !== null);
    this.doubting = wish.doubt !== null;
    this.district = wish.district;
    this.details = new Details(wish);
    this.trails = wish.trails ?? "none";
    this.links = wish.links ?? "space";
    this.over = wish.over ?? OVER;
    this.explaining = wish.legend ? wish.legend === "open" : innerWidth >= ROOMY;
    this.ring = wish.ring;
  }

  /** Return these settings' part of the view state; defaults are left out. */
  address(): Partial<Address> {
    return {
      map: this.view === "umap" ? null : this.view,
      height: this.view !== "skyline" || this.height === "touches" ? null : this.height,
      beside: this.beside,
      apart: (this.beside && this.apart) || null,
      colour: this.colourBy === "class" ? null : this.colourBy,
      panel: this.panel === "step" ? null : this.panel,
      folded: this.inspecting || innerWidth < 1_100 ? null : true,
      doubt: this.doubting || null,
      district: this.district,
      trails: this.trails === "none" ? null : this.trails,
      links: this.links === "space" ? null : this.links,
      over: this.over === OVER ? null : this.over,
      legend: this.explaining === innerWidth >= ROOMY ? null : this.explaining ? "open" : "folded",
      ring: this.ring,
      ...this.details.address(),
    };
  }

  /** Return the layout method shown; the skyline is built on the map. */
  get method(): Method {
    return this.view === "linear" ? "linear" : "umap";
  }

  set method(method: Method) {
    this.view = method;
  }

  /** Change the colouring; the ring belonged to the previous legend. */
  colour(by: ColourBy) {
    this.colourBy = by;
    this.ring = null;
  }

  /** Open the second map, or close it. */
  toggleBeside() {
    if (this.beside) this.beside = null;
    else this.besideView();
  }

  /** Show the run's other view in the second map. */
  besideView() {
    this.beside = this.view === "umap" ? "view:linear" : "view:umap";
  }

  show(panel: PanelName) {
    this.panel = panel;
    this.inspecting = true;
  }

  fold() {
    this.inspecting = !this.inspecting;
  }

  /** Focus a district; null: none. */
  chooseDistrict(id: number | null) {
    this.district = id;
    if (id !== null) this.show("map");
  }
}
