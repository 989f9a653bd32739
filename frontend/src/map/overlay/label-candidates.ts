/** Candidates for labels on the map, with their order and style. */

import { printableName, printableToken } from "../../api/vocabulary";
import { toPixel } from "../../model/plane/viewport";
import { INK } from "../palette";
import { lampGrowth } from "../webgl/glow-falloff";
import { ringRadius } from "./marks";
import { isCompact, type District } from "../regions/districts";
import type { LabelCandidate } from "./label-placement";
import type { OverlayModel } from "./overlay-model";

export type LabelStyle = "district" | "minor" | "lit" | "token" | "chosen" | "neighbour";

/** A label with its style and its subject. */
export interface MapLabel extends LabelCandidate {
  style: LabelStyle;
  colour: string;
  /** Token id, or district id. */
  id: number;
}

/** Returns width and height of a text, in pixels. */
type Measure = (text: string, style: LabelStyle) => { width: number; height: number };

/** Returns the style of the label with a key if it is on the map now. */
type ShownStyle = (key: string) => LabelStyle | undefined;

/** Weight and size, in design pixels. Districts that stand out less are `minor`. */
export const LABEL_FONTS: Record<LabelStyle, [number, number]> = {
  district: [600, 15],
  minor: [600, 11.5],
  lit: [400, 13],
  token: [400, 13],
  chosen: [600, 18],
  neighbour: [400, 13],
};
/** Lit words, the chosen one and its neighbours are as warm as their lamps; minor districts have their tint. */
const LABEL_INKS = {
  district: "text",
  lit: "lit",
  token: "text",
  chosen: "lamp",
  neighbour: "lamp",
} as const;
/** Square design pixels of the whole map per named district, and per district with a large name. */
const ROOM = 16_000;
const LARGE_ROOM = 75_000;
/** How far another district must stand out more than a named one, as a ratio, to take its place. */
const KEEP = 1.5;
/** Maximum number of lit lamps named on the whole map, and the square design pixels per name. */
const NAMED_LAMPS = 12;
const LAMP_ROOM = 70_000;
/** Magnification from which the words of a district are named, and from which it is too large for a name. */
const CLOSE = 2.4;
const NEAR = 6.6;
/** Maximum number of named words at each end of a direction. */
const NAMED_ENDS = 6;
/** Minimum distance between two labels of lit tokens, in design pixels. */
const APART = 86;
/** Maximum number of tokens that are considered for a name because they are common. */
const MAX_LOOKED = 4_000;
/** A meaningful token: the label of a punctuation mark would look like a hole in the map. */
const WORD = /[\p{L}\p{N}]/u;

/** Yield the labels that may be drawn, most important first. */
export function* labelCandidates(
  model: OverlayModel,
  scale: number,
  measure: Measure,
  shownStyle: ShownStyle,
): Iterable<MapLabel> {
  const { vocabulary, lit, chosen, links, zoom, width, height } = model;
  const seen = new Set<number>();
  const token = (id: number, style: keyof typeof LABEL_INKS): MapLabel | null => {
    if (seen.has(id) || id >= vocabulary.tokens.length) return null;
    const [x, y] = toPixel(model, model.positionOf(id));
    if (x < 0 || y < 0 || x > width || y > height) return null;
    seen.add(id);
    const name = printableToken(vocabulary.tokens[id]);
    const note = model.notes?.get(id);
    const text = note ? `${name} ${note}` : name;
    const gap = (style === "chosen" ? ringRadius(zoom) + 5 : 7 + 3 * lampGrowth(zoom)) * scale;
    const colour = INK[LABEL_INKS[style]];
    const patient = style === "lit" || style === "token";
    return { key: `t${id}`, text, x, y, gap, ...measure(text, style), patient, style, colour, id };
  };
  const says = (id: number) => WORD.test(vocabulary.tokens[id] ?? "");
  const speaks = (id: number) => says(id) && (zoom >= CLOSE || !model.inDistrict(id));
  if (chosen !== null) {
    const name = token(chosen, "chosen");
    if (name) yield name;
    for (const { id } of links) {
      const near = token(id, "neighbour");
      if (near) yield near;
    }
  }
  // The ends of a direction, a few words each.
  for (const end of [model.arrow?.from, model.arrow?.to])
    for (const id of end?.slice(0, NAMED_ENDS) ?? []) {
      const name = token(id, "neighbour");
      if (name) yield name;
    }
  // Notes are large enough for a room, unless the map is too narrow for them.
  const wide = width >= 600 * scale;
  for (const id of [...(model.rings?.keys() ?? [])].slice(0, NAMED_LAMPS)) {
    const name = says(id) && token(id, model.notes?.has(id) && wide ? "chosen" : "neighbour");
    if (name) yield name;
  }
  for (const { id } of model.trails) {
    const name = token(id, "neighbour");
    if (name) yield name;
  }
  // Districts precede lit tokens, or their names would come and go with every beat.
  yield* districtNames(model, scale, measure, shownStyle);
  // Only one per neighbourhood, so that they represent the whole batch.
  const most = Math.min(NAMED_LAMPS, labelArea(model, scale) / LAMP_ROOM);
  let bright = Math.round(most * Math.min(4, Math.max(1, zoom)));
  const litLabels: MapLabel[] = [];
  for (const { id } of lit) {
    if (bright <= 0) break;
    const name = speaks(id) && token(id, "lit");
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
  let quiet = Math.min(90, Math.round((zoom - 1.6) * 26));
  let looked = 0;
  if (quiet <= 0) return;
  for (const id of model.commonest()) {
    if (++looked > MAX_LOOKED) return;
    const name = speaks(id) && token(id, "token");
    if (!name) continue;
    yield name;
    if (--quiet <= 0) return;
  }
}

/**
 * Yield the names of districts, those that stand out most first: more on a larger screen and when zoomed in.
 * Whether a district is named does not depend on the rest of the view, so that names stay while the map moves.
 */
function* districtNames(
  model: OverlayModel,
  scale: number,
  measure: Measure,
  shownStyle: ShownStyle,
): Iterable<MapLabel> {
  const { zoom, width, height } = model;
  if (zoom > NEAR) return;
  const area = labelArea(model, scale) * Math.max(1, zoom) ** 2;
  const styles = districtStyles(
    model.districts.filter(isCompact),
    area / ROOM,
    area / LARGE_ROOM,
    (id) => shownStyle(`d${id}`),
  );
  for (const [district, style] of styles) {
    const { id, name } = district;
    const [x, y] = toPixel(model, model.middleOf(district));
    if (x < 0 || y < 0 || x > width || y > height) continue;
    const text = printableName(printableToken(name));
    const colour = style === "minor" ? model.nameColour(district) : INK[LABEL_INKS[style]];
    const size = { ...measure(text, style), centred: true, patient: true };
    yield { key: `d${id}`, text, x, y, ...size, style, colour, id };
  }
}

/**
 * Return the first `most` districts with their styles, the first `large` of them in large type. A visible name
 * keeps its rank and its size until another stands out far more, so that names do not change with every token
 * that moves.
 */
export function districtStyles(
  districts: readonly District[],
  most: number,
  large: number,
  shownStyle: (id: number) => LabelStyle | undefined,
): [District, "district" | "minor"][] {
  const weighed = districts.map((district) => {
    const { id, prominence } = district;
    const shown = shownStyle(id);
    // A visible name also changes its size only for a reason.
    const large = shown === "minor" ? 1 / KEEP : shown ? KEEP : 1;
    return { district, weight: (shown ? KEEP : 1) * prominence, large: large * prominence };
  });
  const named = weighed.sort((a, b) => b.weight - a.weight).slice(0, Math.round(most));
  return named
    .sort((a, b) => b.large - a.large)
    .map(({ district }, i) => [district, i < Math.round(large) ? "district" : "minor"]);
}

/** Return the area for labels, in square design pixels. */
export function labelArea({ width, height }: OverlayModel, scale: number): number {
  return (width * height) / scale ** 2;
}

/** Return the current position of a label, in pixels; null if its token or district is gone. */
export function labelPosition(label: MapLabel, model: OverlayModel): [number, number] | null {
  const { id } = label;
  if (!isDistrict(label)) {
    return id < model.vocabulary.tokens.length ? toPixel(model, model.positionOf(id)) : null;
  }
  const district = model.districts.find((candidate) => candidate.id === id);
  if (!district) return null;
  return toPixel(model, model.middleOf(district));
}

/** Return whether a label names a district. */
export function isDistrict({ style }: MapLabel): boolean {
  return style === "district" || style === "minor";
}
