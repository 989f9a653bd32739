/** The picture as SVG: land and contours as paths, lamps as circles, labels as text. */

import { drawCaption, type CaptionLayout } from "./caption";
import { contoursOf } from "../regions/contours";
import { smoothstep } from "../easing";
import {
  BLOOM,
  CORE,
  TONE_MAPPING,
  HALO,
  LAND,
  LIT,
  WARM,
  lampGrowth,
} from "../webgl/glow-falloff";
import { Overlay } from "../overlay/overlay";
import type { OverlayModel } from "../overlay/overlay-model";
import { INK, unit } from "../palette";
import { FONT_FAMILY } from "../../model/typeface";
import { designPixelSize, type StillScene } from "../scene/still-scene";
import { toPixel } from "../../model/viewport";
import { densityOf } from "../regions/density";
import { drawTrails } from "../overlay/draw-trails";
import { formatNumber, escapeXml, SvgContext } from "./svg-context";

type Rgb = [number, number, number];

/**
 * Heights at which the land's shade changes, and heights of the contour lines as on the screen, the coast
 * first.
 */
const SHADES = Array.from({ length: 15 }, (_, i) => 0.04 + 0.075 * i);
const LINES = Array.from({ length: 8 }, (_, i) => LAND.sea + (i + 0.5) / LAND.lines);
/** Widths of the strokes that make up the glow along the coast, drawn on top of each other. */
const GLOW = [11, 7, 3.6];
/** Number of brightness levels of lit lamps, and of unlit ones; each level needs gradients of its own. */
const BRIGHTNESSES = 6;
const DIMNESSES = 12;
/** Radius to which the halo of an unlit lamp is drawn, in design pixels. */
const HALO_REACH = 8;

/** Return an SVG document of the scene, with a title and a caption. */
export function renderSvg(stillScene: StillScene, caption: CaptionLayout, title: string): string {
  const { width, height } = stillScene.overlayModel;
  const overlay = new Overlay(document.createElement("canvas"));
  overlay.resize(width, height, 1);
  overlay.updateLabels(stillScene.overlayModel);
  const names = new SvgContext();
  overlay.drawWith(names, stillScene.overlayModel);
  const trails = new SvgContext();
  drawTrails(trails, stillScene.overlayModel);
  const words = new SvgContext();
  drawCaption(words, caption);
  const gradients = new Map<string, string>();
  const [unlit, lit] = [unlitLamps(stillScene, gradients), litLamps(stillScene, gradients)];
  const escapedTitle = caption.marks.map(({ text }) => text).join("\n");
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${formatNumber(width)}" height="${formatNumber(height)}" viewBox="0 0 ${formatNumber(width)} ${formatNumber(height)}" font-family="${escapeXml(FONT_FAMILY)}">`,
    `<title>${escapeXml(title)}</title>`,
    `<desc>${escapeXml(escapedTitle)}</desc>`,
    // Light adds up; a viewer without blend modes paints one lamp over the other.
    `<defs><style>circle{mix-blend-mode:screen}</style>${[...gradients.values()].join("\n")}</defs>`,
    `<rect width="100%" height="100%" fill="${INK.night}"/>`,
    `<g id="land">${land(stillScene)}</g>`,
    `<g id="asleep">${unlit}</g>`,
    `<g id="lit">${lit}</g>`,
    `<g id="trails">${trails.elements.join("\n")}</g>`,
    `<g id="names">${names.elements.join("\n")}</g>`,
    `<g id="caption">${words.elements.join("\n")}</g>`,
    "</svg>",
  ].join("\n");
}

function land({ overlayModel: model, xy, box }: StillScene): string {
  const density = densityOf(xy, box);
  const paths: string[] = [];
  for (const height of SHADES) {
    const path = rings(contoursOf(density, height), model);
    if (path)
      paths.push(
        `<path d="${path}" fill="${hex(landColour(height + 0.0375))}" fill-rule="evenodd"/>`,
      );
  }
  const size = designPixelSize(model.width, model.height);
  LINES.forEach((height, i) => {
    const path = rings(contoursOf(density, height), model);
    if (!path) return;
    const stroke = (share: number, width: number, opaque: number) => {
      const ink = hex(
        landColour(height).map((part, j) => part + share * unit(INK.contour)[j]!) as Rgb,
      );
      paths.push(
        `<path d="${path}" fill="none" stroke="${ink}" stroke-width="${formatNumber(width * size)}" stroke-opacity="${opaque}"/>`,
      );
    };
    if (!i) for (const width of GLOW) stroke(LAND.coast.glow, width, 0.33);
    stroke(i ? LAND.line + LAND.glow : LAND.coast.line + LAND.coast.glow, 1.1, 1);
  });
  return paths.join("\n");
}

/** Return the rings as one path with rounded corners. */
function rings(all: Float32Array[], model: OverlayModel): string {
  return all
    .map((ring) => {
      const points = Array.from({ length: ring.length / 2 }, (_, i) =>
        toPixel(model, [ring[2 * i]!, ring[2 * i + 1]!]),
      );
      const outside =
        points.every(([x]) => x < 0) ||
        points.every(([x]) => x > model.width) ||
        points.every(([, y]) => y < 0) ||
        points.every(([, y]) => y > model.height);
      if (outside) return "";
      const between = (i: number) => {
        const [a, b] = [points[i]!, points[(i + 1) % points.length]!];
        return `${formatNumber((a[0] + b[0]) / 2)} ${formatNumber((a[1] + b[1]) / 2)}`;
      };
      const curves = points.map(
        ([x, y], i) => `Q${formatNumber(x)} ${formatNumber(y)} ${between(i)}`,
      );
      return `M${between(points.length - 1)}${curves.join("")}Z`;
    })
    .join("");
}

/** Return the colour of the land at a height, as in the ground shader. */
function landColour(height: number): Rgb {
  const [night, land, contour] = [unit(INK.night), unit(INK.land), unit(INK.contour)];
  const { from, to, share } = LAND.hills;
  const hilly = share * smoothstep((height - from) / (to - from));
  const risen = smoothstep(height / LAND.risen);
  return night.map((part, i) => part + (land[i]! - part) * risen + contour[i]! * hilly) as Rgb;
}

/** Return the unlit lamps, with one gradient per hue and brightness level. Adds to `gradients`. */
function unlitLamps(
  { overlayModel: model, xy, tints, lit }: StillScene,
  gradients: Map<string, string>,
): string {
  const size = designPixelSize(model.width, model.height) * lampGrowth(model.zoom);
  const awake = new Set(lit.ids);
  const groups = new Map<string, string[]>();
  for (let id = 0; 2 * id < xy.length; id++) {
    const [x, y] = toPixel(model, [xy[2 * id]!, xy[2 * id + 1]!]);
    if (awake.has(id) || !within(model, x, y, HALO_REACH * size)) continue;
    const hue = tintAt(tints, id);
    const bright = Math.round((DIMNESSES * tints[4 * id + 3]!) / 255) / DIMNESSES;
    const name = `${hex(hue).slice(1)}-a${Math.round(bright * DIMNESSES)}`;
    if (!gradients.has(name))
      gradients.set(name, gradient(name, HALO_REACH, unlitFalloff(hue, bright)));
    const circle = `<circle cx="${formatNumber(x)}" cy="${formatNumber(y)}" r="${formatNumber(HALO_REACH * size)}"/>`;
    const group = groups.get(name);
    if (group) group.push(circle);
    else groups.set(name, [circle]);
  }
  return Array.from(groups, ([name, all]) => `<g fill="url(#${name})">${all.join("")}</g>`).join(
    "\n",
  );
}

function litLamps(
  { overlayModel: model, xy, tints, lit }: StillScene,
  gradients: Map<string, string>,
): string {
  const size = designPixelSize(model.width, model.height) * lampGrowth(model.zoom);
  const lamps: string[] = [];
  lit.ids.forEach((id, i) => {
    const [x, y] = toPixel(model, [xy[2 * id]!, xy[2 * id + 1]!]);
    const strength = Math.ceil(BRIGHTNESSES * lit.strengths[i]!) / BRIGHTNESSES;
    const reach = BLOOM.reach + BLOOM.further * strength;
    if (!within(model, x, y, reach * size)) return;
    // Hues that look the same share a gradient.
    const hue = tintAt(tints, id).map((part) => Math.round(part * 15) / 15) as Rgb;
    const name = `${hex(hue).slice(1)}-${Math.round(strength * BRIGHTNESSES)}`;
    if (!gradients.has(name))
      gradients.set(name, gradient(name, reach, litFalloff(hue, strength, reach)));
    lamps.push(
      `<circle cx="${formatNumber(x)}" cy="${formatNumber(y)}" r="${formatNumber(reach * size)}" fill="url(#${name})"/>`,
    );
  });
  return lamps.join("\n");
}

/** Visible light of a lamp at a distance in design pixels, tone-mapped as in its shader. */
type Falloff = (r: number) => Rgb;

function unlitFalloff(hue: Rgb, bright: number): Falloff {
  return (r) => {
    const core = Math.max(0, 1 - (r / CORE.reach) ** 2) ** 3;
    const narrow = toneMap(hue.map((part) => part * bright * CORE.peak) as Rgb);
    const edge = 1 - smoothstep((r / HALO_REACH - 0.6) / 0.4);
    const wide = HALO.peak * Math.exp((-r * r) / HALO.wide) * bright * edge;
    return both(
      narrow.map((part) => part * core) as Rgb,
      toneMap(hue.map((part) => part * wide) as Rgb),
    );
  };
}

function litFalloff(hue: Rgb, bright: number, reach: number): Falloff {
  const warm = (share: number) =>
    hue.map((part, i) => part + (WARM.light[i]! - part) * share) as Rgb;
  const [core, glow, bloom] = [warm(WARM.core), warm(WARM.glow), warm(WARM.bloom)];
  const edge = (r: number, end: number) => 1 - smoothstep(((r / end) ** 2 - 0.3) / 0.7);
  return (r) => {
    const near = bright * edge(r, LIT.reach);
    const coreLight = near * LIT.peak * Math.exp((-r * r) / LIT.wide);
    const glowLight = near * LIT.glow * Math.exp((-r * r) / LIT.glowWide);
    const bloomLight =
      bright *
      edge(r, reach) *
      (BLOOM.near * Math.exp((-r * r) / BLOOM.nearWide) + BLOOM.far * Math.exp(-r / BLOOM.farWide));
    const narrow = core.map((part, i) => coreLight * part + glowLight * glow[i]!);
    return both(toneMap(narrow as Rgb), toneMap(bloom.map((part) => part * bloomLight) as Rgb));
  };
}

/** Tone-map light as the shaders do. */
function toneMap(light: Rgb): Rgb {
  const peak = Math.max(...light, 1e-4);
  const whole = (1 - Math.exp(-TONE_MAPPING.gain * peak)) / peak;
  return light.map(
    (part) =>
      part * whole * (1 - TONE_MAPPING.each) +
      (1 - Math.exp(-TONE_MAPPING.gain * part)) * TONE_MAPPING.each,
  ) as Rgb;
}

/** Blend two lights as a screen. */
function both(one: Rgb, other: Rgb): Rgb {
  return one.map((part, i) => 1 - (1 - part) * (1 - other[i]!)) as Rgb;
}

/** Return the gradient of one lamp, from its centre to its rim. */
function gradient(name: string, reach: number, fall: Falloff): string {
  const radii = [0, 0.6, 1.2, 1.8, 2.5, 3.5, 5, 7, 10, 14, 20, 28, 38, 55].filter((r) => r < reach);
  const stops = [...radii, reach].map((r) => {
    const light = fall(r);
    const most = Math.max(1e-6, ...light);
    const ink = hex(light.map((part) => part / most) as Rgb);
    const opaque = Math.round(1000 * Math.min(1, most)) / 1000;
    return `<stop offset="${Math.round((1000 * r) / reach) / 1000}" stop-color="${ink}" stop-opacity="${opaque}"/>`;
  });
  return `<radialGradient id="${name}">${stops.join("")}</radialGradient>`;
}

function within({ width, height }: OverlayModel, x: number, y: number, reach: number): boolean {
  return x > -reach && y > -reach && x < width + reach && y < height + reach;
}

function tintAt(tints: Uint8Array, id: number): Rgb {
  return [tints[4 * id]! / 255, tints[4 * id + 1]! / 255, tints[4 * id + 2]! / 255];
}

function hex(rgb: Rgb): string {
  const byte = (part: number) => Math.round(255 * Math.max(0, Math.min(1, part)));
  return `#${rgb.map((part) => byte(part).toString(16).padStart(2, "0")).join("")}`;
}
