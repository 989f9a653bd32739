/**
 * Regions of the shown layout: its districts, its bounds, and an index of its tokens. A worker does the
 * analysis.
 */

import type { Districts } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import {
  districtsOf,
  foundGroups,
  membersOf,
  plantedGroups,
  type District,
  type Group,
  type Members,
} from "./districts";
import { Picker } from "../../model/spatial-index";
import type { Placement } from "../../model/placement";
import type { View } from "../../model/viewport";
import type { Relief } from "./density";
import type { Survey } from "./analyse";
import { Surveyor } from "./analyser";

/** With fewer tokens in view it is faster to sort those than to search all tokens by frequency. */
const FEW = 2_500;

/** The regions of the shown layout. */
export class Country {
  districts: District[] = [];
  /** Bounds of all but the stray tokens. */
  box: View = { x0: 0, x1: 1, y0: 0, y1: 1 };
  /** Clusters found in the embedding space; null if none were computed, and the planted classes are shown. */
  found: Districts | null = null;
  /** Spatial index of the tokens; null until the shown layout has been analysed. */
  picker: Picker | null = null;

  private vocabulary: Vocabulary | null = null;
  /** Frequency rank by token id, 0 for the most common. */
  private ranks = new Uint32Array(0);
  private readonly surveyor = new Surveyor();
  private shown: Placement | null = null;
  private known = false;
  private groups: Group[] = [];
  private members: Members = { ids: new Uint32Array(0), starts: new Uint32Array(1) };

  /**
   * Start without tokens.
   *
   * `surveyed` is called with the density grid of a layout, shortly after its glide began; `first` is true if
   * the map had none before.
   */
  constructor(private readonly surveyed: (land: Relief, first: boolean) => void) {}

  /** Switch to another vocabulary and drop all that was known about the old one. */
  settle(vocabulary: Vocabulary | null) {
    this.vocabulary = vocabulary;
    this.ranks = new Uint32Array(vocabulary?.tokens.length ?? 0);
    vocabulary?.byCount.forEach((id, rank) => (this.ranks[id] = rank));
    this.surveyor.forget();
    this.picker = this.shown = null;
    this.known = false;
    this.districts = [];
    this.divide(null);
  }

  /** Switch to other districts; null for the planted classes. */
  divide(found: Districts | null) {
    const { vocabulary } = this;
    if (found && found.vocabulary !== vocabulary?.tokens.length) found = null;
    this.found = found;
    if (!vocabulary) this.groups = [];
    else this.groups = found ? foundGroups(found, vocabulary) : plantedGroups(vocabulary);
    this.members = membersOf(this.groups);
    if (this.shown) this.survey(this.shown);
  }

  /** Analyse the layout that is shown now. */
  survey(placement: Placement) {
    const { groups } = this;
    if (placement !== this.shown) this.picker = null;
    this.shown = placement;
    this.surveyor.ask(placement, this.members, (found) => this.learn(found, placement, groups));
  }

  /** Return the ids of the tokens in a view (and right around it), the most common first. */
  inView(view: View): Iterable<number> {
    const { byCount } = this.vocabulary!;
    const count = this.picker?.count(view) ?? Infinity;
    // With many in view, searching all tokens by frequency soon meets enough of them.
    if (count >= FEW) return byCount;
    const ranks = this.picker!.within(view).map((id) => this.ranks[id]!);
    return ranks.sort().map((rank) => byCount[rank]!);
  }

  stop() {
    this.surveyor.stop();
  }

  private learn({ box, relief, lies, grid }: Survey, of: Placement, groups: Group[]) {
    if (groups === this.groups) this.districts = districtsOf(groups, lies);
    // Another layout may be shown by now; its own analysis will follow.
    if (of === this.shown) this.picker = new Picker(grid);
    this.box = box;
    const first = !this.known;
    this.known = true;
    this.surveyed(relief, first);
  }
}
