/**
 * The lamps and Plotly's scattergl in one page, given the same frames. Driven by `benchmarks/city.py`, which
 * serves the frames as the wire has them. The real scene runs: land, districts, names and all.
 */

import type { PlotlyDiv } from "../src/charts/library";
import { Overlay } from "../src/city/overlay";
import { lampBytes } from "../src/city/palette";
import { coordinates, placementOf } from "../src/city/placement";
import { Scene } from "../src/city/scene";
import { decode, type Districts, type Layout } from "../src/wire/frames";
import { vocabularyOf, type Vocabulary } from "../src/wire/vocabulary";
import { Meter } from "./meter";

const meter = new Meter();
meter.install();
const INSETS = { top: 80, right: 30, bottom: 140, left: 44 };
const [WIDTH, HEIGHT] = [1280, 720];

/** One frame's cost, in ms: on the main thread, and until its pixels were read back. */
interface Cost {
  main: number;
  pixels: number;
  uploaded: number;
}

let scene: Scene;
let frames: ArrayBuffer[] = [];
let vocabulary: Vocabulary;

async function bytes(name: string): Promise<ArrayBuffer> {
  return (await fetch(name)).arrayBuffer();
}

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

/** Frames of so many tokens, as `benchmarks/city.py` wrote them. */
async function begin(folder: string, count: number): Promise<void> {
  frames = await Promise.all(Array.from({ length: count }, (_, i) => bytes(`${folder}/${i}.bin`)));
  const items = await (await fetch(`${folder}/tokens.json`)).json();
  vocabulary = vocabularyOf("benchmark", items, []);
  const canvas = document.getElementById("lamps") as HTMLCanvasElement;
  const names = document.getElementById("names") as HTMLCanvasElement;
  scene?.stop();
  scene = new Scene(canvas, new Overlay(names), {
    viewed: () => undefined,
    painted: () => undefined,
  });
  scene.resize(WIDTH, HEIGHT, INSETS);
  scene.setVocabulary(vocabulary);
  const found = decode(await bytes(`${folder}/districts.bin`)) as Districts;
  const kinds = Array.from({ length: found.ids.length + 1 }, (_, kind) => ({ kind }));
  const tints = lampBytes(kinds, found.of, new Float32Array(vocabulary.tokens.length).fill(0.8));
  scene.setTints(tints);
  scene.setDistricts(found);
  scene.setLayout(decode(frames[0]!) as Layout);
  await pause(1_500);
}

/** Frames of one glide: main-thread ms of each, and bytes uploaded by all of them. */
async function gliding(): Promise<{ frames: number[]; uploaded: number }> {
  const lights = scene.lights!;
  scene.setStill(false);
  // The survey's answer comes between two frames and uploads the land, once: that is not a moving frame's.
  let land = 0;
  const raise = lights.raise;
  lights.raise = (relief) => {
    const before = lights.uploaded;
    raise.call(lights, relief);
    land += lights.uploaded - before;
  };
  scene.setLayout(decode(frames[0]!.slice(0)) as Layout);
  const before = lights.uploaded;
  const spent: number[] = [];
  const until = performance.now() + 2_000;
  while (performance.now() < until) {
    const glided = scene.glided;
    meter.begin();
    await new Promise((done) => requestAnimationFrame(done));
    if (scene.glided > glided) spent.push(meter.spent);
  }
  lights.raise = raise;
  return { frames: spent, uploaded: lights.uploaded - before - land };
}

function readBack(canvas: HTMLCanvasElement) {
  const gl = (canvas.getContext("webgl2") ?? canvas.getContext("webgl")) as WebGL2RenderingContext;
  const pixel = new Uint8Array(4);
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
}

/** Layouts one after the other, each shown at once (no glide). */
async function ours(): Promise<Cost[]> {
  scene.setStill(true);
  await pause(700);
  const costs: Cost[] = [];
  for (const data of frames) {
    const copy = data.slice(0);
    meter.begin();
    const before = scene.lights!.uploaded;
    const began = performance.now();
    meter.run(() => scene.setLayout(decode(copy) as Layout));
    // The scene asked for its animation frame first: it has drawn when ours comes.
    await new Promise((done) => requestAnimationFrame(done));
    readBack(scene.lights!.canvas);
    const pixels = performance.now() - began;
    // What comes later (land, names) is counted too.
    await pause(400);
    costs.push({ main: meter.spent, pixels, uploaded: scene.lights!.uploaded - before });
  }
  return costs;
}

/** The same layouts as one scattergl trace, all of one size and colour, which is what it does fastest. */
async function theirs(): Promise<Cost[]> {
  const library = window.Plotly!;
  const div = document.getElementById("scattergl")!;
  const placed = frames.map((data) => {
    const xy = coordinates(placementOf(decode(data) as Layout));
    const x = xy.filter((_, i) => i % 2 === 0);
    const y = xy.filter((_, i) => i % 2 === 1);
    const marker = { size: 3, color: "#ffc06a", opacity: 0.7 };
    return [{ type: "scattergl", mode: "markers", hoverinfo: "skip", x, y, marker }];
  });
  const axis = { visible: false, autorange: false, range: [-12, 12] };
  const figure = () => ({
    width: WIDTH,
    height: HEIGHT,
    margin: { l: 0, r: 0, t: 0, b: 0 },
    xaxis: { ...axis },
    yaxis: { ...axis },
    hovermode: false,
    uirevision: "same",
    paper_bgcolor: "#0a0e1c",
    plot_bgcolor: "#0a0e1c",
  });
  const config = { displayModeBar: false, staticPlot: false };
  await library.newPlot(div, placed[0]!, figure(), config);
  await pause(700);
  const canvas = div.querySelector<HTMLCanvasElement>("canvas.gl-canvas-context")!;
  const costs: Cost[] = [];
  for (const traces of placed) {
    meter.begin();
    const began = performance.now();
    let after!: Promise<PlotlyDiv>;
    meter.run(() => (after = library.react(div, traces, figure(), config)));
    await after;
    // What it does until its promise is kept runs on the main thread too.
    const main = Math.max(meter.spent, performance.now() - began);
    readBack(canvas);
    const pixels = performance.now() - began;
    await pause(400);
    costs.push({ main, pixels, uploaded: NaN });
  }
  return costs;
}

const sides = { begin, ours, theirs, gliding };

declare global {
  interface Window {
    sides: typeof sides;
  }
}
window.sides = sides;
