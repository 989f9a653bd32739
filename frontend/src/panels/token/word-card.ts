/** A picture of a word with its neighbours at two steps, to pass on. */

import { INK } from "../../map/palette";
import { FONT_FAMILY } from "../../model/typeface";
import type { Neighbours } from "../../api/rest-types";
import { tokenText } from "../../api/vocabulary";
import type { LiveRun } from "../../state/run/live-run.svelte";
import { t } from "../../strings";
import { loadExporters } from "../ui/exporters";
import { downloadFile } from "../ui/download";

/** Pixels of the picture: the shape in which links are shown. */
const [WIDTH, HEIGHT] = [1_200, 630];
const EDGE = 80;
/** Neighbours listed of each step. */
const LISTED = 5;

/**
 * Draw a word with its neighbours at two steps, and save the picture.
 *
 * @throws NotLoadedError if the code of the exporters does not arrive.
 */
export async function saveWordCard(
  { id: run, vocabulary }: LiveRun,
  word: string,
  then: Neighbours,
  now: Neighbours,
) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [WIDTH, HEIGHT];
  const context = canvas.getContext("2d");
  if (!context) return;
  context.fillStyle = INK.night;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  const write = (
    text: string,
    size: number,
    colour: string,
    x: number,
    y: number,
    wide: number,
  ) => {
    context.font = `${size > 40 ? 600 : 400} ${size}px ${FONT_FAMILY}`;
    context.fillStyle = colour;
    context.fillText(text, x, y, wide);
  };
  write(word, 96, INK.lamp, EDGE, 150, WIDTH - 2 * EDGE);
  const column = WIDTH / 2 - EDGE - 20;
  for (const [place, { step, items }] of [then, now].entries()) {
    const x = EDGE + place * (WIDTH / 2 - EDGE / 2);
    write(t.token.cardThen(step), 30, INK.quiet, x, 230, column);
    items.slice(0, LISTED).forEach(({ token_id, token }, row) => {
      write(
        tokenText(token_id, token, vocabulary),
        40,
        place ? INK.lamp : INK.text,
        x,
        290 + 54 * row,
        column,
      );
    });
  }
  write(t.product, 28, INK.quiet, EDGE, HEIGHT - 36, column);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  const { fileName } = await loadExporters();
  if (blob) downloadFile(blob, fileName(run, [word, "then-and-now"], "png"));
}
