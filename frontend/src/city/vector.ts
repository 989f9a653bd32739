/** The figure as SVG: land and contours as paths, lamps as circles, names as text. */

import { drawCaption, type Placed } from "./caption";
import { contoursOf } from "./contours";
import { smooth } from "./glide";
import { Overlay, type Scenery } from "./overlay";
import { INK, unit } from "./palette";
import { FACE } from "./pen";
import { designSize, type Pose } from "./pose";
import { reliefOf } from "./relief";
import { brief, escaped, VectorPen } from "./vectorpen";

type Rgb = [number, number, number];

/** Heights at which the land takes another shade, and where the contour lines of the screen run. */
const SHADES = Array.from({ length: 15 }, (_, i) => 0.04 + 0.075 * i);
const LINES = Array.from({ length: 8 }, (_, i) => 0.1 + (i + 0.5) / 7.5);
/** Kinds of brightness among the lit lamps: each needs gradients of its own. */
const BRIGHTNESSES = 6;

/** An SVG document of `pose`, `title` as its name, with the caption in it. */
export function svgOf(pose: Pose, caption: Placed, title: string): string {
  const { width, height } = pose.scenery;
  const overlay = new Overlay(document.createElement("canvas"));
  overlay.resize(width, height, 1);
  overlay.choose(pose.scenery);
  const names = new VectorPen();
  overlay.drawWith(names, pose.scenery);
  const words = new VectorPen();
  drawCaption(words, caption);
  const lit = litLamps(pose);
  const said = caption.marks.map(({ text }) => text).join("\n");
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${brief(width)}" height="${brief(height)}" viewBox="0 0 ${brief(width)} ${brief(height)}" font-family="${escaped(FACE)}">`,
    `<title>${escaped(title)}</title>`,
    `<desc>${escaped(said)}</desc>`,
    `<defs>${lit.gradients}</defs>`,
    `<rect width="100%" height="100%" fill="${INK.night}"/>`,
    `<g id="land">${land(pose)}</g>`,
    `<g id="asleep">${asleepLamps(pose)}</g>`,
    `<g id="lit">${lit.lamps}</g>`,
    `<g id="names">${names.elements.join("\n")}</g>`,
    `<g id="caption">${words.elements.join("\n")}</g>`,
    "</svg>",
  ].join("\n");
}

function pixelOf({ view, width, height }: Scenery, x: number, y: number): [number, number] {
  return [
    ((x - view.x0) / (view.x1 - view.x0)) * width,
    (1 - (y - view.y0) / (view.y1 - view.y0)) * height,
  ];
}

function land({ scenery, xy, box }: Pose): string {
  const relief = reliefOf(xy, box);
  const paths: string[] = [];
  for (const height of SHADES) {
    const path = rings(contoursOf(relief, height), scenery);
    if (path)
      paths.push(`<path d="${path}" fill="${hex(shade(height + 0.0375))}" fill-rule="evenodd"/>`);
  }
  LINES.forEach((height, i) => {
    const path = rings(contoursOf(relief, height), scenery);
    const ink = hex(shade(height).map((part, j) => part + 0.85 * unit(INK.contour)[j]!) as Rgb);
    const how = `fill="none" stroke="${ink}" stroke-width="${i ? 0.8 : 1}" stroke-opacity="${i ? 0.7 : 1}"`;
    if (path) paths.push(`<path d="${path}" ${how}/>`);
  });
  return paths.join("\n");
}

/** Rings as one path, their corners rounded off. */
function rings(all: Float32Array[], scenery: Scenery): string {
  return all
    .map((ring) => {
      const points = Array.from({ length: ring.length / 2 }, (_, i) =>
        pixelOf(scenery, ring[2 * i]!, ring[2 * i + 1]!),
      );
      const outside =
        points.every(([x]) => x < 0) ||
        points.every(([x]) => x > scenery.width) ||
        points.every(([, y]) => y < 0) ||
        points.every(([, y]) => y > scenery.height);
      if (outside) return "";
      const between = (i: number) => {
        const [a, b] = [points[i]!, points[(i + 1) % points.length]!];
        return `${brief((a[0] + b[0]) / 2)} ${brief((a[1] + b[1]) / 2)}`;
      };
      const curves = points.map(([x, y], i) => `Q${brief(x)} ${brief(y)} ${between(i)}`);
      return `M${between(points.length - 1)}${curves.join("")}Z`;
    })
    .join("");
}

/** The colour of the land at a height, as the shader of the land has it. */
function shade(height: number): Rgb {
  const step = (from: number, to: number) => smooth((height - from) / (to - from));
  const [night, land, contour] = [unit(INK.night), unit(INK.land), unit(INK.contour)];
  const hill = [0, 0.008, 0.045];
  return night.map(
    (part, i) =>
      part + (land[i]! - part) * step(0, 0.5) + (0.75 * contour[i]! + hill[i]!) * step(0.3, 1.2),
  ) as Rgb;
}

function asleepLamps({ scenery, xy, tints, shining }: Pose): string {
  const size = designSize(scenery.width, scenery.height);
  const awake = new Set(shining.ids);
  const groups = new Map<string, string[]>();
  for (let id = 0; 2 * id < xy.length; id++) {
    const [x, y] = pixelOf(scenery, xy[2 * id]!, xy[2 * id + 1]!);
    if (awake.has(id) || !within(scenery, x, y, 2)) continue;
    const bright = Math.round(20 * (1 - Math.exp((-1.1 * tints[4 * id + 3]!) / 255))) / 20;
    const key = `fill="${hex(hueOf(tints, id))}" fill-opacity="${bright}"`;
    const circle = `<circle cx="${brief(x)}" cy="${brief(y)}" r="${brief(1.15 * size)}"/>`;
    const group = groups.get(key);
    if (group) group.push(circle);
    else groups.set(key, [circle]);
  }
  return Array.from(groups, ([how, all]) => `<g ${how}>${all.join("")}</g>`).join("\n");
}

function litLamps({ scenery, xy, tints, shining }: Pose): { gradients: string; lamps: string } {
  const size = designSize(scenery.width, scenery.height);
  const gradients = new Map<string, string>();
  const lamps: string[] = [];
  shining.ids.forEach((id, i) => {
    const [x, y] = pixelOf(scenery, xy[2 * id]!, xy[2 * id + 1]!);
    const strength = Math.ceil(BRIGHTNESSES * shining.strengths[i]!) / BRIGHTNESSES;
    const reach = 15 + 40 * strength;
    if (!within(scenery, x, y, reach * size)) return;
    // Hues that look the same share a gradient.
    const hue = hueOf(tints, id).map((part) => Math.round(part * 15) / 15) as Rgb;
    const name = `${hex(hue).slice(1)}-${Math.round(strength * BRIGHTNESSES)}`;
    if (!gradients.has(name)) gradients.set(name, gradient(name, hue, strength, reach));
    lamps.push(
      `<circle cx="${brief(x)}" cy="${brief(y)}" r="${brief(reach * size)}" fill="url(#${name})"/>`,
    );
  });
  // Light adds up; a program that cannot do that paints one over the other.
  const screen = "<style>#lit circle{mix-blend-mode:screen}</style>";
  return { gradients: screen + [...gradients.values()].join("\n"), lamps: lamps.join("\n") };
}

/** What one lit lamp looks like, from its middle to its rim: the light of its shader, tone-mapped. */
function gradient(name: string, hue: Rgb, shine: number, reach: number): string {
  const radii = [0, 0.6, 1.2, 1.8, 2.5, 3.5, 5, 7, 10, 14, 20, 28, 38, 55].filter((r) => r < reach);
  const pale = hue.map((part, i) => part + ([1, 0.97, 0.92][i]! - part) * 0.72);
  const stops = [...radii, reach].map((r) => {
    const rim = 1 - smooth((r / reach - 0.55) / 0.45);
    const light = hue.map((part, i) => {
      const core = 3.2 * pale[i]! * Math.exp((-r * r) / 3.2);
      const glow = 0.75 * (part + 0.3 * (pale[i]! - part)) * Math.exp((-r * r) / 26);
      const bloom = part * (0.2 * Math.exp((-r * r) / 190) + 0.05 * Math.exp(-r / 16));
      return 1 - Math.exp(-1.5 * shine * rim * (core + glow + bloom));
    });
    const most = Math.max(1e-6, ...light);
    const ink = hex(light.map((part) => part / most) as Rgb);
    const opaque = Math.round(1000 * Math.min(1, most)) / 1000;
    return `<stop offset="${Math.round((1000 * r) / reach) / 1000}" stop-color="${ink}" stop-opacity="${opaque}"/>`;
  });
  return `<radialGradient id="${name}">${stops.join("")}</radialGradient>`;
}

function within({ width, height }: Scenery, x: number, y: number, reach: number): boolean {
  return x > -reach && y > -reach && x < width + reach && y < height + reach;
}

function hueOf(tints: Uint8Array, id: number): Rgb {
  return [tints[4 * id]! / 255, tints[4 * id + 1]! / 255, tints[4 * id + 2]! / 255];
}

function hex(rgb: Rgb): string {
  const byte = (part: number) => Math.round(255 * Math.max(0, Math.min(1, part)));
  return `#${rgb.map((part) => byte(part).toString(16).padStart(2, "0")).join("")}`;
}
