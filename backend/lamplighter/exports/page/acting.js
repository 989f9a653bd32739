// Playback and user input.

// --- playback ------------------------------------------------------------------------------------------

const number = new Intl.NumberFormat("en");
function tell() {
  const beat = beats[at];
  $("step").textContent = `step ${number.format(beat.step)}`;
  $("loss").textContent = beat.step === 0 ? "before the first step" : `loss ${beat.loss === null ? "not finite" : beat.loss.toFixed(3)}`;
  $("lit").textContent = `${number.format(beat.lit)} of ${number.format(V)} lit`;
  $("scrub").value = String(at);
  $("scrub").setAttribute("aria-valuetext", $("facts").innerText);
}

function go(index, now = performance.now()) {
  at = Math.min(beats.length - 1, Math.max(0, index));
  since = now;
  tell();
  request();
}

function play(on) {
  playing = on;
  if (on && at === beats.length - 1) go(0);
  since = performance.now();
  $("play").textContent = on ? "\u275a\u275a" : "\u25b6";
  $("play").setAttribute("aria-label", on ? "Pause" : "Play");
  request();
}

let waiting = 0;
function request() { if (!waiting) waiting = requestAnimationFrame(frame); }
function frame(now) {
  waiting = 0;
  if (playing && (now - since) * speed >= BEAT) {
    if (at === beats.length - 1) play(false);
    else { at += 1; since = now; tell(); }
  }
  draw(now);
  if (playing) request();
}

function drawCurve() {
  const canvas = $("curve"), w = canvas.clientWidth, h = canvas.clientHeight, ink = canvas.getContext("2d");
  canvas.width = w * pixel; canvas.height = h * pixel;
  ink.scale(pixel, pixel);
  const finite = losses.filter(Number.isFinite), low = Math.min(...finite), high = Math.max(...finite), first = beats[0].step, last = Math.max(first + 1, beats[beats.length - 1].step);
  ink.beginPath();
  losses.forEach((loss, i) => { if (Number.isFinite(loss)) ink.lineTo(((lossSteps[i] - first) / (last - first)) * (w - 2) + 1, 4 + (1 - (loss - low) / (high - low || 1)) * (h - 10)); });
  ink.strokeStyle = "rgb(255 233 196 / .75)";
  ink.lineWidth = 1.4;
  ink.lineJoin = "round";
  ink.stroke();
  ink.lineTo(w - 1, h); ink.lineTo(1, h);
  const fill = ink.createLinearGradient(0, 0, 0, h);
  fill.addColorStop(0, "rgb(255 217 160 / .2)"); fill.addColorStop(1, "rgb(255 217 160 / .02)");
  ink.fillStyle = fill;
  ink.fill();
}

// --- user input ----------------------------------------------------------------------------------------

function nearest(x, y) {
  let best = -1, least = 16 * 16;
  for (let i = 0; i < V; i++) {
    const a = px(xy[2 * i]) - x, b = py(xy[2 * i + 1]) - y, d = a * a + b * b;
    if (d < least) { least = d; best = i; }
  }
  return best;
}

function hover(x, y) {
  hovered = x < 0 ? -1 : nearest(x, y);
  const card = $("card");
  card.hidden = hovered < 0;
  if (hovered >= 0) {
    const beat = beats[at], k = beat.ids.indexOf(hovered), lines = [];
    // A class is not named before clusters of the space are.
    if (finding && head.class_of[hovered] >= 0) lines.push(titled(head.classes[head.class_of[hovered]]));
    lines.push(`${number.format(head.counts[hovered])} times in the text`);
    lines.push(k < 0 ? "asleep in this step" : `read in this step: gradient norm about ${((beat.norms[k] / 255) ** 2 * head.norm).toPrecision(2)}`);
    card.children[0].textContent = shown(head.tokens[hovered]).slice(0, 200);
    card.children[1].textContent = lines.join("\n");
    card.style.left = `${Math.min(x + 16, width - card.offsetWidth - 8)}px`;
    card.style.top = `${Math.min(y + 16, height - card.offsetHeight - 8)}px`;
  }
  request();
}

function zoom(factor, x, y) {
  const a = (x - width / 2) / view.scale + view.x, b = (y - height / 2) / view.scale + view.y;
  view.scale = Math.min(2e5, Math.max(50, view.scale * factor));
  view.x = a - (x - width / 2) / view.scale;
  view.y = b - (y - height / 2) / view.scale;
  stale = true;
  request();
}

function find() {
  const wanted = $("search").value.trim().toLowerCase();
  const score = (token) => (token === wanted ? 0 : token.startsWith(wanted) ? 1 : 2);
  const lower = wanted ? head.tokens.map((t, i) => [t.toLowerCase(), i]).filter(([t]) => t.includes(wanted)) : [];
  lower.sort((a, b) => score(a[0]) - score(b[0]) || head.counts[b[1]] - head.counts[a[1]]);
  chosen = lower.slice(0, 40).map(([, i]) => i);
  $("found").textContent = !wanted ? "" : lower.length === 0 ? "no such token" : lower.length === 1 ? "1 token" : `${number.format(lower.length)} tokens`;
  request();
}

function listen() {
  const fingers = new Map();
  city.addEventListener("pointerdown", (e) => { city.setPointerCapture(e.pointerId); fingers.set(e.pointerId, e); hover(-1); });
  for (const end of ["pointerup", "pointercancel"]) city.addEventListener(end, (e) => fingers.delete(e.pointerId));
  city.addEventListener("pointerleave", () => hover(-1));
  city.addEventListener("pointermove", (e) => {
    const before = fingers.get(e.pointerId);
    if (!before) return void hover(e.clientX, e.clientY);
    const other = [...fingers.values()].find((f) => f.pointerId !== e.pointerId);
    if (other) {
      const apart = (f) => Math.hypot(f.clientX - other.clientX, f.clientY - other.clientY) || 1;
      zoom(apart(e) / apart(before), (e.clientX + other.clientX) / 2, (e.clientY + other.clientY) / 2);
    } else {
      view.x -= (e.clientX - before.clientX) / view.scale;
      view.y -= (e.clientY - before.clientY) / view.scale;
      stale = true;
      request();
    }
    fingers.set(e.pointerId, e);
  });
  city.addEventListener("wheel", (e) => { e.preventDefault(); zoom(Math.exp(-e.deltaY / 500), e.clientX, e.clientY); }, { passive: false });
  city.addEventListener("dblclick", () => { fit(); stale = true; request(); });
  $("play").addEventListener("click", () => play(!playing));
  $("speed").addEventListener("click", () => { speed = speed >= 8 ? 0.5 : speed * 2; $("speed").textContent = speed < 1 ? "½×" : `${speed}×`; });
  $("scrub").addEventListener("input", () => { if (playing) play(false); go(Number($("scrub").value)); });
  $("search").addEventListener("input", find);
  $("finding").addEventListener("submit", (e) => e.preventDefault());
  addEventListener("keydown", (e) => {
    if (e.key === "Escape") $("about").parentElement.open = false;
    if (e.target instanceof HTMLInputElement && e.target.type === "search") return;
    if (e.key === " " && e.target.tagName !== "BUTTON" && e.target.tagName !== "SUMMARY") { e.preventDefault(); play(!playing); }
    if (e.target.type === "range") return;
    if (e.key === "ArrowRight" || e.key === "ArrowLeft") { play(false); go(at + (e.key === "ArrowRight" ? 1 : -1)); }
  });
  addEventListener("resize", resize);
}

function fillLegend() {
  head.families.forEach((name, i) => {
    const line = document.createElement("li"), spot = document.createElement("i");
    spot.style.background = TINTS[i % TINTS.length];
    line.append(spot, titled(name));
    $("legend").append(line);
  });
}

function resize() {
  width = innerWidth; height = innerHeight; pixel = Math.min(2, devicePixelRatio || 1);
  city.width = width * pixel; city.height = height * pixel;
  fit();
  drawCurve();
  stale = true;
  request();
}

unpacked().then((bytes) => {
  read(bytes);
  $("name").textContent = head.name;
  for (const line of head.about) { const p = document.createElement("p"); p.textContent = line; $("about").append(p); }
  $("scrub").max = String(beats.length - 1);
  listen();
  fillLegend();
  resize();
  go(0);
  play(!still);
  document.documentElement.dataset.ready = "yes";
}).catch((error) => { $("name").textContent = `This page is damaged and cannot be shown: ${error.message}`; });
