/** A layout as a country: its districts, its span, and which tokens are where. Surveyed beside the page. */

import type { Districts } from "../wire/frames";
import type { Vocabulary } from "../wire/vocabulary";
import { districtsOf, foundGroups, membersOf, plantedGroups } from "./districts";
import type { District, Group, Members } from "./districts";
import { Picker } from "./picking";
import type { Placement, View } from "./placement";
import type { Relief } from "./relief";
import type { Survey } from "./survey";
import { Surveyor } from "./surveyor";

/** So few tokens in view are sorted sooner than they are met among all. */
const FEW = 2_500;

export class Country {
  districts: District[] = [];
  /** The span of the great majority of tokens. */
  box: View = { x0: 0, x1: 1, y0: 0, y1: 1 };
  /** The clusters of the space; null where nobody looked for any: then it is the planted classes. */
  found: Districts | null = null;
  /** Which tokens are where; null until the layout that is shown has been surveyed. */
  picker: Picker | null = null;

  private vocabulary: Vocabulary | null = null;
  /** Place among all tokens by how common they are, by token id. */
  private ranks = new Uint32Array(0);
  private readonly surveyor = new Surveyor();
  private shown: Placement | null = null;
  private known = false;
  private groups: Group[] = [];
  private members: Members = { ids: new Uint32Array(0), starts: new Uint32Array(1) };

  /** `surveyed`: the land of a layout is known, a moment after its lamps set out; `first`: there was none before. */
  constructor(private readonly surveyed: (land: Relief, first: boolean) => void) {}

  /** Other tokens: nothing is known of where they are. */
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

  /** Other districts; null: the planted classes. */
  divide(found: Districts | null) {
    const { vocabulary } = this;
    if (found && found.vocabulary !== vocabulary?.tokens.length) found = null;
    this.found = found;
    if (!vocabulary) this.groups = [];
    else this.groups = found ? foundGroups(found, vocabulary) : plantedGroups(vocabulary);
    this.members = membersOf(this.groups);
    if (this.shown) this.survey(this.shown);
  }

  /** A layout is shown now. */
  survey(placement: Placement) {
    const { groups } = this;
    if (placement !== this.shown) this.picker = null;
    this.shown = placement;
    this.surveyor.ask(placement, this.members, (found) => this.learn(found, placement, groups));
  }

  /** Token ids in (and right around) a view, the most common first. */
  inView(view: View): Iterable<number> {
    const { byCount } = this.vocabulary!;
    const count = this.picker?.count(view) ?? Infinity;
    // Where many are seen, some are soon met among all of them.
    if (count >= FEW) return byCount;
    const ranks = this.picker!.within(view).map((id) => this.ranks[id]!);
    return ranks.sort().map((rank) => byCount[rank]!);
  }

  stop() {
    this.surveyor.stop();
  }

  private learn({ box, relief, lies, grid }: Survey, of: Placement, groups: Group[]) {
    if (groups === this.groups) this.districts = districtsOf(groups, lies);
    // Meanwhile another layout may have come: its own survey will be here soon.
    if (of === this.shown) this.picker = new Picker(grid);
    this.box = box;
    const first = !this.known;
    this.known = true;
    this.surveyed(relief, first);
  }
}
