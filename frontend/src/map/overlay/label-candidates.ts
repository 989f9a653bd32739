/** Candidates for labels on the map, with their order and style. */

import { printableName, printableToken } from "../../api/vocabulary";
import { toPixel } from "../../model/plane/viewport";
import { INK } from "../palette";
import { lampGrowth } from "../webgl/glow-falloff";
import { ringRadius } from "./marks";
import type { District } from "../regions/districts";
import type { LabelCandidate } from "./label-placement";
import type { OverlayModel } from "./overlay-model";

export type LabelStyle = "district" | "lit" | "token" | "chosen" | "neighbour";

/** A label with its style and its subject. */
export interface MapLabel extends LabelCandidate {
  style: LabelStyle;
  /** Token id, or district id. */
  id: number;
}

/** Returns width and height of a text, in pixels. */
type Measure = (text: string, style: LabelStyle) => { width: number; height: number };

/** Weight and size, in design pixels. */
export const LABEL_FONTS: Record<LabelStyle, [number, number]> = {
  district: [600, 15],
  lit: [400, 13],
  token: [400, 13],
  chosen: [600, 18],
  neighbour: [400, 13],
};
/** Lit words, the chosen one and its neighbours are as warm as their lamps. */
export const LABEL_COLOURS: Record<LabelStyle, string> = {
  district: "rgba(215,224,245,0.85)",
  lit: "rgba(242,234,217,0.85)",
  token: "rgba(215,224,245,0.8)",
  chosen: INK.lamp,
  neighbour: "rgba(255,233,196,0.9)",
};
/** Maximum number of districts named on the whole map, and the square design pixels per name. */
const NAMED_DISTRICTS = 12;
const ROOM = 34_000;
/** Maximum number of lit lamps named on the whole map, and the square design pixels per name. */
const NAMED_LAMPS = 12;
const LAMP_ROOM = 70_000;
/** How far down the order, as a multiple of the named districts, a visible name is kept. */
const KEEP = 1.34;
/** Minimum compactness of a named district: the others have no middle. */
const COMPACT = 0.12;
/** Magnification from which a district is too large for a name. */
const NEAR = 6.6;
/** Maximum number of named words at each end of a direction. */
const NAMED_ENDS = 6;
/** Minimum distance between two labels of lit tokens, in design pixels. */
const APART = 86;
/** A meaningful token: the label of a punctuation mark would look like a hole in the map. */
const WORD = /[\p{L}\p{N}]/u;

/**
 * Yield the labels that may be drawn, most important first. `isShown` returns whether the label with a key is
 * on the map now.
 */
export function* labelCandidates(
  model: OverlayModel,
  scale: number,
  measure: Measure,
  isShown: (key: string) => boolean,
): Iterable<MapLabel> {
  const { vocabulary, lit, chosen, links, zoom, width, height } = model;
  const seen = new Set<number>();
  const token = (id: number, style: LabelStyle): MapLabel | null => {
    if (seen.has(id) || id >= vocabulary.tokens.length) return null;
    const [x, y] = toPixel(model, model.positionOf(id));
    if (x < 0 || y < 0 || x > width || y > height) return null;
    seen.add(id);
    const name = printableToken(vocabulary.tokens[id]);
    const note = model.notes?.get(id);
    const text = note ? `${name} ${note}` : name;
    const gap = (style === "chosen" ? ringRadius(zoom) + 5 : 7 + 3 * lampGrowth(zoom)) * scale;
    return { key: `t${id}`, text, x, y, gap, ...measure(text, style), style, id };
  };
  const says = (id: number) => WORD.test(vocabulary.tokens[id] ?? "");
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
  yield* districtNames(model, scale, measure, isShown);
  // Only one per neighbourhood, so that they represent the whole batch.
  const most = Math.min(NAMED_LAMPS, labelArea(model, scale) / LAMP_ROOM);
  let bright = Math.round(most * Math.min(4, Math.max(1, zoom)));
  const litLabels: MapLabel[] = [];
  for (const { id } of lit) {
    if (bright <= 0) break;
    const name = says(id) && token(id, "lit");
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
  if (quiet <= 0) return;
  for (const id of model.commonest()) {
    const name = says(id) && token(id, "token");
    if (!name) continue;
    yield name;
    if (--quiet <= 0) return;
  }
}

/**
 * Yield the names of districts: at most twelve on the whole map, more when zoomed in. Whether a district is
 * named does not depend on the rest of the view, so that names stay while the map moves.
 */
function* districtNames(
  model: OverlayModel,
  scale: number,
  measure: Measure,
  isShown: (key: string) => boolean,
): Iterable<MapLabel> {
  const { zoom, width, height, districts } = model;
  if (zoom > NEAR) return;
  const most = Math.min(NAMED_DISTRICTS, Math.round(labelArea(model, scale) / ROOM));
  const compact = districts.filter(({ compactness }) => compactness >= COMPACT);
  const named = districtsToName(compact, Math.floor(most * Math.max(1, zoom) ** 2), (id) =>
    isShown(`d${id}`),
  );
  for (const district of named) {
    const { id, name } = district;
    const [x, y] = toPixel(model, model.middleOf(district));
    if (x < 0 || y < 0 || x > width || y > height) continue;
    const text = printableName(printableToken(name));
    const size = measure(text, "district");
    yield { key: `d${id}`, text, x, y, ...size, centred: true, style: "district", id };
  }
}

/**
 * Return the first `most` districts, in order. A visible name stays until another is well ahead of it, so
 * that names do not change with every token that changes its district.
 */
export function districtsToName(
  districts: District[],
  most: number,
  isNamed: (id: number) => boolean,
): District[] {
  const kept = districts.slice(0, Math.ceil(KEEP * most)).filter(({ id }) => isNamed(id));
  const others = districts.filter((district) => !kept.includes(district));
  const chosen = new Set([...kept, ...others].slice(0, most));
  return districts.filter((district) => chosen.has(district));
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
  return toPixel(model, model.middleOf(district));
}
