/** How this viewer looks at a run: which view, coloured by what, which panel. All of it stands in the address. */

import type { Method } from "../wire/frames";
import { Details } from "./details.svelte";
import type { Address, ColourBy, PanelName, View } from "./address";
import type { Beside } from "./besides";
import type { Height } from "./heights";

export class Viewing {
  view = $state<View>("umap");
  /** What the heights of the skyline say. */
  height = $state<Height>("touches");
  /** What the second map shows; null where there is none. */
  beside = $state<Beside | null>(null);
  colourBy = $state<ColourBy>("class");
  panel = $state<PanelName>("step");
  /** The inspector is open. */
  inspecting = $state(false);
  /** Tokens that are shown where they do not belong are marked. */
  doubting = $state(false);
  /** The id of the district that is looked at. */
  district = $state<number | null>(null);
  readonly details: Details;

  /** As a link says; what it does not say is as it is for a newcomer. */
  constructor(wish: Address) {
    this.view = wish.map ?? "umap";
    this.height = wish.height ?? "touches";
    this.beside = wish.beside;
    this.colourBy = wish.colour ?? "class";
    this.panel = wish.panel ?? (wish.token === null ? "step" : "token");
    this.inspecting = wish.folded === null && (innerWidth >= 1_100 || wish.panel !== null);
    this.doubting = wish.doubt !== null;
    this.district = wish.district;
    this.details = new Details(wish);
  }

  /** Its part of the address; what is as for a newcomer is left out. */
  address(): Partial<Address> {
    return {
      map: this.view === "umap" ? null : this.view,
      height: this.view !== "skyline" || this.height === "touches" ? null : this.height,
      beside: this.beside,
      colour: this.colourBy === "class" ? null : this.colourBy,
      panel: this.panel === "step" ? null : this.panel,
      folded: this.inspecting || innerWidth < 1_100 ? null : true,
      doubt: this.doubting || null,
      district: this.district,
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
