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
uniform float size;       // device pixels a design pixel
uniform float largest;    // device pixels a point may have
uniform float awake;      // 1: draw the lit lamps' light, 0: how every lamp sleeps
out vec3 hue;
out float asleep;
out float shine;
out float radius;
void main() {
  vec2 place = mix(fromBox.xy + from * fromBox.zw, toBox.xy + to * toBox.zw, mixing);
  gl_Position = vec4((place - view.xy) / view.zw * 2.0 - 1.0, 0.0, 1.0);
  shine = lit.x == beat ? lit.y * glow * awake : 0.0;
  hue = tint.rgb;
  asleep = tint.a * (1.0 - awake);
  radius = min(size * mix(9.0, 15.0 + 40.0 * lit.y, awake), largest * 0.5);
  gl_PointSize = radius * 2.0;
  if (awake > 0.5 && shine <= 0.0) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
}`;

/** Core, glow and bloom of one lamp; all lamps' light is summed. */
export const LAMP_FRAGMENT = `#version 300 es
precision highp float;
in vec3 hue;
in float asleep;
in float shine;
in float radius;
uniform float size;
out vec4 light;
void main() {
  float part = length(gl_PointCoord - 0.5) * 2.0;
  if (part > 1.0) discard;
  float r = part * radius / size;               // design pixels from the lamp
  float rim = 1.0 - smoothstep(0.55, 1.0, part);
  vec3 sum;
  if (shine > 0.0) {
    vec3 pale = mix(hue, vec3(1.0, 0.97, 0.92), 0.6);
    sum = pale * shine * 2.2 * exp(-r * r / 2.6);
    sum += mix(hue, pale, 0.3) * shine * 0.4 * exp(-r * r / 24.0);
    sum += hue * shine * (0.12 * exp(-r * r / 190.0) + 0.035 * exp(-r / 16.0));
  } else {
    sum = hue * asleep * (0.7 * exp(-r * r / 1.2) + 0.055 * exp(-r * r / 16.0));
  }
  light = vec4(sum * rim, 1.0);
}`;

/** Land seen through summed light with a soft shoulder, and a little noise against banding. */
export const EYE = `#version 300 es
precision highp float;
in vec2 at;
out vec4 colour;
uniform vec2 part;        // of the pictures, which was drawn on
uniform sampler2D landPicture;
uniform sampler2D asleepPicture;
uniform sampler2D awakePicture;
void main() {
  // Not between the last pixels that were drawn and those beyond.
  vec2 there = min(at * part, part - 0.5 / vec2(textureSize(landPicture, 0)));
  vec3 ground = texture(landPicture, there).rgb;
  vec3 sum = texture(asleepPicture, there).rgb + texture(awakePicture, there).rgb;
  // Where many lamps are lit together each channel alone would burn to white: most of the shoulder bends the sum as
  // a whole, so that a bright district keeps its tint.
  float peak = max(max(sum.r, sum.g), max(sum.b, 1e-4));
  vec3 light = mix(sum / peak * (1.0 - exp(-1.5 * peak)), 1.0 - exp(-1.5 * sum), 0.3);
  float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715))));
  colour = vec4(ground + (1.0 - ground) * light + (noise - 0.5) / 255.0, 1.0);
}`;
