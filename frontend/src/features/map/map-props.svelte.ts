/** The props of the map: marks, lamp colours, and texts about a lamp. */

import { lampColours } from "../../map/palette";
import type { Stores } from "../../state/context";
import { Colouring } from "../../state/view/colouring.svelte";
import { doubtfulTokens } from "../../state/tokens/token-trust";
import { tokensOfDistrict } from "../../model/districts/district-members";
import { buildLinks, nearestOnMap } from "../../state/view/neighbour-links";
import { idsInEntry, kindNameOf } from "../../state/view/colour-scales";
import { MAX_TRAILED_MOVERS, Trails } from "../../state/view/trails.svelte";
import { t } from "../../strings";
import { NEVER } from "../../api/frames";
import { printableName } from "../../api/vocabulary";

/** Neighbours ringed on each of the maps of two matrices. */
const MAX_RINGED = 8;

type MapStores = Pick<
  Stores,
  "openRun" | "viewSettings" | "viewpoint" | "focus" | "selection" | "biggestMovers"
>;

export class MapProps {
  readonly colouring: Colouring;
  readonly trails: Trails;
  /** Key of the legend entry under the pointer or the focus. */
  pointedEntry = $state<string | null>(null);

  /** Create it in a component, where effects can be created. */
  constructor(private readonly stores: MapStores) {
    this.colouring = new Colouring(stores);
    this.trails = new Trails(stores);
  }

  private readonly spaceNeighbours = $derived.by(() => this.stores.focus.neighbours);
  private readonly mapNeighbours = $derived.by(() => {
    const { openRun, focus } = this.stores;
    return this.spaceNeighbours && openRun.layout && focus.token !== null
      ? nearestOnMap(openRun.layout, focus.token, this.spaceNeighbours.items.length)
      : [];
  });
  /** Links from the chosen token. */
  readonly links = $derived.by(() =>
    buildLinks(
      this.stores.viewSettings.links,
      this.spaceNeighbours?.items ?? [],
      this.mapNeighbours,
    ),
  );
  /** How many of the chosen token's neighbours on the map are also its neighbours in the space; null without one. */
  readonly shared = $derived.by(() => {
    const { spaceNeighbours, mapNeighbours } = this;
    const { layout } = this.stores.openRun;
    if (!spaceNeighbours || !layout || !mapNeighbours.length) return null;
    const both = buildLinks("both", spaceNeighbours.items, mapNeighbours).filter(
      ({ kind }) => kind === "both",
    );
    return {
      shared: both.length,
      k: mapNeighbours.length,
      map: layout.step,
      space: spaceNeighbours.step,
    };
  });
  /** Misplaced tokens; empty unless the viewer has them marked. */
  readonly doubtful = $derived.by(() =>
    this.stores.viewSettings.markDoubtful ? (doubtfulTokens(this.stores.openRun.layout) ?? []) : [],
  );
  private readonly districtTokens = $derived.by(() => {
    const { openRun, viewSettings, viewpoint } = this.stores;
    const district = viewpoint.pointedOut ?? viewSettings.district;
    return tokensOfDistrict(district, openRun.run?.districts ?? null);
  });
  private readonly entryTokens = $derived.by(() =>
    idsInEntry(this.colouring.scale, this.pointedEntry ?? this.stores.viewSettings.ring),
  );
  /**
   * Ringed tokens: those of the legend entry; else those of the district that is pointed out or in focus;
   * beside the map of the output matrix, the neighbours of the chosen token.
   */
  readonly ringedIds = $derived.by(() => {
    if (this.entryTokens.length) return this.entryTokens;
    if (this.districtTokens.length || this.stores.viewSettings.secondMap !== "matrix:out")
      return this.districtTokens;
    return this.spaceNeighbours?.items.slice(0, MAX_RINGED).map(({ token_id }) => token_id) ?? [];
  });

  /** Lamp colours in the scene's format; null while there are none. */
  readonly tints = $derived.by(() => {
    const { scale } = this.colouring;
    const vocabulary = this.stores.openRun.run?.vocabulary;
    return vocabulary && scale?.entryOf.length === vocabulary.tokens.length
      ? lampColours(scale, vocabulary)
      : null;
  });
  /** Trails; `own` is true unless the token is one of the biggest movers. */
  readonly shownTrails = $derived.by(() => {
    const { viewSettings, biggestMovers } = this.stores;
    const movers = new Set(
      viewSettings.trails === "movers" ? biggestMovers.farthest(MAX_TRAILED_MOVERS) : [],
    );
    return this.trails.current.map((trail) => ({ ...trail, own: !movers.has(trail.id) }));
  });

  /** Set the legend entry under the pointer or the focus; null: none. */
  readonly pointAtEntry = (key: string | null) => {
    this.pointedEntry = key;
  };

  /** Return the meaning of a lamp's colour in words; empty for class and frequency, which the tooltip always shows. */
  readonly colourText = (id: number): string => {
    const { scale } = this.colouring;
    if (!scale || id >= scale.entryOf.length) return "";
    if (scale.by === "district")
      return printableName(kindNameOf(scale, id) ?? t.legend.none.district);
    const value = scale.values?.[id] ?? NaN;
    if (Number.isNaN(value)) return t.legend.unknownText[scale.by] ?? "";
    return t.legend.valueText(scale.by, value, this.stores.biggestMovers.value);
  };

  /** Return in words how often a token occurs and when it was last lit, as far as known. */
  readonly tooltipText = (id: number): string => {
    const { touchCounts, vocabulary } = this.stores.openRun.run ?? {};
    const said = [
      t.wordRead.occurs(vocabulary?.counts[id] ?? NaN),
      vocabulary?.placed?.[id] && t.wordRead.placed,
    ];
    if (!touchCounts?.unread) {
      const last = touchCounts?.lastLit[id] ?? NEVER;
      const ago =
        last === NEVER ? t.wordRead.never : t.wordRead.ago((touchCounts?.step ?? 0) - last);
      said.push(`${t.wordRead.lastLit} ${ago}`);
    }
    return said.filter(Boolean).join(" · ");
  };
}
