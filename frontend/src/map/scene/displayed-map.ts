/**
 * The displayed map, on the screen, in a picture and in a film: the positions and light of its lamps, its
 * marks and labels. It knows neither clocks nor canvases; the caller passes the progress of its changes.
 * Pure.
 */

import type { Districts } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import type { Light } from "../../model/light";
import { mixPlacements, positionOf, type Placement } from "../../model/plane/placement";
import { rectInView, UNIT_SQUARE, type MapRect } from "../../model/plane/viewport";
import { lampStrengths } from "../easing";
import type { LitRow, MapMarks, OverlayFrame, OverlayModel } from "../overlay/overlay-model";
import { nameColour } from "../palette";
import { isCompact, middleOf, type District } from "../regions/districts";

/** The progress of all animations at one instant. */
export interface Instant {
  /** Progress of the glide from the last layout to this one, 0 to 1. */
  mixing: number;
  /** Progress of the land, which starts slightly later, 0 to 1. */
  landProgress: number;
  /** Brightness of the current beat, 0 to 1. */
  glow: number;
}

/** The instant at which all movement has ended and the beat is brightest. */
export const SETTLED: Instant = { mixing: 1, landProgress: 1, glow: 1 };

/** The rows of a beat, with their brightness. */
export interface LitRows {
  ids: Uint32Array;
  /** By row of `ids`, 0 to 1. */
  strengths: Float32Array;
  /** Rows that may be labelled, strongest gradient first. */
  named: LitRow[];
}

/** Limit on a beat's rows that may be labelled. */
const NAMED = 120;
const NO_ROWS: LitRows = { ids: new Uint32Array(0), strengths: new Float32Array(0), named: [] };
/** The marks of an unmarked map. */
export const UNMARKED: MapMarks = {
  ringed: [],
  doubtful: [],
  selected: [],
  chosen: null,
  links: [],
  trails: [],
};
const EMPTY_PLACEMENT: Placement = { places: new Uint16Array(0), box: UNIT_SQUARE };

/** Return the rows that a beat lights; null for none. */
export function litRowsOf(beat: Pick<Light, "ids" | "norms"> | null): LitRows {
  if (!beat) return NO_ROWS;
  const { ids, norms } = beat;
  const strengths = lampStrengths(norms);
  const named = strongest(norms, NAMED).map((i) => ({ id: ids[i]!, strength: strengths[i]! }));
  return { ids, strengths, named };
}

/** Return the indices of the `most` largest norms, the largest first. An unknown one (NaN) counts as 0. */
function strongest(norms: Float32Array, most: number): number[] {
  const known = norms.slice();
  for (let i = 0; i < known.length; i++) known[i] ||= 0;
  // Sorting the numbers alone is much faster than sorting all indices by them.
  const least = known.slice().sort()[Math.max(0, known.length - most)] ?? 0;
  const indices: number[] = [];
  for (let i = 0; i < known.length; i++) if (known[i]! >= least) indices.push(i);
  return indices.sort((a, b) => known[b]! - known[a]!).slice(0, most);
}

/** A map as it is displayed. */
export class DisplayedMap {
  vocabulary: Vocabulary | null = null;
  /** Four bytes per token: rgb, and its unlit brightness. */
  tints: Uint8Array = new Uint8Array(0);
  districts: District[] = [];
  /** The clusters in the embedding space that these are; null: none. */
  found: Districts | null = null;
  marks = UNMARKED;
  lit = NO_ROWS;
  /** The placement that the lamps come from, and the one they move to; equal at rest. */
  from = EMPTY_PLACEMENT;
  to = EMPTY_PLACEMENT;
  /** Cached middles of groups of tokens, by placement. */
  private middles = new WeakMap<Placement, Map<readonly number[], [number, number]>>();
  /** Cached colours of districts' names, by tints. */
  private nameColours = new WeakMap<Uint8Array, Map<readonly number[], string>>();
  /** Cached ids of the districts with a middle. */
  private compactIds = new WeakMap<readonly District[], ReadonlySet<number>>();

  /** Switch to another vocabulary, without a layout and a beat. */
  reset(vocabulary: Vocabulary | null) {
    this.vocabulary = vocabulary;
    this.tints = new Uint8Array(4 * (vocabulary?.tokens.length ?? 0));
    this.districts = [];
    this.found = null;
    this.lit = NO_ROWS;
    this.from = this.to = EMPTY_PLACEMENT;
  }

  /** Place the lamps at once. */
  jumpTo(next: Placement) {
    this.from = this.to = next;
  }

  /**
   * Move the lamps to `next` from their current positions, `mixing` of the way between the last two
   * placements.
   */
  glideTo(next: Placement, mixing: number) {
    this.from = mixPlacements(this.from, this.to, mixing);
    this.to = next;
  }

  /**
   * Keep the lamps in place when the units of the map change: their units change as `view` does to `next`.
   */
  rebase(view: MapRect, next: MapRect) {
    this.from = { ...this.from, box: rectInView(this.from.box, view, next) };
  }

  /** Return a token's position, in map units. */
  positionOf(id: number, mixing: number): [number, number] {
    const [x, y] = positionOf(this.to, id);
    if (mixing >= 1 || this.from === this.to) return [x, y];
    const [fromX, fromY] = positionOf(this.from, id);
    return [fromX + (x - fromX) * mixing, fromY + (y - fromY) * mixing];
  }

  /** Return the middle of a district, in map units; it moves with its tokens. */
  middleOf({ tokenIds }: District, mixing: number): [number, number] {
    const [x, y] = this.middleIn(this.to, tokenIds);
    if (mixing >= 1 || this.from === this.to) return [x, y];
    const [fromX, fromY] = this.middleIn(this.from, tokenIds);
    return [fromX + (x - fromX) * mixing, fromY + (y - fromY) * mixing];
  }

  /** Return the positions of all tokens. */
  placementAt(mixing: number): Placement {
    return mixPlacements(this.from, this.to, mixing);
  }

  /**
   * Return the overlay of the lamps in a frame; null without a vocabulary. `commonest` returns token ids,
   * most common first: at least all in view.
   */
  overlayModel(
    mixing: number,
    { view, width, height, zoom, uncovered }: OverlayFrame,
    commonest: () => Iterable<number>,
  ): OverlayModel | null {
    const { vocabulary, districts, marks, lit, tints } = this;
    if (!vocabulary) return null;
    return {
      vocabulary,
      districts,
      ...marks,
      lit: lit.named,
      commonest,
      positionOf: (id) => this.positionOf(id, mixing),
      middleOf: (district) => this.middleOf(district, mixing),
      nameColour: ({ tokenIds }) =>
        cached(this.nameColours, tints, tokenIds, () => nameColour(tints, tokenIds)),
      inDistrict: (id) => this.inCompactDistrict(id),
      view,
      width,
      height,
      zoom,
      uncovered,
    };
  }

  private middleIn(placement: Placement, tokenIds: readonly number[]): [number, number] {
    return cached(this.middles, placement, tokenIds, () => middleOf(placement, tokenIds));
  }

  private inCompactDistrict(token: number): boolean {
    const { found, districts } = this;
    if (!found) return false;
    const ids =
      this.compactIds.get(districts) ?? new Set(districts.filter(isCompact).map(({ id }) => id));
    this.compactIds.set(districts, ids);
    return ids.has(found.ids[found.of[token]! - 1]!);
  }
}

/** Return a value of a group of tokens, which is computed once as long as `of` lives. */
function cached<Of extends object, Value>(
  cache: WeakMap<Of, Map<readonly number[], Value>>,
  of: Of,
  tokenIds: readonly number[],
  compute: () => Value,
): Value {
  const known = cache.get(of) ?? new Map<readonly number[], Value>();
  cache.set(of, known);
  const value = known.get(tokenIds) ?? compute();
  known.set(tokenIds, value);
  return value;
}
