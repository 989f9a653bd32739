/** The picture of a run's first map beside the displayed one. */

import type { Caption } from "../../map/export/caption";
import { lampColours } from "../../map/palette";
import { pictureSize, pixelDimensions } from "../../model/picture-sizes";
import { t } from "../../strings";
import { caption as w } from "./caption.strings";
import { loadExporters } from "../../ui/exporters";
import { pictureStep } from "./caption";
import type { PictureExport } from "./picture-export.svelte";

/** The parts of a caption that this picture omits. */
const PLAIN = { notes: [], legend: { title: "", entries: [], more: () => "" } };
const NOTHING_LIT = { ids: new Uint32Array(), norms: new Float32Array() };

/**
 * Draw the picture; null without two maps. It has the chosen size if that is square, else the wide one.
 * Throws `NotLoadedError` if the exporters' code cannot be loaded.
 */
export async function drawThenAndNow({ openRun, scale, size: chosen }: PictureExport) {
  const { run } = openRun;
  const colours = scale();
  const first = await run?.firstMap("umap");
  const now = openRun.layout;
  if (!run?.vocabulary || !first || !now || !colours) return null;
  const { vocabulary, beat, districts } = run;
  const { fileName, thenAndNowOf } = await loadExporters();
  const then = await run.fetchPastStep(first.step, first.method);
  const [firstLayout] = Object.values(then?.layouts ?? {});
  if (!then || !firstLayout) return null;
  const step = pictureStep(run, now);
  const frames = [
    { step: first.step, layout: firstLayout, districts: run.named(then.districts), ...NOTHING_LIT },
    {
      step,
      layout: now,
      districts,
      ...(beat ? { ids: beat.ids, norms: beat.norms } : NOTHING_LIT),
    },
  ];
  const caption = ({ layout }: { layout: unknown }): Caption =>
    layout === firstLayout
      ? {
          title: w.learns(vocabulary.tokens.length),
          mark: "",
          facts: [w.before(first.step)],
          ...PLAIN,
        }
      : { title: run.name, mark: t.product, facts: [w.after(step)], ...PLAIN };
  const size = pictureSize(chosen === "square" ? "square" : "projector", { width: 0, height: 0 });
  const tints = lampColours(colours, vocabulary);
  const blob = await thenAndNowOf({ vocabulary, frames, caption, tints }, size);
  const name = fileName(run.id, ["then-and-now", pixelDimensions(size).join("x")], "png");
  return blob && { blob, name };
}
