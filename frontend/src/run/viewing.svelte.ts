/** How this viewer looks at a run: which view, coloured by what, which panel. All of it stands in the address. */

import type { Method } from "../wire/frames";
import { Details } from "./details.svelte";
import type { Address, ColourBy, LinksTo, PanelName, TrailsOf, View } from "./address";
import type { Beside } from "./besides";
import type { Height } from "./heights";

/** Steps back that distances and trails reach, unless said otherwise. */
const OVER = 100;
/** From so many pixels on there is room for the legend beside the map and the inspector. */
const ROOMY = 1_500;

export class Viewing {
  view = $state<View>("umap");
  /** What the heights of the skyline say. */
  height = $state<Height>("touches");
  /** What the second map shows; null where there is none. */
  beside = $state<Beside | null>(null);
  /** The two maps are zoomed each by itself. */
  apart = $state(false);
  colourBy = $state<ColourBy>("class");
  panel = $state<PanelName>("step");
  /** The inspector is open. */
  inspecting = $state(false);
  /** Tokens that are shown where they do not belong are marked. */
  doubting = $state(false);
  /** The id of the district that is looked at. */
  district = $state<number | null>(null);
  readonly details: Details;
  trails = $state<TrailsOf>("none");
  links = $state<LinksTo>("space");
  /** How many steps back distances and trails reach; 0: to the start. */
  over = $state(OVER);
  /** The legend is unfolded. */
  explaining = $state(false);
  /** The entry of the legend whose tokens are ringed. */
  ring = $state<string | null>(null);

  /** As a link says; what it does not say is as it is for a newcomer. */
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

  /** Its part of the address; what is as for a newcomer is left out. */
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

  /** The layout that is shown: the skyline stands on the map. */
  get method(): Method {
    return this.view === "linear" ? "linear" : "umap";
  }

  set method(method: Method) {
    this.view = method;
  }

  /** Colour by something else: what was ringed stood in another legend. */
  colour(by: ColourBy) {
    this.colourBy = by;
    this.ring = null;
  }

  /** A second map, or one again. */
  toggleBeside() {
    if (this.beside) this.beside = null;
    else this.besideView();
  }

  /** The other view of the same run beside this one. */
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

  /** Look at a district, or at none any more. */
  chooseDistrict(id: number | null) {
    this.district = id;
    if (id !== null) this.show("map");
  }
}
