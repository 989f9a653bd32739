/**
 * A film of some steps: drawn beside the screen frame by frame as fast as this machine can, then recorded in its own
 * time by the browser.
 */

import type { Districts, Layout } from "../wire/frames";
import type { Vocabulary } from "../wire/vocabulary";
import { drawCaption, measuring, placeCaption, type Caption } from "./caption";
import { districtsOf, foundGroups, membersOf, plantedGroups, type District } from "./districts";
import { glowAt, smooth, strengths } from "./glide";
import { Lights } from "./lights";
import { Overlay, type Scenery } from "./overlay";
import { coordinates, fit, placementOf, span, type View } from "./placement";
import * as placement from "./placement";
import { designSize } from "./pose";
import { pixelsOf, type Size } from "./sizes";
import { survey } from "./survey";
import { Timing } from "./timing";
import { withDuration } from "./webm";

/** One real step. */
export interface Shot {
  step: number;
  layout: Layout;
  districts: Districts | null;
  ids: Uint32Array;
  norms: Float32Array;
}

export interface Script {
  vocabulary: Vocabulary;
  tints: Uint8Array;
  shots: Shot[];
  /** Shots a second. */
  rate: number;
  /** The lamps of a step stay as they are until the next, and nothing glides. */
  steady: boolean;
  size: Size;
  /** What is written on the film while this shot is shown and the rows of that one are lit. */
  caption: (shot: Shot, lit: Shot) => Caption;
}

export interface Film {
  blob: Blob;
  extension: "webm" | "mp4";
  seconds: number;
}

/** What is told while it is made: the part that is done, 0 to 1, of drawing or of recording. */
export type Progress = (doing: "drawing" | "recording", share: number) => void;

const FRAMES = 24;
/** Codecs from the fastest to make to the last resort. */
const TYPES = [
  "video/webm;codecs=vp8",
  "video/webm;codecs=vp9",
  "video/webm",
  "video/mp4;codecs=avc1.42E01F",
  "video/mp4",
];

/** The kind of video this browser can make; null: none. */
export function filmType(): string | null {
  const able =
    typeof MediaRecorder === "function" && "captureStream" in HTMLCanvasElement.prototype;
  return (able && TYPES.find((type) => MediaRecorder.isTypeSupported(type))) || null;
}

/** Make it. Throws where the browser cannot, or the abort. */
export async function film(script: Script, signal: AbortSignal, progress: Progress): Promise<Film> {
  const type = filmType();
  if (!type) throw new Error("no recorder");
  const timing = new Timing(script.shots.length, script.rate);
  const stage = new Stage(script, timing);
  const frames: Blob[] = [];
  try {
    const count = Math.ceil(timing.seconds * FRAMES);
    let last = "";
    for (let i = 0; i < count; i++) {
      signal.throwIfAborted();
      const key = stage.key(i / FRAMES);
      if (key !== last) {
        stage.draw(i / FRAMES);
        frames.push(await still(stage.canvas));
      } else frames.push(frames.at(-1)!);
      last = key;
      progress("drawing", (i + 1) / count);
    }
  } finally {
    stage.stop();
  }
  const blob = await recorded(frames, script.size, type, signal, (share) =>
    progress("recording", share),
  );
  return {
    blob,
    extension: type.startsWith("video/webm") ? "webm" : "mp4",
    seconds: frames.length / FRAMES,
  };
}

/** Where the frames are drawn, one after the other. */
class Stage {
  readonly canvas = document.createElement("canvas");
  private readonly pen: CanvasRenderingContext2D;
  private readonly lights: Lights;
  private readonly overlay = new Overlay(document.createElement("canvas"));
  private readonly measure = measuring();
  private readonly view: View;
  private readonly free: Scenery["free"];
  private districts: District[] = [];
  private shot = -1;
  private beat = -1;
  private moves = false;

  constructor(
    private readonly script: Script,
    private readonly timing: Timing,
  ) {
    const { width, height, ratio } = script.size;
    [this.canvas.width, this.canvas.height] = pixelsOf(script.size);
    this.pen = this.canvas.getContext("2d")!;
    this.lights = new Lights(document.createElement("canvas"), () => undefined);
    this.lights.resize(this.canvas.width, this.canvas.height);
    this.lights.setTokens(script.tints);
    this.overlay.resize(width, height, ratio);
    const first = script.shots[0]!;
    const { insets } = placeCaption(script.caption(first, first), width, height, this.measure);
    const boxes = [...new Set(script.shots.map(({ layout }) => layout))].map((layout) =>
      span(coordinates(placementOf(layout))),
    );
    // The camera stands still, so that whatever moves in the film has moved on the map.
    const box = {
      x0: Math.min(...boxes.map(({ x0 }) => x0)),
      x1: Math.max(...boxes.map(({ x1 }) => x1)),
      y0: Math.min(...boxes.map(({ y0 }) => y0)),
      y1: Math.max(...boxes.map(({ y1 }) => y1)),
    };
    this.view = fit(box, width, height, insets);
    const { left, top, right, bottom } = insets;
    this.free = { left, top, right: width - right, bottom: height - bottom };
  }

  /** Equal for two instants that look the same. */
  key(seconds: number): string {
    const { shot, beat, mixing, age } = this.timing.at(seconds);
    return this.script.steady ? `${shot} ${beat}` : [shot, beat, mixing, age].join();
  }

  draw(seconds: number) {
    const { script, timing } = this;
    const { shot, beat, mixing, age } = timing.at(seconds);
    const lit = script.shots[beat]!;
    const bright = strengths(lit.norms);
    if (beat !== this.beat) this.lights.shine(lit.ids, bright);
    const renamed = beat !== this.beat || shot !== this.shot;
    if (shot !== this.shot) this.place(shot);
    this.shot = shot;
    this.beat = beat;
    const { steady, shots, size } = script;
    const lasting = 1_000 * timing.lasting * 0.97;
    // The last one stays lit, as on the page when no other comes.
    const held = shot === shots.length - 1 ? 0.6 : 0;
    const glow = steady ? 1 : glowAt(1_000 * age, lasting, held, false);
    const mixed = steady || !this.moves ? 1 : smooth(mixing);
    const moment = { view: this.view, mixing: mixed, rising: mixed, glow };
    this.lights.draw(moment, size.ratio * designSize(size.width, size.height));
    const { pen, canvas } = this;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.drawImage(this.lights.canvas, 0, 0);
    const scenery = this.scenery(mixed, lit.ids, bright);
    if (renamed) this.overlay.choose(scenery);
    this.overlay.draw(scenery, steady ? Infinity : 1_000 / FRAMES);
    pen.drawImage(this.overlay.canvas, 0, 0, canvas.width, canvas.height);
    pen.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
    const caption = script.caption(shots[shot]!, lit);
    drawCaption(pen, placeCaption(caption, size.width, size.height, this.measure));
  }

  stop() {
    this.lights.stop();
  }

  private place(shot: number) {
    const { shots, vocabulary } = this.script;
    const { layout, districts } = shots[shot]!;
    const before = shots[Math.max(0, this.shot)]!;
    this.moves = layout !== before.layout;
    if (this.shot >= 0 && !this.moves && districts === before.districts) return;
    const groups = districts ? foundGroups(districts, vocabulary) : plantedGroups(vocabulary);
    const next = placementOf(layout);
    const { relief, lies } = survey(next, membersOf(groups));
    if (this.shot < 0 || this.moves) {
      this.lights.place(next, placementOf(before.layout));
      this.lights.raise(relief);
    }
    this.districts = districtsOf(groups, lies);
  }

  private scenery(mixing: number, ids: Uint32Array, bright: Float32Array): Scenery {
    const { vocabulary, shots, size } = this.script;
    const to = placementOf(shots[this.shot]!.layout);
    const from = this.moves ? placementOf(shots[this.shot - 1]!.layout) : to;
    const at = (id: number): [number, number] => {
      const [x, y] = placement.at(to, id);
      const [fromX, fromY] = placement.at(from, id);
      return [fromX + (x - fromX) * mixing, fromY + (y - fromY) * mixing];
    };
    const lit = Array.from(ids, (id, i) => ({ id, strength: bright[i]! }))
      .sort((a, b) => b.strength - a.strength)
      .slice(0, 120);
    const marked = { among: [], named: [], doubtful: [], chosen: null, links: [] };
    const { districts, view, free } = this;
    const seen = { view, free, width: size.width, height: size.height, zoom: 1 };
    return {
      vocabulary,
      districts,
      lit,
      at,
      commonest: () => vocabulary.byCount,
      ...marked,
      ...seen,
    };
  }
}

function still(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error("no frame"))),
      "image/jpeg",
      0.95,
    ),
  );
}

/** Frames as a video, each shown when its time has come: the browser's recorder has no other clock. */
async function recorded(
  frames: Blob[],
  size: Size,
  type: string,
  signal: AbortSignal,
  progress: (share: number) => void,
): Promise<Blob> {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = pixelsOf(size);
  const pen = canvas.getContext("2d", { alpha: false })!;
  const stream = canvas.captureStream(0);
  const track = stream.getVideoTracks()[0] as CanvasCaptureMediaStreamTrack;
  const bits = Math.min(16e6, 6 * canvas.width * canvas.height);
  const recorder = new MediaRecorder(stream, { mimeType: type, videoBitsPerSecond: bits });
  const parts: Blob[] = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const over = new Promise<void>((resolve, reject) => {
    recorder.onstop = () => resolve();
    recorder.onerror = () => reject(new Error("the recorder failed"));
  });
  over.catch(() => undefined);
  try {
    let next = createImageBitmap(frames[0]!);
    let start = -1;
    for (let i = 0; i < frames.length; i++) {
      const image = await next;
      if (i + 1 < frames.length) next = createImageBitmap(frames[i + 1]!);
      if (start < 0) {
        recorder.start(1_000);
        start = performance.now();
      }
      start += await untilSeen(recorder);
      await until(start + (1_000 * i) / FRAMES);
      signal.throwIfAborted();
      pen.drawImage(image, 0, 0);
      image.close();
      track.requestFrame();
      progress((i + 1) / frames.length);
    }
    await until(start + (1_000 * frames.length) / FRAMES);
    track.requestFrame();
    recorder.stop();
    await over;
  } finally {
    if (recorder.state !== "inactive") recorder.stop();
    track.stop();
  }
  const blob = new Blob(parts, { type: type.split(";")[0]! });
  if (!type.startsWith("video/webm")) return blob;
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return new Blob([withDuration(bytes, (1_000 * frames.length) / FRAMES)], { type: blob.type });
}

/** Hidden pages have slow clocks: the film waits meanwhile. Returns how long, in ms. */
async function untilSeen(recorder: MediaRecorder): Promise<number> {
  if (!document.hidden) return 0;
  const begun = performance.now();
  recorder.pause();
  await new Promise<void>((done) => {
    const seen = () => {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", seen);
      done();
    };
    document.addEventListener("visibilitychange", seen);
  });
  recorder.resume();
  return performance.now() - begun;
}

function until(time: number): Promise<void> {
  return new Promise((done) => setTimeout(done, Math.max(0, time - performance.now())));
}
