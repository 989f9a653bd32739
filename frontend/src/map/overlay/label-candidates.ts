/** Candidates for labels on the map, with their order and style. */

import { printableToken } from "../../api/vocabulary";
import type { LabelCandidate } from "./label-placement";
import { INK, tintOf } from "../palette";
import { toPixel } from "../../model/viewport";
import type { OverlayModel } from "./overlay-model";

export type LabelStyle = "district" | "lit" | "token" | "chosen" | "neighbour";

/** A label with its style and what it names. */
export interface MapLabel extends LabelCandidate {
  style: LabelStyle;
  /** Token id, or district id. */
  id: number;
  tint: string;
}

/** Returns width and height of a text, in pixels. */
type Measure = (text: string, style: LabelStyle) => { width: number; height: number };

/** Weight and size, in design pixels. */
export const LABEL_FONTS: Record<LabelStyle, [number, number]> = {
  district: [600, 11],
  lit: [400, 13.5],
  token: [400, 12],
  chosen: [600, 16],
  neighbour: [400, 13.5],
};
/** Distance of a label above its district, in pixels. */
const LIFT = 14;
/** Least distance between two labels of lit tokens, in design pixels. */
const APART = 86;

/** Yield the labels that may be drawn, the most important first. */
export function* labelCandidates(
  model: OverlayModel,
  scale: number,
  measure: Measure,
): Iterable<MapLabel> {
  const { vocabulary, lit, chosen, links, zoom, width, height } = model;
  const seen = new Set<number>();
  const token = (id: number, style: LabelStyle): MapLabel | null => {
    if (seen.has(id) || id >= vocabulary.tokens.length) return null;
    const [x, y] = toPixel(model, model.positionOf(id));
    if (x < 0 || y < 0 || x > width || y > height) return null;
    seen.add(id);
    const text = printableToken(vocabulary.tokens[id]);
    const tint = tintOf(Math.max(0, vocabulary.classOf[id]!));
    return {
      key: `t${id}`,
      text,
      x,
      y,
      ...measure(text, style),
      style,
      id,
      tint,
    };
  };
  if (chosen !== null) {
    const name = token(chosen, "chosen");
    if (name) yield name;
    for (const { id } of links) {
      const near = token(id, "neighbour");
      if (near) yield near;
    }
  }
  for (const { id } of model.trails) {
    const name = token(id, "neighbour");
    if (name) yield name;
  }
  // Lit tokens precede districts, because the beat is the news. Only one per neighbourhood, so that they
  // represent the whole batch.
  let bright = Math.round((labelArea(model, scale) / 62_000) * Math.min(3, Math.max(1, zoom)));
  const litLabels: MapLabel[] = [];
  for (const { id } of lit) {
    if (bright <= 0) break;
    const name = token(id, "lit");
    if (!name) continue;
    const apart = ({ x, y }: MapLabel) =>
      Math.hypot(x - name.x, (y - name.y) * 1.6) > APART * scale;
    if (!litLabels.every(apart)) {
      seen.delete(id);
      continue;
    }
    litLabels.push(name);
    bright -= 1;
    yield name;
  }
  yield* districtNames(model, scale, measure);
  let quiet = vocabulary.classes.length ? Math.round((zoom - 1.6) * 26) : Math.round(zoom * 14);
  if (quiet <= 0) return;
  quiet = Math.min(90, quiet);
  for (const id of model.commonest()) {
    const name = token(id, "token");
    if (!name) continue;
    yield name;
    if (--quiet <= 0) return;
  }
}

function* districtNames(model: OverlayModel, scale: number, measure: Measure): Iterable<MapLabel> {
  const { zoom, width, height } = model;
  const fade = Math.max(0, Math.min(1, (7 - zoom) / 3));
  // From afar only the larger districts are labelled; the smaller ones follow on zooming in.
  let most = Math.round((labelArea(model, scale) / 34_000) * Math.max(1, zoom) ** 2);
  for (const { id, tint, name, x, y, compactness } of model.districts) {
    if (compactness * fade < 0.12) continue;
    const [px, py] = toPixel(model, [x, y]);
    if (px < 0 || py < 0 || px > width || py > height) continue;
    if (most-- <= 0) return;
    const text = printableToken(name).toLocaleUpperCase();
    const size = measure(text, "district");
    yield {
      key: `d${id}`,
      text,
      x: px,
      y: py - LIFT,
      ...size,
      centred: true,
      style: "district",
      id,
      tint: tintOf(tint),
    };
  }
}

/** Return the area for labels, in square design pixels. */
export function labelArea({ width, height }: OverlayModel, scale: number): number {
  return (width * height) / scale ** 2;
}

/** Return the current position of a label, in pixels; null if its token or district is gone. */
export function labelPosition(
  { style, id }: MapLabel,
  model: OverlayModel,
): [number, number] | null {
  if (style !== "district") {
    return id < model.vocabulary.tokens.length ? toPixel(model, model.positionOf(id)) : null;
  }
  const district = model.districts.find((candidate) => candidate.id === id);
  if (!district) return null;
  const [x, y] = toPixel(model, [district.x, district.y]);
  return [x, y - LIFT];
}

/** Return the colour of a label. */
export function labelColour({ style, tint }: MapLabel): string {
  if (style === "district") return tint;
  if (style === "token") return INK.quiet;
  return style === "lit" ? "#f2ead9" : style === "chosen" ? INK.lamp : INK.text;
}
