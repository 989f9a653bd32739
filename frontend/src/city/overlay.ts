/**
 * Names, the ring around the chosen token and the links to its neighbours, on a 2-D canvas over the
 * lamps. Drawn in the same frame as they are, so that names travel with their lamps.
 */

import { shown, type Vocabulary } from "../wire/vocabulary";
import type { District } from "./districts";
import { boxOf, placeLabels, type Box, type Candidate } from "./labels";
import { drawLinks, type LinkLine } from "./links";
import type { View } from "./placement";
import { INK, tintOf } from "./palette";
import { FACE, type Pen } from "./pen";
import type { Trail } from "./trails";

type Style = "district" | "lit" | "token" | "chosen" | "neighbour";

interface Name extends Candidate {
  style: Style;
  /** Token id, or id of the district. */
  id: number;
  tint: string;
}

interface Shown {
  name: Name;
  dx: number;
  dy: number;
  alpha: number;
  wanted: boolean;
}

/** Tokens that are marked on the map. */
export interface Marks {
  /** Tokens of the district that is looked at. */
  among: number[];
  /** Tokens shown where they do not belong, to be marked. */
  doubtful: number[];
  /** Tokens that were gathered. */
  gathered: readonly number[];
  /** The beat's rows, the brightest first. */
  lit: { id: number; strength: number }[];
  chosen: number | null;
  links: LinkLine[];
  /** Ways that tokens came; those are named. Plotly draws them on the screen. */
  trails: Trail[];
}

export interface Scenery extends Marks {
  vocabulary: Vocabulary;
  districts: District[];
  /** Token ids, the most common first: at least all that are seen. */
  commonest: () => Iterable<number>;
  /** Times closer than the whole city. */
  zoom: number;
  view: View;
  /** Map units of a token now. */
  at: (id: number) => [number, number];
  width: number;
  height: number;
  /** The part of the picture that nothing covers, in pixels. */
  free: Box;
}

/** Weight and size in design pixels. */
const FONTS: Record<Style, [number, number]> = {
  district: [600, 11],
  lit: [400, 13.5],
  token: [400, 12],
  chosen: [600, 16],
  neighbour: [400, 13.5],
};
/** Twice over each other where a name touches them. */
const HALO = "rgba(10,14,28,0.66)";
/** Least distance between two lit words, in pixels. */
const APART = 86;
/** How much of a name's alpha changes in a millisecond, coming and going. */
const FADE_IN = 1 / 180;
const FADE_OUT = 1 / 100;

export class Overlay {
  /** What measures words. */
  private readonly ruler: CanvasRenderingContext2D;
  private pen: Pen;
  private readonly widths = new Map<string, number>();
  private names = new Map<string, Shown>();
  private ratio = 1;
  /** Type grows with the screen. */
  private scale = 1;

  constructor(readonly canvas: HTMLCanvasElement) {
    this.pen = this.ruler = canvas.getContext("2d")!;
  }

  resize(width: number, height: number, ratio: number) {
    this.ratio = ratio;
    this.scale = Math.max(1, Math.min(2, height / 1_000));
    this.widths.clear();
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
  }

  /** Choose names anew. */
  choose(scenery: Scenery) {
    const most = Math.round(this.area(scenery) / 9_000);
    const placed = placeLabels(this.candidates(scenery), scenery.free, most);
    for (const one of this.names.values()) one.wanted = false;
    for (const { of, dx, dy } of placed) {
      const known = this.names.get(of.key);
      this.names.set(of.key, { name: of, dx, dy, alpha: known?.alpha ?? 0, wanted: true });
    }
  }

  /** Draw; whether names are still fading. `elapsed` in ms; Infinity shows everything at once. */
  draw(scenery: Scenery, elapsed: number): boolean {
    const { pen } = this;
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.clearRect(0, 0, scenery.width, scenery.height);
    this.drawDoubtful(scenery);
    this.drawAmong(scenery);
    this.drawGathered(scenery);
    this.drawLinks(scenery);
    let fading = false;
    for (const [key, one] of this.names) {
      const target = one.wanted ? 1 : 0;
      const change = Math.min(1, elapsed * (one.wanted ? FADE_IN : FADE_OUT));
      one.alpha += Math.max(-change, Math.min(change, target - one.alpha));
      if (one.alpha <= 0 && !one.wanted) {
        this.names.delete(key);
        continue;
      }
      if (one.alpha !== target) fading = true;
      this.write(one, scenery);
    }
    return fading;
  }

  /** Draw everything, nothing half faded, with another pen. */
  drawWith(pen: Pen, scenery: Scenery) {
    const own = this.pen;
    this.pen = pen;
    this.draw(scenery, Infinity);
    this.pen = own;
  }

  /** The district whose name is written at a point of the picture. */
  districtAt(scenery: Scenery, x: number, y: number): number | null {
    for (const { name, dx, dy, wanted } of this.names.values()) {
      if (name.style !== "district" || !wanted) continue;
      const district = scenery.districts.find(({ id }) => id === name.id);
      if (!district) continue;
      const [px, py] = pixel(scenery, [district.x, district.y]);
      const box = boxOf({ ...name, x: px, y: py - 14 }, dx, dy);
      if (x >= box.left && x <= box.right && y >= box.top && y <= box.bottom) return name.id;
    }
    return null;
  }

  /** What is written on the map, for those who cannot see it. */
  written(): string[] {
    return [...this.names.values()].filter(({ wanted }) => wanted).map(({ name }) => name.text);
  }

  clear() {
    this.names.clear();
    this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  private *candidates(scenery: Scenery): Iterable<Name> {
    const { vocabulary, lit, chosen, links, zoom, width, height } = scenery;
    const seen = new Set<number>();
    const token = (id: number, style: Style): Name | null => {
      if (seen.has(id) || id >= vocabulary.tokens.length) return null;
      const [x, y] = pixel(scenery, scenery.at(id));
      if (x < 0 || y < 0 || x > width || y > height) return null;
      seen.add(id);
      const text = shown(vocabulary.tokens[id]);
      const tint = tintOf(Math.max(0, vocabulary.classOf[id]!));
      return {
        key: `t${id}`,
        text,
        x,
        y,
        ...this.measure(text, style),
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
    for (const { id } of scenery.trails) {
      const name = token(id, "neighbour");
      if (name) yield name;
    }
    // Lit words come before the names of districts: the beat is the news. One to a neighbourhood, so
    // that they speak of the whole batch.
    let bright = Math.round((this.area(scenery) / 62_000) * Math.min(3, Math.max(1, zoom)));
    const spoken: Name[] = [];
    for (const { id } of lit) {
      if (bright <= 0) break;
      const name = token(id, "lit");
      if (!name) continue;
      const apart = ({ x, y }: Name) =>
        Math.hypot(x - name.x, (y - name.y) * 1.6) > APART * this.scale;
      if (!spoken.every(apart)) {
        seen.delete(id);
        continue;
      }
      spoken.push(name);
      bright -= 1;
      yield name;
    }
    yield* this.districtNames(scenery);
    let quiet = vocabulary.classes.length ? Math.round((zoom - 1.6) * 26) : Math.round(zoom * 14);
    if (quiet <= 0) return;
    quiet = Math.min(90, quiet);
    for (const id of scenery.commonest()) {
      const name = token(id, "token");
      if (!name) continue;
      yield name;
      if (--quiet <= 0) return;
    }
  }

  private *districtNames(scenery: Scenery): Iterable<Name> {
    const { zoom, width, height } = scenery;
    const fade = Math.max(0, Math.min(1, (7 - zoom) / 3));
    // From afar the greater districts; the smaller ones as one comes closer.
    let most = Math.round((this.area(scenery) / 34_000) * Math.max(1, zoom) ** 2);
    for (const { id, tint, name, x, y, unity } of scenery.districts) {
      if (unity * fade < 0.12) continue;
      const [px, py] = pixel(scenery, [x, y]);
      if (px < 0 || py < 0 || px > width || py > height) continue;
      if (most-- <= 0) return;
      const text = shown(name).toLocaleUpperCase();
      const size = this.measure(text, "district");
      yield {
        key: `d${id}`,
        text,
        x: px,
        y: py - 14,
        ...size,
        centred: true,
        style: "district",
        id,
        tint: tintOf(tint),
      };
    }
  }

  /** A cross on each token that does not belong where it is shown: a shape, whatever the colours are. */
  private drawDoubtful(scenery: Scenery) {
    const { pen } = this;
    if (!scenery.doubtful.length) return;
    const arm = 3.5 * this.scale;
    pen.globalAlpha = 0.85;
    pen.strokeStyle = INK.doubt;
    pen.lineWidth = 1.4 * this.scale;
    pen.beginPath();
    for (const id of scenery.doubtful) {
      const [x, y] = pixel(scenery, scenery.at(id));
      if (x < 0 || y < 0 || x > scenery.width || y > scenery.height) continue;
      pen.moveTo(x - arm, y - arm);
      pen.lineTo(x + arm, y + arm);
      pen.moveTo(x - arm, y + arm);
      pen.lineTo(x + arm, y - arm);
    }
    pen.stroke();
    pen.globalAlpha = 1;
  }

  /** A ring around each token of the district that is looked at. */
  private drawAmong(scenery: Scenery) {
    const { pen } = this;
    if (!scenery.among.length) return;
    pen.globalAlpha = 0.8;
    pen.strokeStyle = INK.lamp;
    pen.lineWidth = 1.2 * this.scale;
    pen.beginPath();
    for (const id of scenery.among) {
      const [x, y] = pixel(scenery, scenery.at(id));
      if (x < 0 || y < 0 || x > scenery.width || y > scenery.height) continue;
      pen.moveTo(x + 6 * this.scale, y);
      pen.arc(x, y, 6 * this.scale, 0, 2 * Math.PI);
    }
    pen.stroke();
    pen.globalAlpha = 1;
  }

  /** A diamond around each token that was gathered: a shape of its own, whatever the colours are. */
  private drawGathered(scenery: Scenery) {
    const { pen } = this;
    if (!scenery.gathered.length) return;
    // Of many they are smaller, so that the lamps are still seen.
    const many = scenery.gathered.length;
    const arm = (many > 250 ? 3.6 : many > 60 ? 5 : 7.5) * this.scale;
    const line = (many > 60 ? 1 : 1.4) * this.scale;
    pen.beginPath();
    for (const id of scenery.gathered) {
      const [x, y] = pixel(scenery, scenery.at(id));
      if (!(x >= -arm && y >= -arm && x <= scenery.width + arm && y <= scenery.height + arm))
        continue;
      pen.moveTo(x, y - arm);
      pen.lineTo(x + arm, y);
      pen.lineTo(x, y + arm);
      pen.lineTo(x - arm, y);
      pen.closePath();
    }
    // Dark beneath, so that it is seen on bright land too.
    pen.strokeStyle = INK.night;
    pen.lineWidth = line + 1.6 * this.scale;
    pen.globalAlpha = 0.5;
    pen.stroke();
    pen.strokeStyle = INK.text;
    pen.lineWidth = line;
    pen.globalAlpha = 0.95;
    pen.stroke();
    pen.globalAlpha = 1;
  }

  private drawLinks(scenery: Scenery) {
    const { pen } = this;
    if (scenery.chosen === null) return;
    const [x, y] = pixel(scenery, scenery.at(scenery.chosen));
    drawLinks(pen, [x, y], scenery.links, (id) => pixel(scenery, scenery.at(id)));
    pen.strokeStyle = INK.lamp;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc(x, y, 11, 0, 2 * Math.PI);
    pen.stroke();
  }

  private write({ name, dx, dy, alpha }: Shown, scenery: Scenery) {
    const { pen } = this;
    let { x, y } = name;
    if (name.style === "district") {
      const district = scenery.districts.find(({ id }) => id === name.id);
      if (!district) return;
      [x, y] = pixel(scenery, [district.x, district.y]);
      y -= 14;
    } else {
      if (name.id >= scenery.vocabulary.tokens.length) return;
      [x, y] = pixel(scenery, scenery.at(name.id));
    }
    this.dip(name.style);
    pen.textBaseline = "middle";
    pen.textAlign = "left";
    pen.globalAlpha = alpha;
    pen.lineJoin = "round";
    // Night behind it, so that it is read over the brightest lamps too; soft at its edge.
    pen.strokeStyle = HALO;
    for (const width of [7, 4.5]) {
      pen.lineWidth = width * this.scale;
      pen.strokeText(name.text, x + dx, y + dy);
    }
    pen.fillStyle = ink(name);
    pen.fillText(name.text, x + dx, y + dy);
    pen.globalAlpha = 1;
  }

  /** Room for names, in square design pixels. */
  private area({ width, height }: Scenery): number {
    return (width * height) / this.scale ** 2;
  }

  private dip(style: Style) {
    const [weight, size] = FONTS[style];
    this.pen.font = `${weight} ${size * this.scale}px ${FACE}`;
    if ("letterSpacing" in this.pen) {
      this.pen.letterSpacing = style === "district" ? `${1.5 * this.scale}px` : "0px";
    }
  }

  private measure(text: string, style: Style): { width: number; height: number } {
    const key = `${style} ${text}`;
    let width = this.widths.get(key);
    if (width === undefined) {
      this.dip(style);
      width = this.ruler.measureText(text).width;
      if (this.widths.size > 20_000) this.widths.clear();
      this.widths.set(key, width);
    }
    return { width, height: 1.15 * FONTS[style][1] * this.scale };
  }
}

function ink({ style, tint }: Name): string {
  if (style === "district") return tint;
  if (style === "token") return INK.quiet;
  return style === "lit" ? "#f2ead9" : style === "chosen" ? INK.lamp : INK.text;
}

function pixel({ view, width, height }: Scenery, [x, y]: [number, number]): [number, number] {
  return [
    ((x - view.x0) / (view.x1 - view.x0)) * width,
    (1 - (y - view.y0) / (view.y1 - view.y0)) * height,
  ];
}
