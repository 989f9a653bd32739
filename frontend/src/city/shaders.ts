/** The shaders of the city: the land beneath, the lamps upon it, and the eye that sees both. */

/** A full-screen triangle; `at` runs over the picture from 0 to 1. */
export const SCREEN = `#version 300 es
out vec2 at;
void main() {
  at = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0;
  gl_Position = vec4(at * 2.0 - 1.0, 0.0, 1.0);
}`;

/**
 * Token density as land with contour lines. Two fields are mixed while the city glides from one layout
 * to the next. B-spline sampling, so that contours stay round however far one zooms in.
 */
export const LAND = `#version 300 es
precision highp float;
in vec2 at;
out vec4 colour;
uniform sampler2D before;
uniform sampler2D after;
uniform vec4 beforeRect;  // x0, y0, 1/width, 1/height, in map units
uniform vec4 afterRect;
uniform vec4 view;        // x0, y0, width, height
uniform float mixing;
uniform vec3 night;
uniform vec3 land;
uniform vec3 contour;
uniform float pixel;      // device pixels a CSS pixel

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
  vec3 ground = mix(night, land, smoothstep(0.0, 0.5, height));
  ground += contour * 0.5 * smoothstep(0.3, 1.2, height);
  float level = (height - 0.14) * 6.5;
  float slope = max(fwidth(level), 0.004);
  float away = abs(fract(level) - 0.5) / slope / pixel;
  float line = 1.0 - smoothstep(0.2, 0.95, away);
  float glow = exp(-away * away * 0.05);
  float coast = 1.0 - smoothstep(0.9, 1.1, level);
  float shown = smoothstep(0.25, 0.45, level);
  ground += contour * shown * (line * mix(0.3, 0.5, coast) + glow * mix(0.06, 0.24, coast));
  colour = vec4(ground, 1.0);
}`;

/**
 * One lamp a token. It mixes two layouts by time, so a frame in which the city moves uploads nothing;
 * it glows if it was lit by the beat that is on, as strongly as its gradient.
 */
export const LAMP_VERTEX = `#version 300 es
in vec2 from;
in vec2 to;
in vec4 tint;             // rgb; a: how bright it sleeps
in vec2 lit;              // beat it was last lit in, strength 0 to 1
uniform vec4 fromBox;     // x0, y0, width, height of the layout, in map units
uniform vec4 toBox;
uniform vec4 view;
uniform float mixing;
uniform float beat;
uniform float glow;       // 0 to 1, the beat's brightness now
uniform float size;       // pixels drawn for a design pixel
uniform float largest;    // pixels a point may have
uniform highp int part;         // 0: the cores of all lamps asleep; of the lit ones 1: core and glow, 2: bloom
out vec3 hue;
out float bright;
out float radius;
void main() {
  vec2 place = mix(fromBox.xy + from * fromBox.zw, toBox.xy + to * toBox.zw, mixing);
  gl_Position = vec4((place - view.xy) / view.zw * 2.0 - 1.0, 0.0, 1.0);
  hue = tint.rgb;
  bright = part == 0 ? tint.a : lit.x == beat ? lit.y * glow : 0.0;
  float wide = part == 0 ? 2.8 : part == 1 ? 13.0 : 15.0 + 40.0 * lit.y;
  radius = min(size * wide, largest * 0.5);
  gl_PointSize = radius * 2.0;
  if (part > 0 && bright <= 0.0) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
}`;

/**
 * Core, glow and bloom of one lamp; all lamps' light is summed. What is wide is not drawn here lamp by lamp, which
 * would be hundreds of pixels for each: the bloom is drawn on coarse cells, and the halo of those asleep is the
 * picture of their cores, blurred (HAZE).
 */
export const LAMP_FRAGMENT = `#version 300 es
precision highp float;
in vec3 hue;
in float bright;
in float radius;
uniform float size;
uniform highp int part;
out vec4 light;
void main() {
  float away = length(gl_PointCoord - 0.5) * 2.0;
  if (away > 1.0) discard;
  float r = away * radius / size;               // design pixels from the lamp
  vec3 sum;
  if (part == 0) {
    sum = hue * bright * 0.7 * exp(-r * r / 1.2);
  } else if (part == 1) {
    vec3 pale = mix(hue, vec3(1.0, 0.97, 0.92), 0.6);
    sum = pale * bright * 2.2 * exp(-r * r / 2.6);
    sum += mix(hue, pale, 0.3) * bright * 0.4 * exp(-r * r / 24.0);
  } else {
    sum = hue * bright * (0.12 * exp(-r * r / 190.0) + 0.035 * exp(-r / 16.0));
  }
  light = vec4(sum * (1.0 - smoothstep(0.55, 1.0, away)), 1.0);
}`;

/** A picture on coarser cells: each the mean of the pixels in it, and then of the cells around it. */
export const HAZE = `#version 300 es
precision highp float;
out vec4 colour;
uniform sampler2D picture;
uniform vec2 most;        // pixels of the picture that were drawn on
uniform float cell;       // pixels of the picture for one here
uniform int taps;         // samples a side, each the mean of four pixels
uniform float spread;     // how far apart the outermost samples are, in cells
uniform float gain;
void main() {
  vec2 size = vec2(textureSize(picture, 0));
  vec3 sum = vec3(0.0);
  for (int y = 0; y < taps; y++) {
    for (int x = 0; x < taps; x++) {
      vec2 off = ((vec2(x, y) + 0.5) / float(taps) - 0.5) * spread;
      vec2 at = clamp((gl_FragCoord.xy + off) * cell, vec2(0.5), most - 0.5);
      sum += texture(picture, at / size).rgb;
    }
  }
  colour = vec4(gain * sum / float(taps * taps), 1.0);
}`;

/** Land seen through summed light with a soft shoulder, and a little noise against banding. */
export const EYE = `#version 300 es
precision highp float;
in vec2 at;
out vec4 colour;
uniform vec2 part;        // of the pictures, which was drawn on
uniform bool fine;        // all of it: a pixel of the pictures is a pixel here, and need not be mixed of four
uniform sampler2D landPicture;
uniform sampler2D asleepPicture;
uniform sampler2D awakePicture;
uniform sampler2D wide;   // halos and blooms, on cells
uniform vec2 cells;       // of them, which were drawn on
uniform bool lit;         // something is on the picture of the lit lamps
void main() {
  vec3 ground, sum;
  if (fine) {
    ivec2 there = ivec2(gl_FragCoord.xy);
    ground = texelFetch(landPicture, there, 0).rgb;
    sum = texelFetch(asleepPicture, there, 0).rgb;
    if (lit) sum += texelFetch(awakePicture, there, 0).rgb;
  } else {
    // Not between the last pixels that were drawn and those beyond.
    vec2 there = min(at * part, part - 0.5 / vec2(textureSize(landPicture, 0)));
    ground = texture(landPicture, there).rgb;
    sum = texture(asleepPicture, there).rgb;
    if (lit) sum += texture(awakePicture, there).rgb;
  }
  sum += texture(wide, clamp(at * cells, vec2(0.5), cells - 0.5) / vec2(textureSize(wide, 0))).rgb;
  // Where many lamps are lit together each channel alone would burn to white: most of the shoulder bends the sum as
  // a whole, so that a bright district keeps its tint.
  float peak = max(max(sum.r, sum.g), max(sum.b, 1e-4));
  vec3 light = mix(sum / peak * (1.0 - exp(-1.5 * peak)), 1.0 - exp(-1.5 * sum), 0.3);
  float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715))));
  colour = vec4(ground + (1.0 - ground) * light + (noise - 0.5) / 255.0, 1.0);
}`;
