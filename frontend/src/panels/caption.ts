/** The caption of a picture of what this viewer sees. */

import type { Caption } from "../city/caption";
import { foundGroups } from "../city/districts";
import { heat, tintOf, TINTS } from "../city/palette";
import type { App } from "../run/app.svelte";
import type { LiveRun } from "../run/live.svelte";
import { fixed, t } from "../strings";
import type { Layout } from "../wire/frames";
import { shown, shownLine } from "../wire/vocabulary";

/** What the map shows of the run; the step is the beat's, or the map's where no step has been. */
export function captionOf(app: App, run: LiveRun): Caption {
  const { beat, vocabulary } = run;
  const layout = app.layout;
  const all = vocabulary?.tokens.length ?? 0;
  const w = t.caption;
  return {
    title: shownLine(run.id),
    facts: beat
      ? [w.step(beat.step), w.loss(fixed(beat.loss, 3)), w.lit(beat.rows.batch, all)]
      : [w.step(layout?.step ?? 0), w.none(all)],
    notes: [...viewNotes(layout), w.relief, w.reading],
    legend: legendOf(app, run),
  };
}

/** Which view it is, and how far it can be trusted. */
export function viewNotes(layout: Layout | null): string[] {
  if (!layout) return [];
  const w = t.caption;
  const trust = Number.isFinite(layout.trust)
    ? w.trust(fixed(layout.trust, 3), fixed(layout.trustError, 3))
    : w.noTrust;
  return [w.view(t.mapSwitch[layout.drawnBy], layout.step), trust];
}

export function legendOf(app: App, run: LiveRun): Caption["legend"] {
  const { vocabulary, districts } = run;
  const w = t.caption;
  const classes = vocabulary?.classes ?? [];
  const wanted = app.viewing.colourBy;
  const by = wanted === "class" && !classes.length ? "frequency" : wanted;
  const ends = (words: readonly string[]) => words.map((name, i) => ({ tint: heat(i), name }));
  const entries =
    by === "class"
      ? classes.map((name, place) => ({ tint: tintOf(place), name: shown(name) }))
      : by === "district"
        ? districts && vocabulary
          ? foundGroups(districts, vocabulary).map(({ tint, name }) => ({
              tint: tintOf(tint),
              name: shown(name),
            }))
          : []
        : ends(by === "frequency" ? w.frequency : w.since);
  return { title: w.legend(t.colours[by], entries.length, TINTS.length), entries, more: w.more };
}

/** The step that a picture of this is named after. */
export function stepOf(app: App, run: LiveRun): number {
  return run.beat?.step ?? app.layout?.step ?? 0;
}
