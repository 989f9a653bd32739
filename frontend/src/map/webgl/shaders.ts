/** The map's shaders: wide light and height on cells, the ground seen through them, and the lamps on it. */

import { BLOOM, CORE, TONE_MAPPING, HALO, LAND, LIT, WARM, GREY } from "./glow-falloff";

/** A full-screen triangle; `at` runs over the picture from 0 to 1. */
export const SCREEN = `#version 300 es
out vec2 at;
void main() {
  at = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0;
  gl_Position = vec4(at * 2.0 - 1.0, 0.0, 1.0);
}`;

/**
 * Tone mapping: compresses unbounded light to a colour below 1. Mapping each channel alone would burn summed
 * light to white, so most of the curve applies to the colour as a whole and a bright district keeps its tint.
 */
const SHOULDER = `
vec3 shoulder(vec3 sum) {
  float peak = max(max(sum.r, sum.g), max(sum.b, 1e-4));
  return mix(sum / peak * (1.0 - exp(-${float(TONE_MAPPING.gain)} * peak)), 1.0 - exp(-${float(TONE_MAPPING.gain)} * sum), ${float(TONE_MAPPING.each)});
}`;

/** Passes of a lamp, drawn one after another, each with its own shaders. */
export const LAMP_PARTS = ["unlit", "lit", "halo", "bloom"] as const;
export type Part = (typeof LAMP_PARTS)[number];

/**
 * Return the vertex shader of one lamp per token.
 *
 * It interpolates two layouts by time, so a frame in which the map moves uploads nothing. A lamp lit by the
 * current beat glows as strongly as its gradient.
 */
export function lampVertex(part: Part): string {
  const unlit = part === "unlit" || part === "halo";
  const reach = {
    unlit: float(CORE.reach),
    lit: float(LIT.reach),
    halo: "",
    bloom: `${float(BLOOM.reach)} + ${float(BLOOM.further)} * lit.y * spread`,
  }[part];
  return `#version 300 es
in vec2 from;
in vec2 to;
in vec4 tint;             // rgb; a: how bright it sleeps
in vec2 lit;              // beat it was last lit in, strength 0 to 1
in float spread;          // share of its halo when lit
uniform vec4 fromBox;     // x0, y0, width, height of the layout, in map units
uniform vec4 toBox;
uniform vec4 view;
uniform float mixing;
uniform float beat;
uniform float glow;       // 0 to 1, the beat's brightness now
uniform float size;       // pixels (on cells: cells) for a design pixel of a lamp, which grows as one comes closer
uniform float grown;      // how much it has grown
uniform float largest;    // pixels a point may have
uniform float dark;       // 1 if lamps darken the land: their light is what they take from it
out vec3 hue;
out float bright;
out float halo;
out float radius;
${SHOULDER}
void main() {
  vec2 place = mix(fromBox.xy + from * fromBox.zw, toBox.xy + to * toBox.zw, mixing);
  gl_Position = vec4((place - view.xy) / view.zw * 2.0 - 1.0, 0.0, 1.0);
  hue = abs(dark - tint.rgb);
  ${
    // Glow takes colour from the land, but little of its brightness: grey would look like dirt.
    part !== "unlit" ? `hue -= ${float(1 - GREY)} * dark * min(hue.r, min(hue.g, hue.b));` : ""
  }
  halo = spread;
  bright = ${unlit ? "tint.a" : "lit.x == beat ? lit.y * glow : 0.0"};
  ${
    // A halo begins as the four cells around its lamp, and no others, while its lamp has not grown.
    part === "halo" ? "radius = grown;" : `radius = min(size * (${reach}), largest * 0.5);`
  }
  gl_PointSize = radius * 2.0;
  ${
    // A core this small needs no shoulder in each of its pixels.
    part === "unlit"
      ? `hue = shoulder(hue * bright * mix(${float(CORE.peak)}, ${float(CORE.darkPeak)}, dark));`
      : ""
  }
  ${unlit ? "" : "if (bright <= 0.0) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);"}
}`;
}

/**
 * Return the fragment shader of a pass.
 *
 * Narrow light is drawn lamp by lamp straight on the ground and blends as a screen (1 - (1 - a)(1 - b)),
 * which for light tone-mapped by 1 - exp(-light) is the exact sum. Where lamps darken, their light is the
 * complement of their colour and is taken from the land: a product, a(1 - b). Wide light would cost hundreds of pixels
 * per lamp, so it is summed on coarse cells, through which the ground is seen.
 */
export function lampFragment(part: Part): string {
  return `#version 300 es
precision highp float;
in vec3 hue;
in float bright;
in float halo;
in float radius;
uniform float size;
uniform vec3 warm;        // lamplight
out vec4 light;
${SHOULDER}
void main() {
  vec2 off = (gl_PointCoord - 0.5) * 2.0;       // radii from the lamp
  float away = dot(off, off);
  float edge = 1.0 - smoothstep(0.3, 1.0, away);
  float r = sqrt(away) * radius / size;         // design pixels from the lamp
  ${FALL[part]}
}`;
}

const FALL: Record<Part, string> = {
  unlit: `
  float left = max(0.0, 1.0 - away);
  light = vec4(hue * (left * left * left), 1.0);`,
  lit: `
  vec3 sum = ${warm(WARM.core)} * (bright * ${float(LIT.peak)} * exp(-r * r / ${float(LIT.wide)}))
           + ${warm(WARM.glow)} * (bright * halo * ${float(LIT.glow)} * exp(-r * r / ${float(LIT.glowWide)}));
  light = vec4(shoulder(sum * edge), 1.0);`,
  halo: `
  vec2 share = 1.0 - abs(off);
  light = vec4(hue * bright * (share.x * share.y * size * size / (radius * radius) * ${float(Math.PI * HALO.peak * HALO.wide)}), 1.0);`,
  bloom: `
  float wide = ${float(BLOOM.near)} * exp(-r * r / ${float(BLOOM.nearWide)})
             + ${float(BLOOM.far)} * exp(-r / ${float(BLOOM.farWide)});
  light = vec4(${warm(WARM.bloom)} * (bright * halo * wide * edge), 0.0);`,
};

/** Return the hue mixed with a share of lamplight. */
function warm(share: number): string {
  return `mix(hue, warm, ${float(share)})`;
}

/**
 * Cells of the picture: the halos, blurred a little more, and the land's height (alpha), which is token
 * density.
 *
 * Two height fields are interpolated while the map glides between layouts. B-spline sampling keeps contours
 * round at any zoom.
 */
export const CELLS = `#version 300 es
precision highp float;
in vec2 at;
out vec4 colour;
uniform sampler2D halos;
uniform float spread;     // cells between the samples
uniform sampler2D before;
uniform sampler2D after;
uniform vec4 beforeRect;  // x0, y0, 1/width, 1/height, in map units
uniform vec4 afterRect;
uniform vec4 view;        // x0, y0, width, height
uniform float mixing;

float smoothAt(sampler2D field, vec2 uv) {
  vec2 size = vec2(textureSize(field, 0));
  vec2 p = uv * size - 0.5;
  vec2 f = fract(p);
  vec2 i = p - f + 0.5;
  vec2 w0 = (1.0 - f) * (1.0 - f) * (1.0 - f) / 6.0;
  vec2 w1 = (4.0 - 6.0 * f * f + 3.0 * f * f * f) / 6.0;
  vec2 w3 = f * f * f / 6.0;
  vec2 w2 = 1.0 - w0 - w1 - w3;
  vec2 g0 = w0 + w1, g1 = w2 + w3;
  vec2 a = (i - 1.0 + w1 / g0) / size, b = (i + 1.0 + w3 / g1) / size;
  return g0.y * (g0.x * texture(field, a).r + g1.x * texture(field, vec2(b.x, a.y)).r)
       + g1.y * (g0.x * texture(field, vec2(a.x, b.y)).r + g1.x * texture(field, b).r);
}

void main() {
  vec2 place = view.xy + at * view.zw;
  float height = smoothAt(after, (place - afterRect.xy) * afterRect.zw);
  if (mixing < 1.0) {
    height = mix(smoothAt(before, (place - beforeRect.xy) * beforeRect.zw), height, mixing);
  }
  vec2 half_ = 0.5 * spread / vec2(textureSize(halos, 0));
  vec3 sum = texture(halos, at + half_).rgb + texture(halos, at - half_).rgb
           + texture(halos, at + vec2(half_.x, -half_.y)).rgb + texture(halos, at + vec2(-half_.x, half_.y)).rgb;
  colour = vec4(0.25 * sum, height);
}`;

/** Tone-mapped light of the cells. */
export const TONE_MAPPED = `#version 300 es
precision highp float;
uniform sampler2D cells;
out vec4 colour;
${SHOULDER}
void main() {
  vec4 wide = texelFetch(cells, ivec2(gl_FragCoord.xy), 0);
  colour = vec4(shoulder(wide.rgb), wide.a);
}`;

/** Land with contour lines, seen through the wide light; a little noise prevents banding. */
export const GROUND = `#version 300 es
precision highp float;
in vec2 at;
out vec4 colour;
uniform sampler2D cells;
uniform vec2 part;        // of the cells' picture, which this one covers
uniform vec3 night;
uniform vec3 land;
uniform vec3 contour;
uniform float dark;       // 1 if light and contours darken the land
uniform float pixel;      // pixels for a design pixel
void main() {
  vec4 wide = texture(cells, at * part);
  vec3 line_ = contour * (1.0 - 2.0 * dark);
  float height = wide.a;
  float level = (height - ${float(LAND.sea)}) * ${float(LAND.lines)};
  float slope = max(fwidth(level), 0.004);
  vec3 ground = mix(night, land, smoothstep(0.0, ${float(LAND.risen)}, height));
  ground += line_ * ${float(LAND.hills.share)} * smoothstep(${float(LAND.hills.from)}, ${float(LAND.hills.to)}, height);
  float away = abs(fract(level) - 0.5) / slope / pixel;
  float line = 1.0 - smoothstep(0.2, 0.95, away);
  float left = max(0.0, 1.0 - away * away * ${float(1 / LAND.reach ** 2)});
  float glow = left * left * left * left;
  float coast = 1.0 - smoothstep(0.9, 1.1, level);
  float shown = smoothstep(0.25, 0.45, level);
  ground += line_ * shown * (line * mix(${float(LAND.line)}, ${float(LAND.coast.line)}, coast) + glow * mix(${float(LAND.glow)}, ${float(LAND.coast.glow)}, coast));
  float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715))));
  colour = vec4(ground + (1.0 - dark - ground) * wide.rgb + (noise - 0.5) / 255.0, 1.0);
}`;

/** Format a number for GLSL, always with a decimal point. */
function float(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
