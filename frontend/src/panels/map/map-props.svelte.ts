/** The props of the map: marks, lamp colours, and texts about a lamp. */

import { clusterGroups } from "../../map/regions/districts";
import { lampColours } from "../../map/palette";
import type { AppState } from "../../state/app-state.svelte";
import { Colouring } from "../../state/view/colouring.svelte";
import { doubtfulTokens } from "../../state/tokens/token-trust";
import { LIT_BIT } from "../../model/touch-counts";
import { buildLinks, nearestOnMap } from "../../state/view/neighbour-links";
import { idsInEntry, kindNameOf } from "../../state/view/colour-scales";
import { MAX_TRAILED_MOVERS, Trails } from "../../state/view/trails.svelte";
import { t } from "../../strings";
import { NEVER } from "../../api/frames";
import { printableText } from "../../api/vocabulary";

export class MapProps {
  readonly colouring: Colouring;
  readonly trails: Trails;
  /** Key of the legend entry under the pointer or the focus. */
  pointedEntry = $state<string | null>(null);

  /** Create it in a component, where effects can be created. */
  constructor(private readonly app: AppState) {
    this.colouring = new Colouring(app, (found, tokens) =>
      clusterGroups(found, tokens).map(({ tint }) => tint),
    );
    this.trails = new Trails(app);
  }

  private readonly spaceNeighbours = $derived.by(() => this.app.focusedToken?.neighbours ?? null);
  private readonly mapNeighbours = $derived.by(() => {
    const { layout, focusedToken: selection } = this.app;
    return this.spaceNeighbours && layout && selection?.token != null
      ? nearestOnMap(layout, selection.token, this.spaceNeighbours.items.length)
      : [];
  });
  /** Links from the chosen token. */
  readonly links = $derived.by(() =>
    buildLinks(this.app.viewSettings.links, this.spaceNeighbours?.items ?? [], this.mapNeighbours),
  );
  /** How many of the chosen token's neighbours on the map are neighbours in the space; null without a chosen token. */
  readonly shared = $derived.by(() => {
    const { spaceNeighbours: space, mapNeighbours: onMap } = this;
    const { layout } = this.app;
    if (!space || !layout || !onMap.length) return null;
    const both = buildLinks("both", space.items, onMap).filter(({ kind }) => kind === "both");
    return { shared: both.length, k: onMap.length, map: layout.step, space: space.step };
  });
  /** Tokens shown where they do not belong; empty unless the viewer has them marked. */
  readonly doubtful = $derived.by(() =>
    this.app.viewSettings.markDoubtful ? (doubtfulTokens(this.app.layout) ?? []) : [],
  );
  private readonly districtTokens = $derived.by(() => {
    const { run, viewSettings: viewing } = this.app;
    const found = run?.districts;
    const place = found && viewing.district !== null ? found.ids.indexOf(viewing.district) + 1 : 0;
    if (!found || place <= 0) return [];
    const ids: number[] = [];
    found.of.forEach((of, id) => {
      if (of === place) ids.push(id);
    });
    return ids;
  });
  private readonly entryTokens = $derived.by(() =>
    idsInEntry(this.colouring.shades, this.pointedEntry ?? this.app.viewSettings.ring),
  );
  /** Ringed tokens: those of the legend entry, or else of the district in focus. */
  readonly ringedIds = $derived.by(() =>
    this.entryTokens.length ? this.entryTokens : this.districtTokens,
  );

  private readonly frequencyRank = $derived.by(() => {
    const vocabulary = this.app.run?.vocabulary;
    const ranks = new Float32Array(vocabulary?.tokens.length ?? 0);
    vocabulary?.byCount.forEach((id, i) => (ranks[id] = 1 - i / ranks.length));
    return ranks;
  });
  /** Lamp colours in the scene's format; null while there are none. */
  readonly tints = $derived.by(() => {
    const { shades } = this.colouring;
    if (!shades || shades.entryOf.length !== this.frequencyRank.length) return null;
    return lampColours(
      shades.entries.map(({ shade }) => shade),
      shades.entryOf,
      this.frequencyRank,
    );
  });
  /** Trails; `own` is true unless the token is one of the biggest movers. */
  readonly shownTrails = $derived.by(() => {
    const { viewSettings: viewing, biggestMovers: moves } = this.app;
    const movers = new Set(viewing.trails === "movers" ? moves.farthest(MAX_TRAILED_MOVERS) : []);
    return this.trails.current.map((trail) => ({ ...trail, own: !movers.has(trail.id) }));
  });

  /** Return the meaning of a lamp's colour in words; empty for class and frequency, which the tooltip shows anyway. */
  readonly colourText = (id: number): string => {
    const { shades } = this.colouring;
    if (!shades || id >= shades.entryOf.length) return "";
    if (shades.by === "district")
      return printableText(kindNameOf(shades, id) ?? t.legend.none.district ?? "");
    const value = shades.values?.[id] ?? NaN;
    if (Number.isNaN(value)) return t.legend.toldUnknown[shades.by] ?? "";
    return t.legend.told(shades.by, value, this.app.biggestMovers.current);
  };

  /** Return in words how often a token occurs, and when it was last lit. */
  readonly about = (id: number): string => {
    const { touchCounts: ledger, vocabulary } = this.app.run ?? {};
    const last = ledger?.lastLit[id] ?? NEVER;
    const times = t.token.times(vocabulary?.counts[id] ?? 0);
    const unsure = ((ledger?.upperBounds[id] ?? 0) & LIT_BIT) > 0;
    const ago = last === NEVER ? t.token.never : t.token.ago((ledger?.step ?? 0) - last, unsure);
    return `${t.token.count} ${times} · ${t.token.lastLit} ${ago}`;
  };
}
