// Drawing of the land and the lamps.

// --- the land --------------------------------------------------------------------------------------

function blurred(field, sigma) {
  const radius = Math.ceil(3 * sigma), kernel = Float32Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)));
  const total = kernel.reduce((a, b) => a + b, 0);
  const pass = (from, along, across) => {
    const to = new Float32Array(from.length);
    for (let line = 0; line < GRID; line++) for (let i = 0; i < GRID; i++) {
      let sum = 0;
      for (let j = Math.max(0, i - radius), end = Math.min(GRID - 1, i + radius); j <= end; j++) sum += kernel[j - i + radius] * from[line * across + j * along];
      to[line * across + i * along] = sum / total;
    }
    return to;
  };
  return pass(pass(field, 1, GRID), GRID, 1);
}

const box = () => ({ x: -0.22, y: -0.22 * head.aspect, w: 1.44, h: 1.44 * head.aspect });

function raiseLand() {
  const { x, y, w, h } = box(), counts = new Float32Array(GRID * GRID);
  for (let i = 0; i < V; i++) {
    const u = ((xy[2 * i] - x) / w) * GRID - 0.5, v = ((xy[2 * i + 1] - y) / h) * GRID - 0.5;
    const cx = Math.floor(u), cy = Math.floor(v);
    if (cx < 1 || cy < 1 || cx > GRID - 3 || cy > GRID - 3) continue;
    const fx = u - cx, fy = v - cy, k = cy * GRID + cx;
    counts[k] += (1 - fx) * (1 - fy); counts[k + 1] += fx * (1 - fy); counts[k + GRID] += (1 - fx) * fy; counts[k + GRID + 1] += fx * fy;
  }
  const hills = blurred(counts, 2.2), country = blurred(counts, 5.4), heights = hills.map((v, i) => 0.4 * v + 0.6 * country[i]);
  const some = heights.filter((v) => v > 0).sort(), top = some[Math.floor(0.995 * (some.length - 1))] || 1;
  for (let i = 0; i < heights.length; i++) heights[i] = Math.min(1.25, Math.sqrt(heights[i] / top));
  const image = new ImageData(GRID, GRID), ease = (a, b, v) => { const t = Math.min(1, Math.max(0, (v - a) / (b - a))); return t * t * (3 - 2 * t); };
  for (let i = 0; i < heights.length; i++) {
    const up = ease(0, 0.5, heights[i]), hill = ease(0.3, 1.2, heights[i]);
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = INK.night[c] + (INK.land[c] - INK.night[c]) * up + (INK.contour[c] * 0.75 + [0, 2, 11][c]) * hill;
    image.data[4 * i + 3] = 255 * ease(0, 0.06, heights[i]);
  }
  land.width = land.height = GRID;
  land.getContext("2d").putImageData(image, 0, 0);
  contours = [0.16, 0.3, 0.43, 0.56, 0.69, 0.82, 0.95, 1.08].map((level) => traced(heights, level));
}

/** Return the contour lines of one height, by marching squares, as x0, y0, x1, y1 in map units. */
function traced(heights, level) {
  const { x, y, w, h } = box(), lines = [];
  for (let j = 0; j < GRID - 1; j++) for (let i = 0; i < GRID - 1; i++) {
    const k = j * GRID + i, a = heights[k] - level, b = heights[k + 1] - level, c = heights[k + GRID + 1] - level, d = heights[k + GRID] - level;
    if (a > 0 === b > 0 && b > 0 === c > 0 && c > 0 === d > 0) continue;
    const ends = [];
    if (a > 0 !== b > 0) ends.push(i + a / (a - b), j);
    if (b > 0 !== c > 0) ends.push(i + 1, j + b / (b - c));
    if (d > 0 !== c > 0) ends.push(i + d / (d - c), j + 1);
    if (a > 0 !== d > 0) ends.push(i, j + a / (a - d));
    for (let e = 0; e + 3 < ends.length; e += 4) for (let n = 0; n < 4; n += 2) lines.push(x + ((ends[e + n] + 0.5) / GRID) * w, y + ((ends[e + n + 1] + 0.5) / GRID) * h);
  }
  return lines;
}

/** Return the scale of lamps, which shrinks with the window: in a small one they would merge into a glare. */
const lampSize = () => Math.min(1.15, Math.max(0.5, Math.min(width, height) / 700));

const FONTS = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";

// --- light -----------------------------------------------------------------------------------------

const sprites = new Map();
/** Return the sprite of one lamp's light: core, glow and bloom. */
function sprite(hue, stops, side = 128) {
  const key = hue + side + stops.length;
  if (!sprites.has(key)) {
    const made = document.createElement("canvas"), half = side / 2, ink = made.getContext("2d");
    made.width = made.height = side;
    const [r, g, b] = [1, 3, 5].map((i) => parseInt(hue.slice(i, i + 2), 16)), light = ink.createRadialGradient(half, half, 0, half, half, half);
    for (const [where, alpha, pale] of stops) {
      const [p, q, s] = [[r, 255], [g, 247], [b, 235]].map(([own, white]) => Math.round(own + (white - own) * pale));
      light.addColorStop(where, `rgba(${p},${q},${s},${alpha})`);
    }
    ink.fillStyle = light;
    ink.fillRect(0, 0, side, side);
    sprites.set(key, made);
  }
  return sprites.get(key);
}
const AWAKE = [[0, 1, 0.9], [0.035, 0.95, 0.75], [0.085, 0.42, 0.3], [0.2, 0.17, 0.1], [0.42, 0.055, 0], [0.7, 0.014, 0], [1, 0, 0]];
const ASLEEP = [[0, 0.6, 0.1], [0.3, 0.34, 0], [0.55, 0.07, 0], [1, 0, 0]];

function drawAsleep() {
  asleep.width = city.width; asleep.height = city.height;
  const ink = asleep.getContext("2d");
  ink.scale(pixel, pixel);
  const { x, y, w, h } = box();
  ink.fillStyle = "#0a0e1c";
  ink.fillRect(0, 0, width, height);
  ink.imageSmoothingQuality = "high";
  ink.drawImage(land, px(x), py(y), w * view.scale, h * view.scale);
  contours.forEach((lines, i) => {
    ink.beginPath();
    for (let k = 0; k < lines.length; k += 4) { ink.moveTo(px(lines[k]), py(lines[k + 1])); ink.lineTo(px(lines[k + 2]), py(lines[k + 3])); }
    if (i === 0) {
      ink.strokeStyle = "rgb(58 84 150 / .17)";
      ink.lineWidth = 5;
      ink.stroke();
    }
    ink.strokeStyle = i === 0 ? "rgb(66 92 160 / .55)" : "rgb(66 92 160 / .3)";
    ink.lineWidth = 1;
    ink.stroke();
  });
  ink.globalCompositeOperation = "lighter";
  const size = (V > 8000 ? 4 : 7) * Math.max(0.75, lampSize()), side = Math.ceil(size * pixel);
  for (let i = 0; i < V; i++) {
    const a = px(xy[2 * i]), b = py(xy[2 * i + 1]);
    if (a < -9 || b < -9 || a > width + 9 || b > height + 9) continue;
    ink.drawImage(sprite(tint[i], ASLEEP, side), a - size / 2, b - size / 2, side / pixel, side / pixel);
  }
}

function draw(now) {
  const beat = beats[at], part = Math.min(1, ((now - since) * speed) / BEAT);
  const next = beats[Math.min(at + 1, beats.length - 1)];
  // During playback positions are interpolated between beats; with many tokens they move once a beat.
  const step = playing && V <= 8000 && !still ? beat.step + (next.step - beat.step) * part : beat.step;
  const found = findingAt(beat.step);
  if (found !== finding && head.classes.length === 0) { tint = tintsIn(found); stale = true; }
  finding = found;
  // Moving all lamps costs more than lighting some, so they move twenty times a second, and the land once a beat.
  if (stale || (step !== drawn.step && (!playing || now - drawn.at > 50))) {
    placeAt(step);
    if (stale || !playing || drawn.beat !== at) raiseLand();
    drawn = { step, beat: at, at: now };
    stale = false;
    drawAsleep();
  }
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.globalCompositeOperation = "source-over";
  pen.drawImage(asleep, 0, 0);
  pen.scale(pixel, pixel);
  pen.globalCompositeOperation = "lighter";
  const glow = playing && !still ? 0.32 + 0.68 * Math.exp(-2.1 * part) * Math.min(1, part * 12 + 0.3) : 0.9;
  for (let k = 0; k < beat.ids.length; k++) {
    const i = beat.ids[k], strength = beat.norms[k] / 255, side = (34 + 92 * strength) * lampSize();
    pen.globalAlpha = glow * (0.42 + 0.58 * strength);
    pen.drawImage(sprite(tint[i], AWAKE), px(xy[2 * i]) - side / 2, py(xy[2 * i + 1]) - side / 2, side, side);
  }
  pen.globalAlpha = 1;
  pen.globalCompositeOperation = "source-over";
  drawNames(beat);
}

/** Return the middle of some tokens in the window. */
function middle(members) {
  const half = members.length >> 1, at = (axis) => members.map((i) => xy[2 * i + axis]).sort((a, b) => a - b)[half];
  return [px(at(0)), py(at(1))];
}

function drawNames(beat) {
  const taken = [], order = Array.from(beat.ids.keys()).sort((a, b) => beat.norms[b] - beat.norms[a]);
  const name = (i, ink, must) => write(shown(head.tokens[i]).slice(0, 40), px(xy[2 * i]) + 8, py(xy[2 * i + 1]) - 6, ink, must);
  const write = (text, a, b, ink, must) => {
    const frame = [a - 3, b - 14, a + pen.measureText(text).width + 3, b + 5];
    if (!must && (frame[2] > width - 8 || frame[1] < 100 || frame[3] > height - 90 || taken.some((t) => t[0] < frame[2] && frame[0] < t[2] && t[1] < frame[3] && frame[1] < t[3]))) return 0;
    taken.push(frame);
    pen.strokeText(text, a, b);
    pen.fillStyle = ink;
    pen.fillText(text, a, b);
    return 1;
  };
  pen.font = `13.5px ${FONTS}`;
  pen.lineJoin = "round";
  pen.lineWidth = 3.5;
  pen.strokeStyle = "rgb(10 14 28 / .75)";
  for (const i of hovered < 0 ? chosen : [hovered, ...chosen]) {
    pen.beginPath();
    pen.arc(px(xy[2 * i]), py(xy[2 * i + 1]), 8, 0, 7);
    pen.save();
    pen.lineWidth = 1.5;
    pen.strokeStyle = "#ffe9c4";
    pen.stroke();
    pen.restore();
    if (i !== hovered) name(i, "#ffe9c4", chosen.length < 12);
  }
  // At most twelve districts are named while the whole map is seen, more from nearer by.
  const most = Math.min(12, Math.round((width * height) / 34000)) * Math.max(1, view.scale / home.scale) ** 2;
  pen.font = `600 14px ${FONTS}`;
  for (const { name: words, members } of finding?.districts.slice(0, most) ?? []) {
    const text = titled(words).slice(0, 48), [x, y] = middle(members);
    write(text, x - pen.measureText(text).width / 2, y - 14, "#d7e0f5", false);
  }
  pen.font = `13.5px ${FONTS}`;
  let left = 26;
  for (const k of order) {
    if (!left) break;
    // The label of a punctuation mark would look like a hole in the map.
    if (/[\p{L}\p{N}]/u.test(head.tokens[beat.ids[k]])) left -= name(beat.ids[k], "#f2ead9", false);
  }
}
