/** The caption of a picture of this viewer's map. */

import type { Caption } from "../../map/export/caption";
import { TINTS, entryColour } from "../../map/palette";
import type { ColourBy } from "../../model/view/view-options";
import type { StepLight } from "../../model/light";
import type { LiveRun } from "../../state/run/live-run.svelte";
import type { ColourScale } from "../../model/colour-scale";
import { entryText, fixed, t } from "../../strings";
import { caption as w } from "./caption.strings";
import type { Layout } from "../../api/frames";

/** Return the caption of the displayed map. The step is the beat's, or the layout's before the first step. */
export function pictureCaption(
  run: LiveRun,
  layout: Layout | null,
  scale: ColourScale | null,
): Caption {
  const { beat, vocabulary } = run;
  const all = vocabulary?.tokens.length ?? 0;
  return {
    title: w.learns(all),
    mark: t.product,
    facts: beat
      ? [run.name, w.step(beat.step), lossFact(beat), litFact(beat, all)]
      : [run.name, w.step(layout?.step ?? 0), w.none(all)],
    notes: [...viewNotes(layout), w.relief, lightNote(beat)],
    legend: captionLegend(scale),
  };
}

/** Return how many words a step read; empty if not recorded. */
export function litFact({ rows }: Pick<StepLight, "rows">, all: number): string {
  return rows.batch === null ? "" : w.lit(rows.batch, all);
}

/** Return the meaning of a lamp's light: without recorded gradients, only that the step read its word. */
function lightNote(beat: Pick<StepLight, "rows"> | null): string {
  return beat && beat.rows.gradient === null ? w.readOnly : w.reading;
}

/** Return the loss of a step; empty if unknown. */
export function lossFact({ loss }: Pick<StepLight, "loss">): string {
  return Number.isFinite(loss) ? w.loss(fixed(loss, 3)) : "";
}

/** Return the notes about a view: its method, step and trust. Empty without a layout. */
export function viewNotes(layout: Layout | null): string[] {
  if (!layout) return [];
  const trust = Number.isFinite(layout.recall) ? w.trust(layout.recall) : w.noTrust;
  return [w.view(t.mapSwitch[layout.drawnBy], layout.step), trust];
}

/**
 * Return the legend of the lamps' colours: kinds by descending token count, bands in the order of the scale.
 * `unknown` overrides, by colouring, the usual text for unknown values.
 */
export function captionLegend(
  scale: ColourScale | null,
  unknown: Partial<Record<ColourBy, string>> = {},
): Caption["legend"] {
  const some = (scale?.entries ?? []).filter(({ count }) => count > 0);
  const kinds = some.filter(({ name }) => name !== null).sort((a, b) => b.count - a.count);
  const others = some.filter(({ name }) => name === null);
  const entries = [...kinds, ...others].map((entry) => ({
    tint: entryColour(entry.colour),
    name: (entry.other === "unknown" && unknown[scale!.by]) || entryText(entry, scale!.by),
  }));
  const by = scale ? t.colours[scale.by] : "";
  return { title: by && w.legend(by, kinds.length, TINTS.length), entries, more: w.more };
}

/** Return the step for the picture's file name. */
export function pictureStep(run: LiveRun, layout: Layout | null): number {
  return run.beat?.step ?? layout?.step ?? 0;
}
