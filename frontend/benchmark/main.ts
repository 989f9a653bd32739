/**
 * Our map and Plotly on one page, fed the same frames. `benchmarks/city.py` drives it and serves the frames
 * in wire format.
 *
 * Two pictures are compared: the lamps alone (positions, tints, a lit batch), which scattergl can draw, and
 * the whole map with land and labels, which Plotly draws as contours and text.
 */

import type { PlotlyDiv, PlotlyTrace } from "../src/charts/plotly/library.d";
import { haloShares, lampStrengths } from "../src/map/easing";
import { PointRenderer } from "../src/map/webgl/renderer";
import { Overlay } from "../src/map/overlay/overlay";
import { lampColours } from "../src/map/palette";
import { placementOf } from "../src/model/plane/placement";
import { toMapPosition } from "../src/model/plane/viewport";
import { designPixelSize } from "../src/map/scene/still-scene";
import { NO_CONTENT, type SceneContent } from "../src/map/scene/map-content";
import { Scene } from "../src/map/scene/scene";
import { SETTLED } from "../src/map/scene/displayed-map";
import type { Light } from "../src/model/light";
import { decode, type Districts, type Layout } from "../src/api/frames";
import type { Token } from "../src/api/rest-types";
import { buildVocabulary, type Vocabulary } from "../src/api/vocabulary";
import { Meter } from "./meter";
import { lampTraces, landTrace } from "./plotly-traces";

const meter = new Meter();
meter.install();
const INSETS = { top: 80, right: 30, bottom: 140, left: 44 };
const [WIDTH, HEIGHT] = [1280, 720];
/** One token in `LIT_EVERY` is lit: 7 %, as in the median step of Lamptown. */
const LIT_EVERY = 14;
/** If a message returns within this many milliseconds, the main thread was idle. */
const AT_ONCE_MS = 1;

/** The cost of one frame, in ms: on the main thread, and until its pixels were read back. */
interface Cost {
  main: number;
  pixels: number;
}

let scene: Scene;
let content = NO_CONTENT;
let renderer: PointRenderer;
let frames: ArrayBuffer[] = [];
let vocabulary: Vocabulary;
let districts: Districts;
let tints: Uint8Array;

async function bytes(name: string): Promise<ArrayBuffer> {
  return (await fetch(name)).arrayBuffer();
}

/** Wait without timers, which the meter would count. */
const pause = (ms: number) =>
  new Promise<void>((done) => {
    const channel = new MessageChannel();
    const until = performance.now() + ms;
    channel.port1.onmessage = () => {
      if (performance.now() >= until) done();
      else channel.port2.postMessage(0);
    };
    channel.port2.postMessage(0);
  });

function canvas(id: string): HTMLCanvasElement {
  return document.getElementById(id) as HTMLCanvasElement;
}

/** Load `count` frames from `folder`, as `benchmarks/city.py` wrote them, and set both sides up. */
async function createScene(folder: string, count: number): Promise<void> {
  frames = await Promise.all(Array.from({ length: count }, (_, i) => bytes(`${folder}/${i}.bin`)));
  const items = (await (await fetch(`${folder}/tokens.json`)).json()) as Token[];
  vocabulary = buildVocabulary("benchmark", items, []);
  districts = decode(await bytes(`${folder}/districts.bin`)) as Districts;
  const entries = Array.from({ length: districts.ids.length + 1 }, (_, kind) => ({
    colour: { kind },
  }));
  tints = lampColours({ entries, entryOf: districts.of }, vocabulary);
  scene = new Scene(canvas("lamps"), new Overlay(canvas("names")), {
    viewChanged: () => undefined,
    beatPainted: () => undefined,
  });
  scene.resize(WIDTH, HEIGHT, INSETS);
  show({ vocabulary, tints, districts, layout: decode(frames[0]!) as Layout });
  renderer = new PointRenderer(canvas("lamps-alone"), () => undefined);
  renderer.resize(WIDTH, HEIGHT);
  renderer.setTokens(tints, haloShares(vocabulary.counts));
  await pause(1_500);
}

/** Update the content of the scene with these changes. */
function show(changes: Partial<SceneContent>) {
  scene.update((content = { ...content, ...changes }));
}

/** Return the beat of a step: one token in `LIT_EVERY`, different ones in each step. */
function beatOf(step: number): Light {
  const count = Math.floor(vocabulary.tokens.length / LIT_EVERY);
  const ids = Uint32Array.from({ length: count }, (_, i) => LIT_EVERY * i + (step % LIT_EVERY));
  const norms = Float32Array.from(ids, (id) => 0.1 + (id % 97) / 97);
  return { step, ids, norms, duration: 0, atOnce: true };
}

/** Measure the frames of one glide: main-thread ms of each, and the bytes uploaded by all of them. */
async function gliding(): Promise<{ frames: number[]; uploaded: number }> {
  const lamps = scene.renderer;
  scene.setReducedMotion(false);
  // The layout analysis arrives between two frames and uploads the land once; that is not a cost of a moving
  // frame.
  let land = 0;
  const setLand = lamps.setLand.bind(lamps);
  lamps.setLand = (density) => {
    const before = lamps.uploaded;
    setLand(density);
    land += lamps.uploaded - before;
  };
  show({ layout: decode(frames[0]!.slice(0)) as Layout });
  const before = lamps.uploaded;
  const spent: number[] = [];
  const until = performance.now() + 2_000;
  while (performance.now() < until) {
    const glided = scene.glided;
    meter.reset();
    await new Promise((done) => requestAnimationFrame(done));
    if (scene.glided > glided) spent.push(meter.spent);
  }
  lamps.setLand = setLand;
  return { frames: spent, uploaded: lamps.uploaded - before - land };
}

/** Read back one pixel, which waits for all drawing before it. */
function readBack(canvas: HTMLCanvasElement) {
  const gl = (canvas.getContext("webgl2") ?? canvas.getContext("webgl")) as WebGL2RenderingContext;
  const pixel = new Uint8Array(4);
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
}

/**
 * Wait for `drawn`. Return the milliseconds in which the main thread was idle, judged by how fast a message
 * to itself returned.
 */
async function idleUntil(drawn: Promise<unknown>): Promise<number> {
  const { port1, port2 } = new MessageChannel();
  let idle = 0;
  let sent = performance.now();
  port1.onmessage = () => {
    const now = performance.now();
    if (now - sent < AT_ONCE_MS) idle += now - sent;
    sent = now;
    port2.postMessage(0);
  };
  port2.postMessage(0);
  await drawn;
  port1.close();
  return idle;
}

/**
 * Return the cost of `show` and of the work it schedules, and the time until a pixel is read back after
 * `drawn` resolves. `busy` is that time without the idle part; it includes work that the meter cannot see.
 */
async function costOf(
  show: () => void,
  drawn: () => Promise<unknown>,
  canvas: HTMLCanvasElement,
): Promise<Cost & { busy: number }> {
  // Wait for work that the other side left to the GPU process, so that this one is not charged for it.
  await pause(300);
  await frameDrawn();
  readBack(canvas);
  meter.reset();
  const began = performance.now();
  meter.run(show);
  const idle = await idleUntil(drawn());
  const busy = performance.now() - began - idle;
  readBack(canvas);
  const pixels = performance.now() - began;
  // Count delayed work (land, labels) as well.
  await pause(400);
  return { main: meter.spent, busy, pixels };
}

const frameDrawn = () => new Promise((done) => requestAnimationFrame(done));

/** Measure our lamps alone: a layout and a beat, drawn synchronously. */
async function lampsOnly(n: number): Promise<Cost> {
  const copy = frames[n]!.slice(0);
  const { ids, norms } = beatOf(n);
  const show = () => {
    renderer.setPlacement(placementOf(decode(copy) as Layout));
    renderer.setLit(ids, lampStrengths(norms));
    renderer.render(scene.view, SETTLED, designPixelSize(WIDTH, HEIGHT));
  };
  return costOf(show, () => Promise.resolve(), renderer.canvas);
}

/** Measure our whole map, drawn by the scene without a glide. */
async function wholeMap(n: number): Promise<Cost> {
  scene.setReducedMotion(true);
  const copy = frames[n]!.slice(0);
  const beat = beatOf(n);
  const showFrame = () => show({ layout: decode(copy) as Layout, beat, heldBrightness: 1 });
  // The scene requested its animation frame before ours, so it has drawn when ours runs.
  return costOf(showFrame, frameDrawn, scene.renderer.canvas);
}

/**
 * Measure Plotly on the same frame: lamps as three scattergl traces; if `whole`, also contours, and our
 * labels as text.
 */
async function plotly(n: number, whole: boolean): Promise<Cost> {
  const library = window.Plotly!;
  const div = document.getElementById(whole ? "whole-plotly" : "scattergl")!;
  const layout = decode(frames[n]!.slice(0)) as Layout;
  const traces = lampTraces(layout, vocabulary, beatOf(n), tints);
  if (whole) traces.push(landTrace(layout), namesTrace());
  const { x0, x1, y0, y1 } = scene.view;
  const axis = { visible: false, autorange: false };
  const figure = {
    width: WIDTH,
    height: HEIGHT,
    margin: { l: 0, r: 0, t: 0, b: 0 },
    xaxis: { ...axis, range: [x0, x1] },
    yaxis: { ...axis, range: [y0, y1] },
    hovermode: false,
    showlegend: false,
    uirevision: "same",
    paper_bgcolor: "#0a0e1c",
    plot_bgcolor: "#0a0e1c",
  };
  let after!: Promise<PlotlyDiv>;
  const show = () => {
    after = library.react(div, traces, figure, { displayModeBar: false });
  };
  const drawing = () => div.querySelector<HTMLCanvasElement>("canvas.gl-canvas-context");
  if (!drawing()) {
    await library.newPlot(div, traces, figure, { displayModeBar: false });
    await pause(700);
  }
  const { main, busy, pixels } = await costOf(show, () => after, drawing()!);
  // The meter misses the promises that Plotly works in, and counts at most the busy time otherwise.
  return { main: Math.max(main, busy), pixels };
}

/** Return a text trace with as many labels as our map shows now, on tokens spread over the map. */
function namesTrace(): PlotlyTrace {
  const names = scene.labelTexts();
  const viewport = { view: scene.view, width: WIDTH, height: HEIGHT };
  const points = names.map((_, i) => toMapPosition(viewport, ...scene.pixelOf(i * 7)));
  return {
    type: "scatter",
    mode: "text",
    x: points.map(([x]) => x),
    y: points.map(([, y]) => y),
    text: names,
    textfont: { color: "#d7e0f5", size: 12 },
    hoverinfo: "skip",
  };
}

/**
 * Measure both pictures on both sides, frame by frame, so that other load on the machine affects all equally.
 */
async function compared(): Promise<Record<"lamps" | "scattergl" | "city" | "plotly", Cost[]>> {
  const costs = { lamps: [], scattergl: [], city: [], plotly: [] } as Record<string, Cost[]>;
  for (let n = 0; n < frames.length; n++) {
    costs["lamps"]!.push(await lampsOnly(n));
    costs["scattergl"]!.push(await plotly(n, false));
    costs["city"]!.push(await wholeMap(n));
    costs["plotly"]!.push(await plotly(n, true));
  }
  return costs;
}

/** Measure our whole map alone, frame by frame. */
async function alone(): Promise<Cost[]> {
  const costs: Cost[] = [];
  for (let n = 0; n < frames.length; n++) costs.push(await wholeMap(n));
  return costs;
}

const sides = { begin: createScene, compared, alone, gliding };

declare global {
  interface Window {
    sides: typeof sides;
  }
}
window.sides = sides;
