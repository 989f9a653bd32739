/** The props of the map: marks, lamp colours, and texts about a lamp. */

import { foundGroups } from "../../map/regions/districts";
import { lampBytes } from "../../map/palette";
import type { App } from "../../state/app-state.svelte";
import { Colouring } from "../../state/view/colouring.svelte";
import { doubtfulIn } from "../../state/tokens/token-trust";
import { LIT } from "../../model/touch-counts";
import { linksOf, nearestOnMap } from "../../state/view/neighbour-links";
import { idsIn, nameIn } from "../../state/view/colour-scales";
import { MOVERS, Trails } from "../../state/view/trails.svelte";
import { t } from "../../strings";
import { NEVER } from "../../api/frames";
import { shownLine } from "../../api/vocabulary";

export class Marking {
  readonly colouring: Colouring;
  readonly trails: Trails;
  /** Key of the legend entry under the pointer or the focus. */
  pointed = $state<string | null>(null);

  /** Create it in a component, where effects can be created. */
  constructor(private readonly app: App) {
    this.colouring = new Colouring(app, (found, tokens) =>
      foundGroups(found, tokens).map(({ tint }) => tint),
    );
    this.trails = new Trails(app);
  }

  private readonly space = $derived.by(() => this.app.selection?.neighbours ?? null);
  private readonly onMap = $derived.by(() => {
    const { layout, selection } = this.app;
    return this.space && layout && selection?.token != null
      ? nearestOnMap(layout, selection.token, this.space.items.length)
      : [];
  });
  /** Links from the chosen token. */
  readonly links = $derived.by(() =>
    linksOf(this.app.viewing.links, this.space?.items ?? [], this.onMap),
  );
  /** How many of the chosen token's neighbours on the map are neighbours in the space; null without a chosen token. */
  readonly shared = $derived.by(() => {
    const { space, onMap } = this;
    const { layout } = this.app;
    if (!space || !layout || !onMap.length) return null;
    const both = linksOf("both", space.items, onMap).filter(({ kind }) => kind === "both");
    return { shared: both.length, k: onMap.length, map: layout.step, space: space.step };
  });
  /** Tokens shown where they do not belong; empty unless the viewer has them marked. */
  readonly doubtful = $derived.by(() =>
    this.app.viewing.doubting ? (doubtfulIn(this.app.layout) ?? []) : [],
  );
  private readonly among = $derived.by(() => {
    const { run, viewing } = this.app;
    const found = run?.districts;
    const place = found && viewing.district !== null ? found.ids.indexOf(viewing.district) + 1 : 0;
    if (!found || place <= 0) return [];
    const ids: number[] = [];
    found.of.forEach((of, id) => {
      if (of === place) ids.push(id);
    });
    return ids;
  });
  private readonly ringed = $derived.by(() =>
    idsIn(this.colouring.shades, this.pointed ?? this.app.viewing.ring),
  );
  /** Ringed tokens: those of the legend entry, or else of the district in focus. */
  readonly ids = $derived.by(() => (this.ringed.length ? this.ringed : this.among));

  private readonly rank = $derived.by(() => {
    const vocabulary = this.app.run?.vocabulary;
    const ranks = new Float32Array(vocabulary?.tokens.length ?? 0);
    vocabulary?.byCount.forEach((id, i) => (ranks[id] = 1 - i / ranks.length));
    return ranks;
  });
  /** Lamp colours in the scene's format; null while there are none. */
  readonly tints = $derived.by(() => {
    const { shades } = this.colouring;
    if (!shades || shades.of.length !== this.rank.length) return null;
    return lampBytes(
      shades.entries.map(({ shade }) => shade),
      shades.of,
      this.rank,
    );
  });
  /** Trails; `own` is true unless the token is one of the biggest movers. */
  readonly ways = $derived.by(() => {
    const { viewing, moves } = this.app;
    const movers = new Set(viewing.trails === "movers" ? moves.farthest(MOVERS) : []);
    return this.trails.now.map((trail) => ({ ...trail, own: !movers.has(trail.id) }));
  });

  /** Return the meaning of a lamp's colour in words; empty for class and frequency, which the tooltip shows anyway. */
  readonly telling = (id: number): string => {
    const { shades } = this.colouring;
    if (!shades || id >= shades.of.length) return "";
    if (shades.by === "district")
      return shownLine(nameIn(shades, id) ?? t.legend.none.district ?? "");
    const value = shades.values?.[id] ?? NaN;
    if (Number.isNaN(value)) return t.legend.toldUnknown[shades.by] ?? "";
    return t.legend.told(shades.by, value, this.app.moves.now);
  };

  /** Return in words how often a token occurs, and when it was last lit. */
  readonly about = (id: number): string => {
    const { ledger, vocabulary } = this.app.run ?? {};
    const last = ledger?.lastLit[id] ?? NEVER;
    const times = t.token.times(vocabulary?.counts[id] ?? 0);
    const unsure = ((ledger?.about[id] ?? 0) & LIT) > 0;
    const ago = last === NEVER ? t.token.never : t.token.ago((ledger?.step ?? 0) - last, unsure);
    return `${t.token.count} ${times} · ${t.token.lastLit} ${ago}`;
  };
}
