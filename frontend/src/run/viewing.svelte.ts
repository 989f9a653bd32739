/** How this viewer looks at a run: which view, coloured by what, which panel. All of it stands in the address. */

import type { Method } from "../wire/frames";
import type { Address, ColourBy, PanelName } from "./address";
import { Details } from "./details.svelte";

export class Viewing {
  method = $state<Method>("umap");
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
    this.method = wish.map ?? "umap";
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
      map: this.method === "umap" ? null : this.method,
      colour: this.colourBy === "class" ? null : this.colourBy,
      panel: this.panel === "step" ? null : this.panel,
      folded: this.inspecting || innerWidth < 1_100 ? null : true,
      doubt: this.doubting || null,
      district: this.district,
      ...this.details.address(),
    };
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
