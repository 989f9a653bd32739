/** A picture of a word with its neighbours at two steps, to pass on. */

import { INK } from "../../map/palette";
import { FONT_FAMILY } from "../../model/typeface";
import type { Neighbours } from "../../api/rest-types";
import { tokenText } from "../../api/vocabulary";
import type { LiveRun } from "../../state/run/live-run.svelte";
import { t } from "../../strings";
import { loadExporters } from "../ui/exporters";
import { downloadFile } from "../ui/download";

/**
 * Shapes of the picture, in pixels: the one in which links are shown, and the one of feeds and phones. `listed`
 * neighbours of each step stand below each other, `row` pixels apart.
 */
const SHAPES = {
  wide: { width: 1_200, height: 630, listed: 5, row: 50 },
  square: { width: 1_080, height: 1_080, listed: 10, row: 66 },
} as const;
export type CardShape = keyof typeof SHAPES;
const EDGE = 80;

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
  shape: CardShape,
) {
  const { width, height, listed, row } = SHAPES[shape];
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  if (!context) return;
  context.fillStyle = INK.night;
  context.fillRect(0, 0, width, height);
  let column = width - 2 * EDGE;
  const write = (text: string, size: number, colour: string, x: number, y: number) => {
    context.font = `${size > 80 ? 600 : 400} ${size}px ${FONT_FAMILY}`;
    context.fillStyle = colour;
    context.fillText(text, x, y, column);
  };
  write(word, 96, INK.lamp, EDGE, 140);
  write(t.token.cardSentence, 28, INK.quiet, EDGE, 200);
  column = width / 2 - EDGE - 20;
  for (const [place, { step, items }] of [then, now].entries()) {
    const x = EDGE + place * (width / 2 - EDGE / 2);
    write(t.token.cardThen(step), 28, INK.quiet, x, 272);
    for (const [at, { token_id, token }] of items.slice(0, listed).entries()) {
      const colour = place ? INK.lamp : INK.text;
      const y = 272 + row * (at + 1.1);
      write(tokenText(token_id, token, vocabulary), 0.75 * row, colour, x, y);
    }
  }
  write(t.product, 28, INK.quiet, EDGE, height - 36);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  const { fileName } = await loadExporters();
  if (blob)
    downloadFile(
      blob,
      fileName(run, [word, "then-and-now", ...(shape === "square" ? [shape] : [])], "png"),
    );
}
