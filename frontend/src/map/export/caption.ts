/** The caption of an exported picture: its content, its run, and how to read it. */

import { FONT_FAMILY } from "../../model/typeface";
import type { Insets } from "../../model/plane/viewport";
import { INK } from "../palette";

/** The texts of a caption. */
export interface Caption {
  title: string;
  /** Name of the author, in the top right corner; "" for none. */
  mark: string;
  /** Facts about the picture; lines break only between them. */
  facts: string[];
  /** How to read the picture; lines break only between the notes. */
  notes: string[];
  legend: {
    title: string;
    entries: { tint: string; name: string }[];
    /** Returns the text that replaces this many legend entries for lack of space. */
    more: (entries: number) => string;
  };
}

type Measure = (text: string, size: number, weight: number) => number;

interface Mark {
  text: string;
  x: number;
  y: number;
  size: number;
  weight: number;
  ink: string;
  /** Colour of a dot before the text. */
  tint?: string;
}

interface Block {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** A caption laid out for a picture of one size. */
export interface CaptionLayout {
  marks: Mark[];
  blocks: Block[];
  /** The space that the caption takes at the picture's edges. */
  insets: Insets;
}

const EDGE = 26;
const BETWEEN = "  ·  ";
const SPOT = 13;
const GAP = 14;
const LEGEND_LINES = 2;
const MARK_SIZE = 16;

/** Lay a caption out for a picture of `width` by `height` pixels; `measure` returns the width of a text. */
export function layOutCaption(
  caption: Caption,
  width: number,
  height: number,
  measure: Measure,
): CaptionLayout {
  const edge = width < 600 ? 14 : EDGE;
  const room = width - 2 * edge;
  const marks: Mark[] = [];
  const made = caption.mark ? measure(caption.mark, MARK_SIZE, 600) : 0;
  let y = edge;
  const line = (text: string, size: number, weight: number, ink: string) => {
    const free = room - (marks.length || !made ? 0 : made + GAP);
    const fitting = truncate(text, free, (some) => measure(some, size, weight));
    marks.push({ text: fitting, x: edge, y: y + size / 2, size, weight, ink });
    y += 1.4 * size;
  };
  line(caption.title, 19, 600, INK.lamp);
  for (const text of breakLines(caption.facts, room, (some) => measure(some, 15, 400))) {
    line(text, 15, 400, INK.text);
  }
  const top = y;
  y = 0;
  const first = marks.length;
  for (const text of breakLines(caption.notes, room, (some) => measure(some, 12, 400))) {
    line(text, 12, 400, INK.quiet);
  }
  y = placeLegend(caption, marks, edge, y, room, measure);
  const low = height - edge - y;
  for (const mark of marks.slice(first)) mark.y += low;
  const block = (of: Mark[], from: number, until: number): Block => {
    const left = Math.min(...of.map(({ x }) => x));
    const right = Math.max(
      ...of.map(
        ({ x, text, size, weight, tint }) => x + (tint ? SPOT : 0) + measure(text, size, weight),
      ),
    );
    return { left: left - 8, top: from - 6, width: right - left + 16, height: until - from + 10 };
  };
  const blocks = [
    block(marks.slice(0, first), edge, top),
    ...(marks.length > first ? [block(marks.slice(first), low, low + y)] : []),
  ];
  if (made) {
    const [x, y] = [width - edge - made, edge + 19 / 2];
    const mark = { text: caption.mark, x, y, size: MARK_SIZE, weight: 600, ink: INK.lamp };
    blocks.push(block([mark], edge, edge + 1.4 * MARK_SIZE));
    marks.push(mark);
  }
  return {
    marks,
    blocks,
    insets: { top: top + 16, right: edge + 10, bottom: height - low + 14, left: edge + 6 },
  };
}

/** Lay out the legend downwards from height `from`. Return the height of its end. */
function placeLegend(
  { legend }: Caption,
  marks: Mark[],
  edge: number,
  from: number,
  room: number,
  measure: Measure,
): number {
  const [size, weight, ink] = [12, 400, INK.text];
  const wide = (text: string) => measure(text, size, weight);
  let [x, y, lines] = [edge, from, 1];
  const put = (text: string, tint?: string) => {
    marks.push({
      text,
      x,
      y: y + size / 2,
      size,
      weight,
      ink: tint ? ink : INK.quiet,
      ...(tint && { tint }),
    });
    x += wide(text) + (tint ? SPOT : 0) + GAP;
  };
  if (!legend.title) return y;
  put(legend.title);
  for (const [i, { tint, name }] of legend.entries.entries()) {
    const left = legend.entries.length - i;
    const rest = left > 1 && lines === LEGEND_LINES ? wide(legend.more(left)) + GAP : 0;
    const text = truncate(name, room - SPOT, wide);
    if (x + SPOT + wide(text) + rest > edge + room) {
      if (lines === LEGEND_LINES) {
        put(legend.more(left));
        break;
      }
      [x, y, lines] = [edge, y + 1.5 * size, lines + 1];
    }
    put(text, tint);
  }
  return y + 1.4 * size;
}

/** Draw the caption, with the picture darkened behind it for legibility. */
export function drawCaption(context: CanvasRenderingContext2D, { marks, blocks }: CaptionLayout) {
  context.globalAlpha = 0.45;
  context.fillStyle = INK.night;
  for (const { left, top, width, height } of blocks) context.fillRect(left, top, width, height);
  context.globalAlpha = 1;
  context.textBaseline = "middle";
  context.textAlign = "left";
  for (const { text, x, y, size, weight, ink, tint } of marks) {
    if (tint) {
      context.fillStyle = tint;
      context.beginPath();
      context.arc(x + 4, y, 4, 0, 2 * Math.PI);
      context.fill();
    }
    context.font = `${weight} ${size}px ${FONT_FAMILY}`;
    context.fillStyle = ink;
    context.fillText(text, x + (tint ? SPOT : 0), y);
  }
}

/** Return a function that measures texts on a canvas, in pixels. */
export function createTextMeasure(): Measure {
  const context = document.createElement("canvas").getContext("2d")!;
  return (text, size, weight) => {
    context.font = `${weight} ${size}px ${FONT_FAMILY}`;
    return context.measureText(text).width;
  };
}

/** Join the parts into lines at most `room` wide. */
function breakLines(parts: string[], room: number, wide: (text: string) => number): string[] {
  const lines: string[] = [];
  for (const part of parts.filter(Boolean)) {
    const last = lines.at(-1);
    const longer = last === undefined ? part : last + BETWEEN + part;
    if (last !== undefined && wide(longer) <= room) lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  return lines;
}

/** Truncate a text with an ellipsis if it is wider than `room`. */
function truncate(text: string, room: number, wide: (text: string) => number): string {
  if (wide(text) <= room) return text;
  const letters = Array.from(text);
  while (letters.length > 1 && wide(`${letters.join("")}…`) > room) letters.pop();
  return `${letters.join("")}…`;
}
