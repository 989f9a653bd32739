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
interface FilmSpec {
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
interface Film {
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
  spec: FilmSpec,
  signal: AbortSignal,
  progress: (share: number) => void,
): Promise<Film> {
  const [width, height] = pixelDimensions(spec.size);
  const encoder = await createFrameEncoder(width, height);
  if (encoder.still) spec = { ...spec, steady: true };
  const timing = new FilmTiming(spec.frames.length, spec.rate);
  const renderer = new FilmRenderer(spec, timing);
  const count = Math.ceil(timing.seconds * encoder.rate);
  try {
    let last = "";
    for (let i = 0; i < count; i++) {
      const key = renderer.pictureKey(i / encoder.rate);
      const second = i % encoder.rate === 0 && !encoder.still;
      // Skip unchanged pictures, but in a video repeat one every second and at the end.
      if (key !== last || second || (i === count - 1 && !encoder.still)) {
        if (key !== last) renderer.drawAt(i / encoder.rate);
        await encoder.addFrame(renderer.canvas, (1e3 * i) / encoder.rate, second);
      }
      last = key;
      progress((i + 1) / count);
      // Let the page run.
      await new Promise((done) => setTimeout(done));
      signal.throwIfAborted();
    }
    const seconds = count / encoder.rate;
    return { blob: await encoder.finish(1_000 * seconds), seconds };
  } finally {
    encoder.close();
    renderer.stop();
  }
}

/** An off-screen renderer of the film's pictures. */
class FilmRenderer {
  readonly canvas = document.createElement("canvas");
  private readonly context: CanvasRenderingContext2D;
  private readonly renderer: PointRenderer;
  private readonly overlay = new Overlay(document.createElement("canvas"));
  private readonly measure = createTextMeasure();
  private readonly view: MapRect;
  private readonly uncovered: OverlayModel["uncovered"];
  private districts: District[] = [];
  private shownFrame = -1;
  private beat = -1;
  private layoutChanged = false;
  private tints: Uint8Array;

  constructor(
    private readonly spec: FilmSpec,
    private readonly timing: FilmTiming,
  ) {
    const { width, height, ratio } = spec.size;
    [this.canvas.width, this.canvas.height] = pixelDimensions(spec.size);
    this.context = this.canvas.getContext("2d")!;
    this.renderer = new PointRenderer(document.createElement("canvas"), () => undefined);
    this.renderer.resize(this.canvas.width, this.canvas.height);
    this.renderer.setTokens((this.tints = spec.tints(0)));
    this.overlay.resize(width, height, ratio);
    const first = spec.frames[0]!;
    const { insets } = layOutCaption(spec.caption(first, first), width, height, this.measure);
    const boxes = [...new Set(spec.frames.map(({ layout }) => layout))].map((layout) =>
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
    this.uncovered = { left, top, right: width - right, bottom: height - bottom };
  }

  /** Return a key that is equal for two instants with the same picture. */
  pictureKey(seconds: number): string {
    const { frame, beat, mixing, age } = this.timing.instantAt(seconds);
    return this.spec.steady ? `${frame} ${beat}` : [frame, beat, mixing, age].join();
  }

  drawAt(seconds: number) {
    const { spec, timing } = this;
    const { frame, beat, mixing, age } = timing.instantAt(seconds);
    const lit = spec.frames[beat]!;
    const bright = lampStrengths(lit.norms);
    if (beat !== this.beat) this.renderer.setLit(lit.ids, bright);
    const renamed = beat !== this.beat || frame !== this.shownFrame;
    if (frame !== this.shownFrame) {
      this.showFrame(frame);
      const tints = spec.tints(frame);
      if (tints !== this.tints) this.renderer.setTints((this.tints = tints));
    }
    this.shownFrame = frame;
    this.beat = beat;
    const { steady, frames, size } = spec;
    const duration = 1_000 * timing.beatDuration * 0.97;
    // The last beat stays lit, as on the page when no other follows.
    const held = frame === frames.length - 1 ? 0.6 : 0;
    const glow = steady ? 1 : beatBrightness(1_000 * age, duration, held, false);
    const mixed = steady || !this.layoutChanged ? 1 : smoothstep(mixing);
    const state = { view: this.view, mixing: mixed, landProgress: mixed, glow };
    this.renderer.render(state, size.ratio * designPixelSize(size.width, size.height));
    const { context, canvas } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.renderer.canvas, 0, 0);
    const model = this.overlayModel(mixed, namedRows(lit, bright));
    if (renamed) this.overlay.updateLabels(model);
    this.overlay.draw(model, steady ? Infinity : FRAME);
    context.drawImage(this.overlay.canvas, 0, 0, canvas.width, canvas.height);
    context.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
    const caption = spec.caption(frames[frame]!, lit);
    drawCaption(context, layOutCaption(caption, size.width, size.height, this.measure));
  }

  stop() {
    this.renderer.stop();
  }

  private showFrame(frame: number) {
    const { frames, vocabulary } = this.spec;
    const { layout, districts } = frames[frame]!;
    const before = frames[Math.max(0, this.shownFrame)]!;
    this.layoutChanged = layout !== before.layout;
    if (this.shownFrame >= 0 && !this.layoutChanged && districts === before.districts) return;
    const groups = districts ? clusterGroups(districts, vocabulary) : classGroups(vocabulary);
    const next = placementOf(layout);
    const { density, shapes } = analyseLayout(next, membersOf(groups));
    if (this.shownFrame < 0 || this.layoutChanged) {
      this.renderer.setPlacement(next, placementOf(before.layout));
      this.renderer.setLand(density);
    }
    this.districts = districtsOf(groups, shapes);
  }

  private overlayModel(mixing: number, lit: OverlayModel["lit"]): OverlayModel {
    const { vocabulary, frames, size } = this.spec;
    const to = placementOf(frames[this.shownFrame]!.layout);
    const from = this.layoutChanged ? placementOf(frames[this.shownFrame - 1]!.layout) : to;
    const positionOf = (id: number): [number, number] => {
      const [x, y] = placement.positionOf(to, id);
      const [fromX, fromY] = placement.positionOf(from, id);
      return [fromX + (x - fromX) * mixing, fromY + (y - fromY) * mixing];
    };
    const { districts, view, uncovered } = this;
    const visible = { view, uncovered, width: size.width, height: size.height, zoom: 1 };
    return {
      ...UNMARKED,
      vocabulary,
      districts,
      lit,
      positionOf,
      commonest: () => vocabulary.byCount,
      ...visible,
    };
  }
}
