/**
 * Regions of the shown layout: its districts, its bounds, and an index of its tokens. A worker does the
 * analysis.
 */

import type { Districts } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import {
  clusterGroups,
  districtsOf,
  membersOf,
  type District,
  type TokenGroup,
  type GroupMembers,
} from "./districts";
import { GridIndex } from "../../model/plane/spatial-index";
import type { Placement } from "../../model/plane/placement";
import { UNIT_SQUARE, type MapRect } from "../../model/plane/viewport";
import type { DensityGrid } from "./density";
import type { LayoutAnalysis } from "./analyse";
import { AnalysisWorker } from "./analyser";

/** With fewer tokens in view, sorting those is faster than scanning all tokens by frequency. */
const SORT_LIMIT = 2_500;

/** The regions of the shown layout. */
export class Regions {
  districts: District[] = [];
  /** Bounds of all tokens except strays. */
  box: MapRect = UNIT_SQUARE;
  /** Clusters found in the embedding space; null if none were computed. */
  found: Districts | null = null;
  /** Spatial index of the tokens; null until the shown layout has been analysed. */
  index: GridIndex | null = null;

  private vocabulary: Vocabulary | null = null;
  /** Frequency rank by token id, 0 for the most common. */
  private ranks = new Uint32Array(0);
  private readonly analyser = new AnalysisWorker();
  private shown: Placement | null = null;
  private analysed = false;
  private groups: TokenGroup[] = [];
  private members: GroupMembers = { ids: new Uint32Array(0), starts: new Uint32Array(1) };

  /**
   * Start without tokens.
   *
   * `landChanged` is called with the density grid of a layout, shortly after its glide began; `first` is true
   * if the map had none before.
   */
  constructor(private readonly landChanged: (land: DensityGrid, first: boolean) => void) {}

  /** Switch to another vocabulary and drop everything about the old one. */
  setVocabulary(vocabulary: Vocabulary | null) {
    this.vocabulary = vocabulary;
    this.ranks = new Uint32Array(vocabulary?.tokens.length ?? 0);
    vocabulary?.byCount.forEach((id, rank) => (this.ranks[id] = rank));
    this.analyser.cancelAll();
    this.index = this.shown = null;
    this.analysed = false;
    this.districts = [];
    this.setDistricts(null);
  }

  /**
   * Switch to other districts; null for none. Old ones disappear at once, new ones come with the analysis.
   */
  setDistricts(districts: Districts | null) {
    const { vocabulary } = this;
    if (districts && districts.vocabulary !== vocabulary?.tokens.length) districts = null;
    this.found = districts;
    this.groups = districts ? clusterGroups(districts) : [];
    const known = new Map(this.groups.map((group) => [group.id, group]));
    this.districts = this.districts
      .filter(({ id }) => known.has(id))
      .map((district) => ({ ...district, ...known.get(district.id) }));
    this.members = membersOf(this.groups);
    if (this.shown) this.analyse(this.shown);
  }

  /** Analyse the layout now on display. */
  analyse(placement: Placement) {
    const { groups } = this;
    if (placement !== this.shown) this.index = null;
    this.shown = placement;
    this.analyser.submit(placement, this.members, (found) =>
      this.applyAnalysis(found, placement, groups),
    );
  }

  /** Return the ids of the tokens in a view (and close around it), most common first. */
  commonestInView(view: MapRect): Iterable<number> {
    const { byCount } = this.vocabulary!;
    const count = this.index?.countInView(view) ?? Infinity;
    // With many in view, scanning all tokens by frequency soon finds enough of them.
    if (count >= SORT_LIMIT) return byCount;
    const ranks = this.index!.tokensInView(view).map((id) => this.ranks[id]!);
    return ranks.sort().map((rank) => byCount[rank]!);
  }

  stop() {
    this.analyser.stop();
  }

  private applyAnalysis(
    { box, density, shapes, grid }: LayoutAnalysis,
    placement: Placement,
    groups: TokenGroup[],
  ) {
    if (groups === this.groups) this.districts = districtsOf(groups, shapes);
    // Another layout may be on display by now; its own analysis will follow.
    if (placement === this.shown) this.index = new GridIndex(grid);
    this.box = box;
    const first = !this.analysed;
    this.analysed = true;
    this.landChanged(density, first);
  }
}
