/** A picture of a word with its neighbours at two steps, to share. */

import { INK } from "../../map/palette";
import { FONT_FAMILY } from "../../model/typeface";
import type { Neighbours } from "../../api/rest-types";
import { tokenText } from "../../api/vocabulary";
import type { LiveRun } from "../../state/run/live-run.svelte";
import { t } from "../../strings";
import { cards } from "../../strings/cards";
import { loadExporters } from "../../ui/exporters";
import { downloadFile } from "../../ui/download";

/** Size of the picture in pixels, that of a link preview. */
const WIDTH = 1_200;
const HEIGHT = 630;
const EDGE = 80;
/** Neighbours listed for each step, and the pixels from one to the next. */
const MAX_LISTED = 5;
const ROW = 50;

/**
 * Draw a word with its neighbours at two steps, and save the picture. Throws `NotLoadedError` if the
 * exporters' code cannot be loaded.
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
  let column = WIDTH - 2 * EDGE;
  const write = (text: string, size: number, colour: string, x: number, y: number) => {
    context.font = `${size > 80 ? 600 : 400} ${size}px ${FONT_FAMILY}`;
    context.fillStyle = colour;
    context.fillText(text, x, y, column);
  };
  write(word, 96, INK.lamp, EDGE, 140);
  write(cards.token.cardSentence, 28, INK.quiet, EDGE, 200);
  column = WIDTH / 2 - EDGE - 20;
  for (const [place, { step, items }] of [then, now].entries()) {
    const x = EDGE + place * (WIDTH / 2 - EDGE / 2);
    write(cards.token.cardThen(step), 28, INK.quiet, x, 272);
    for (const [at, { token_id, token }] of items.slice(0, MAX_LISTED).entries()) {
      const colour = place ? INK.lamp : INK.text;
      const y = 272 + ROW * (at + 1.1);
      write(tokenText(token_id, token, vocabulary), 0.75 * ROW, colour, x, y);
    }
  }
  write(t.product, 28, INK.quiet, EDGE, HEIGHT - 36);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  const { fileName } = await loadExporters();
  if (blob) downloadFile(blob, fileName(run, [word, "then-and-now"], "png"));
}
