/**
 * A film of some steps, drawn off screen and encoded frame by frame, as fast as this machine can. Recording
 * playback instead would silently drop steps on a slow machine or a hidden page.
 */

import type { Districts, Layout } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import { drawCaption, createTextMeasure, layOutCaption, type Caption } from "./caption";
import {
  districtsOf,
  clusterGroups,
  membersOf,
  classGroups,
  type District,
} from "../regions/districts";
import { beatBrightness, smoothstep, lampStrengths } from "../easing";
import { PointRenderer } from "../webgl/renderer";
import { Overlay, type OverlayModel } from "../overlay/overlay";
import { coordinates, placementOf, robustBounds } from "../../model/placement";
import { fitView, type MapRect } from "../../model/viewport";
import * as placement from "../../model/placement";
import { namedRows, UNMARKED } from "../scene/displayed-map";
import { designPixelSize } from "../scene/still-scene";
import { pixelDimensions, type PictureSize } from "../../model/picture-sizes";
import { analyseLayout } from "../regions/analyse";
import { createFrameEncoder } from "./video-encoder";
import { FilmTiming } from "../../model/film-timing";

/** One recorded step of the film. */
export interface FilmFrame {
  step: number;
  layout: Layout;
  districts: Districts | null;
  ids: Uint32Array;
  norms: Float32Array;
}

/** The specification of a film. */
export interface FilmSpec {
  vocabulary: Vocabulary;
  /** Returns the lamps' colours in a film frame; the same object while they do not change. */
  tints: (shot: number) => Uint8Array;
  frames: FilmFrame[];
  /** Film frames per second. */
  rate: number;
  /** True to hold each step's lamps until the next, without any glide. */
  steady: boolean;
  size: PictureSize;
  /** Returns the caption while one film frame is shown and the rows of another are lit. */
  caption: (shot: FilmFrame, lit: FilmFrame) => Caption;
}

/** Milliseconds per picture, by which labels fade. */
const FRAME = 1_000 / 24;

/** A rendered film. */
export interface Film {
  blob: Blob;
  seconds: number;
}

/**
 * Render the film; `progress` receives the finished share, 0 to 1.
 *
 * A browser that cannot encode video makes an animated picture without glides: see `createFrameEncoder`.
 *
 * @throws the abort reason, or an Error if drawing or encoding fails.
 */
export async function renderFilm(
  script: FilmSpec,
  signal: AbortSignal,
  progress: (share: number) => void,
): Promise<Film> {
  const [width, height] = pixelDimensions(script.size);
  const tape = await createFrameEncoder(width, height);
  if (tape.still) script = { ...script, steady: true };
  const timing = new FilmTiming(script.frames.length, script.rate);
  const stage = new FilmRenderer(script, timing);
  const count = Math.ceil(timing.seconds * tape.rate);
  try {
    let last = "";
    for (let i = 0; i < count; i++) {
      const key = stage.pictureKey(i / tape.rate);
      const second = i % tape.rate === 0 && !tape.still;
      // Skip unchanged pictures, but in a video repeat one every second and at the end.
      if (key !== last || second || (i === count - 1 && !tape.still)) {
        if (key !== last) stage.drawAt(i / tape.rate);
        await tape.addFrame(stage.canvas, (1e3 * i) / tape.rate, second);
      }
      last = key;
      progress((i + 1) / count);
      // Let the page run.
      await new Promise((done) => setTimeout(done));
      signal.throwIfAborted();
    }
    const seconds = count / tape.rate;
    return { blob: await tape.finish(1_000 * seconds), seconds };
  } finally {
    tape.close();
    stage.stop();
  }
}

/** An off-screen renderer of the film's pictures. */
class FilmRenderer {
  readonly canvas = document.createElement("canvas");
  private readonly pen: CanvasRenderingContext2D;
  private readonly lights: PointRenderer;
  private readonly overlay = new Overlay(document.createElement("canvas"));
  private readonly measure = createTextMeasure();
  private readonly view: MapRect;
  private readonly free: OverlayModel["free"];
  private districts: District[] = [];
  private shot = -1;
  private beat = -1;
  private moves = false;
  private tints: Uint8Array;

  constructor(
    private readonly script: FilmSpec,
    private readonly timing: FilmTiming,
  ) {
    const { width, height, ratio } = script.size;
    [this.canvas.width, this.canvas.height] = pixelDimensions(script.size);
    this.pen = this.canvas.getContext("2d")!;
    this.lights = new PointRenderer(document.createElement("canvas"), () => undefined);
    this.lights.resize(this.canvas.width, this.canvas.height);
    this.lights.setTokens((this.tints = script.tints(0)));
    this.overlay.resize(width, height, ratio);
    const first = script.frames[0]!;
    const { insets } = layOutCaption(script.caption(first, first), width, height, this.measure);
    const boxes = [...new Set(script.frames.map(({ layout }) => layout))].map((layout) =>
      robustBounds(coordinates(placementOf(layout))),
    );
    // The camera holds still, so that whatever moves in the film has moved on the map.
    const box = {
      x0: Math.min(...boxes.map(({ x0 }) => x0)),
      x1: Math.max(...boxes.map(({ x1 }) => x1)),
      y0: Math.min(...boxes.map(({ y0 }) => y0)),
      y1: Math.max(...boxes.map(({ y1 }) => y1)),
    };
    this.view = fitView(box, width, height, insets);
    const { left, top, right, bottom } = insets;
    this.free = { left, top, right: width - right, bottom: height - bottom };
  }

  /** Return a key that is equal for two instants with the same picture. */
  pictureKey(seconds: number): string {
    const { frame: shot, beat, mixing, age } = this.timing.instantAt(seconds);
    return this.script.steady ? `${shot} ${beat}` : [shot, beat, mixing, age].join();
  }

  drawAt(seconds: number) {
    const { script, timing } = this;
    const { frame: shot, beat, mixing, age } = timing.instantAt(seconds);
    const lit = script.frames[beat]!;
    const bright = lampStrengths(lit.norms);
    if (beat !== this.beat) this.lights.setLit(lit.ids, bright);
    const renamed = beat !== this.beat || shot !== this.shot;
    if (shot !== this.shot) {
      this.place(shot);
      const tints = script.tints(shot);
      if (tints !== this.tints) this.lights.setTints((this.tints = tints));
    }
    this.shot = shot;
    this.beat = beat;
    const { steady, frames: shots, size } = script;
    const lasting = 1_000 * timing.beatDuration * 0.97;
    // The last beat stays lit, as on the page when no other follows.
    const held = shot === shots.length - 1 ? 0.6 : 0;
    const glow = steady ? 1 : beatBrightness(1_000 * age, lasting, held, false);
    const mixed = steady || !this.moves ? 1 : smoothstep(mixing);
    const moment = { view: this.view, mixing: mixed, rising: mixed, glow };
    this.lights.render(moment, size.ratio * designPixelSize(size.width, size.height));
    const { pen, canvas } = this;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.drawImage(this.lights.canvas, 0, 0);
    const scenery = this.scenery(mixed, namedRows(lit, bright));
    if (renamed) this.overlay.updateLabels(scenery);
    this.overlay.draw(scenery, steady ? Infinity : FRAME);
    pen.drawImage(this.overlay.canvas, 0, 0, canvas.width, canvas.height);
    pen.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
    const caption = script.caption(shots[shot]!, lit);
    drawCaption(pen, layOutCaption(caption, size.width, size.height, this.measure));
  }

  stop() {
    this.lights.stop();
  }

  private place(shot: number) {
    const { frames: shots, vocabulary } = this.script;
    const { layout, districts } = shots[shot]!;
    const before = shots[Math.max(0, this.shot)]!;
    this.moves = layout !== before.layout;
    if (this.shot >= 0 && !this.moves && districts === before.districts) return;
    const groups = districts ? clusterGroups(districts, vocabulary) : classGroups(vocabulary);
    const next = placementOf(layout);
    const { relief, shapes: lies } = analyseLayout(next, membersOf(groups));
    if (this.shot < 0 || this.moves) {
      this.lights.setPlacement(next, placementOf(before.layout));
      this.lights.setLand(relief);
    }
    this.districts = districtsOf(groups, lies);
  }

  private scenery(mixing: number, lit: OverlayModel["lit"]): OverlayModel {
    const { vocabulary, frames: shots, size } = this.script;
    const to = placementOf(shots[this.shot]!.layout);
    const from = this.moves ? placementOf(shots[this.shot - 1]!.layout) : to;
    const at = (id: number): [number, number] => {
      const [x, y] = placement.positionOf(to, id);
      const [fromX, fromY] = placement.positionOf(from, id);
      return [fromX + (x - fromX) * mixing, fromY + (y - fromY) * mixing];
    };
    const { districts, view, free } = this;
    const seen = { view, free, width: size.width, height: size.height, zoom: 1 };
    return {
      ...UNMARKED,
      vocabulary,
      districts,
      lit,
      at,
      commonest: () => vocabulary.byCount,
      ...seen,
    };
  }
}
