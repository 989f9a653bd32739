// Decoding of the page's data. Tokens are only ever inserted as text.

const $ = (id) => document.getElementById(id);
const INK = { night: [10, 14, 28], land: [18, 32, 60], contour: [27, 40, 72] };
const TINTS = ["#f1af64", "#69b3eb", "#38e3b5", "#d77ea6", "#fde56f", "#8d7fee", "#f5642b", "#d6f0f9"];
const PLAIN = "#a3b2d4"; // a token of no kind
const BEAT = 1000 / 3; // ms per beat, as in the app
const GRID = 150;
const head = JSON.parse($("head").textContent);
const V = head.tokens.length;
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Return text that is safe to display: controls and marks that turn or break lines become visible symbols. */
const shown = (text) => {
  const plain = text.replace(/[\u0000-\u001f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replace(/[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, "\u25cc");
  return plain === "" ? "(empty)" : plain;
};

/** Return the name of a class, a family or a district in sentence case; one that lists words leaves them as they are. */
const titled = (name) => { const text = shown(name); return text.includes(" \u00b7 ") ? text : text.replace(/^\p{Ll}/u, (c) => c.toUpperCase()); };

// --- unpacking -----------------------------------------------------------------------------------

/** Inflate (RFC 1951) for browsers without DecompressionStream; `data` starts with zlib's two-byte header. */
function inflate(data, size) {
  const out = new Uint8Array(size);
  let at = 2, bits = 0, have = 0, n = 0;
  const take = (count) => {
    while (have < count) { bits |= data[at++] << have; have += 8; }
    const value = bits & ((1 << count) - 1);
    bits >>>= count; have -= count;
    return value;
  };
  const tree = (lengths) => {
    const counts = new Uint16Array(16), starts = new Uint16Array(16), symbols = new Uint16Array(lengths.length);
    for (const length of lengths) counts[length]++;
    counts[0] = 0;
    for (let i = 1; i < 16; i++) starts[i] = starts[i - 1] + counts[i - 1];
    lengths.forEach((length, symbol) => { if (length) symbols[starts[length]++] = symbol; });
    return { counts, symbols };
  };
  const read = ({ counts, symbols }) => {
    let code = 0, first = 0, index = 0;
    for (let length = 1; length < 16; length++) {
      code |= take(1);
      if (code - counts[length] < first) return symbols[index + code - first];
      index += counts[length]; first = (first + counts[length]) << 1; code <<= 1;
    }
    throw new Error("damaged");
  };
  const base = (from, step) => { const all = []; for (let i = 0, v = from; i < 30; i++) { const e = step(i); all.push([v, e]); v += 1 << e; } return all; };
  const lengths = base(3, (i) => (i < 8 ? 0 : (i >> 2) - 1)), distances = base(1, (i) => (i < 4 ? 0 : (i >> 1) - 1));
  lengths[28] = [258, 0];
  for (let last = 0; !last;) {
    last = take(1);
    const kind = take(2);
    if (kind === 0) {
      bits = have = 0;
      const length = data[at] | (data[at + 1] << 8);
      at += 4;
      out.set(data.subarray(at, at + length), n); n += length; at += length;
      continue;
    }
    let literals, far;
    if (kind === 1) {
      literals = tree(Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)));
      far = tree(new Array(30).fill(5));
    } else {
      const a = take(5) + 257, b = take(5) + 1, c = take(4) + 4, small = new Array(19).fill(0), all = [];
      for (let i = 0; i < c; i++) small[[16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15][i]] = take(3);
      const lesser = tree(small);
      while (all.length < a + b) {
        const s = read(lesser);
        if (s < 16) all.push(s);
        else for (let i = s === 16 ? 3 + take(2) : s === 17 ? 3 + take(3) : 11 + take(7), v = s === 16 ? all[all.length - 1] : 0; i--;) all.push(v);
      }
      literals = tree(all.slice(0, a)); far = tree(all.slice(a));
    }
    for (let s; (s = read(literals)) !== 256;) {
      if (s < 256) { out[n++] = s; continue; }
      let length = lengths[s - 257][0] + take(lengths[s - 257][1]);
      const d = read(far), back = distances[d][0] + take(distances[d][1]);
      for (; length--; n++) out[n] = out[n - back];
    }
  }
  return out;
}

async function unpacked() {
  const text = atob($("data").textContent.trim());
  $("data").remove();
  const packed = Uint8Array.from(text, (c) => c.charCodeAt(0));
  if (typeof DecompressionStream !== "function") return inflate(packed, head.size);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// --- the run -------------------------------------------------------------------------------------

let places = []; // one Uint16Array of x, y by token for each layout
let losses, lossSteps;
const beats = []; // { step, loss, lit, ids, norms }
let findings = []; // { step, of, districts }: the districts found by a step, those first that are named first

/** Return a token's index into the tints, -1 for none: its family's, or its class's, or its district's in a finding. */
function kindOf(i, finding) {
  const c = head.class_of[i];
  if (head.classes.length === 0) return finding ? finding.of[i] || -1 : -1;
  return c < 0 || head.families.length === 0 ? c : head.family_of[c];
}
const tintsIn = (finding) => head.tokens.map((_, i) => { const kind = kindOf(i, finding); return kind < 0 ? PLAIN : TINTS[kind % TINTS.length]; });
let tint = tintsIn(null);

/** Return the districts found last by a step; undefined if there are none. */
function findingAt(step) {
  const last = findings.filter((one) => one.step <= step).pop();
  return last?.districts.length ? last : undefined;
}

function readFindings(planes) {
  const names = new Map(), of = new Uint32Array(V), size = planes.length / 4;
  findings = head.districts.map(([step, renamed], f) => {
    for (const [id, name] of renamed) names.set(id, name);
    const members = new Map();
    for (let i = 0; i < V; i++) {
      const k = f * V + i;
      of[i] += planes[k] | (planes[size + k] << 8) | (planes[2 * size + k] << 16) | (planes[3 * size + k] << 24);
      if (of[i] && !members.get(of[i])?.push(i)) members.set(of[i], [i]);
    }
    const ids = [...members.keys()].sort((a, b) => a - b);
    // The larger first, and the older: the oldest counts twice as much as the youngest.
    const weight = (one) => one.members.length * (2 - ids.indexOf(one.id) / ids.length);
    const districts = ids.map((id) => ({ id, name: names.get(id), members: members.get(id) }));
    return { step, of: of.slice(), districts: districts.sort((a, b) => weight(b) - weight(a)) };
  });
}

function read(bytes) {
  const part = (name) => bytes.subarray(head.parts[name][0], head.parts[name][0] + head.parts[name][1]);
  const typed = (name, Type) => new Type(part(name).slice().buffer);
  const all = part("places"), half = all.length / 2, frame = 2 * V;
  for (let f = 0; f < head.layouts.length; f++) {
    const now = new Uint16Array(frame), before = places[f - 1];
    for (let i = 0; i < frame; i++) {
      const k = f * frame + i;
      now[i] = (before ? before[i] : 0) + (all[k] | (all[half + k] << 8));
    }
    places.push(now);
  }
  losses = typed("losses", Float32Array);
  lossSteps = typed("loss_steps", Uint32Array);
  readFindings(part("districts"));
  const ids = part("ids"), third = ids.length / 3, norms = part("norms");
  let k = 0;
  for (const [step, loss, lit, kept] of head.beats) {
    const beat = { step, loss, lit, ids: new Uint32Array(kept), norms: norms.subarray(k, k + kept) };
    for (let i = 0, id = 0; i < kept; i++, k++) {
      id += ids[k] | (ids[third + k] << 8) | (ids[2 * third + k] << 16);
      beat.ids[i] = id;
    }
    beats.push(beat);
  }
}

// --- positions and view ------------------------------------------------------------------------------

const city = $("city"), pen = city.getContext("2d"), asleep = document.createElement("canvas"), land = document.createElement("canvas");
const xy = new Float32Array(2 * V);
let width = 0, height = 0, pixel = 1, view = { x: 0.5, y: 0.5, scale: 1 };
let at = 0, since = 0, playing = false, speed = 1, stale = true, drawn = { step: -1, beat: -1, at: 0 }, contours = [];
let chosen = [], hovered = -1, finding, home = view;

function placeAt(step) {
  const steps = head.layouts;
  let f = 0;
  while (f < steps.length - 1 && steps[f + 1] <= step) f++;
  const g = Math.min(f + 1, steps.length - 1);
  const mix = g === f ? 0 : Math.min(1, Math.max(0, (step - steps[f]) / (steps[g] - steps[f])));
  for (let i = 0; i < 2 * V; i++) xy[i] = (places[f][i] * (1 - mix) + places[g][i] * mix) / 65535;
  // Both axes run from 0 to 1; `aspect` is the map's height over its width.
  for (let i = 1; i < 2 * V; i += 2) xy[i] = (1 - xy[i]) * head.aspect;
}

function fit() {
  const of = (axis) => { const all = []; for (const p of places) for (let i = axis; i < p.length; i += 2 * Math.ceil(V / 500)) all.push(p[i] / 65535); all.sort((a, b) => a - b); return [all[Math.floor(all.length * 0.001)], all[Math.ceil(all.length * 0.999) - 1]]; };
  const [x0, x1] = of(0), [b0, b1] = of(1), [y0, y1] = [(1 - b1) * head.aspect, (1 - b0) * head.aspect];
  const low = 94 + $("legend").offsetHeight, room = [width - 80, height - 96 - low];
  view.scale = 0.92 * Math.min(room[0] / Math.max(1e-6, x1 - x0), room[1] / Math.max(1e-6, y1 - y0));
  view.x = (x0 + x1) / 2;
  view.y = (y0 + y1) / 2 + (low - 96) / 2 / view.scale;
  home = { ...view };
}

const px = (x) => (x - view.x) * view.scale + width / 2;
const py = (y) => (y - view.y) * view.scale + height / 2;
