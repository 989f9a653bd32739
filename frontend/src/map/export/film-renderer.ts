/** The off-screen renderer of a film's pictures, and of single steps side by side. */

import type { Districts, Layout } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import type { Caption } from "./caption";
import { clusterGroups, districtsOf, membersOf } from "../regions/districts";
import { beatBrightness, haloShares, smoothstep } from "../easing";
import type { OverlayFrame } from "../overlay/overlay-model";
import { mapBounds, placementOf, type Placement } from "../../model/plane/placement";
import {
  fitView,
  mixViews,
  SETTLED as SETTLED_VIEW,
  uncoveredPart,
  viewDifference,
  type Insets,
  type MapRect,
} from "../../model/plane/viewport";
import { DisplayedMap, litRowsOf, SETTLED, type Instant } from "../scene/displayed-map";
import type { PictureSize } from "../../model/picture-sizes";
import { analyseLayout } from "../regions/analyse";
import type { FilmTiming } from "./film-timing";
import { Studio } from "./studio";

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
  /** Returns the lamps' colours in a film frame; the same object while they are unchanged. */
  tints: (shot: number) => Uint8Array;
  frames: FilmFrame[];
  /** Film frames per second. */
  rate: number;
  /** True to hold each step's lamps until the next, without gliding. */
  steady: boolean;
  size: PictureSize;
  /** Returns the caption while one film frame is shown and the rows of another are lit. */
  caption: (shot: FilmFrame, lit: FilmFrame) => Caption;
}

/** Milliseconds per picture, by which labels fade. */
const FRAME = 1_000 / 24;

/** An off-screen renderer of the film's pictures. */
export class FilmRenderer {
  private readonly studio: Studio;
  private readonly displayed = new DisplayedMap();
  private readonly frame: Omit<OverlayFrame, "view">;
  private readonly insets: Insets;
  /** The view that the camera comes from, and the one it moves to along with the lamps. */
  private from: MapRect;
  private to: MapRect;
  private shownFrame = -1;
  private beat = -1;

  constructor(
    private readonly spec: FilmSpec,
    private readonly timing: FilmTiming,
  ) {
    const { size, frames, vocabulary } = spec;
    const { width, height } = size;
    this.studio = new Studio(size);
    this.displayed.reset(vocabulary);
    this.displayed.tints = spec.tints(0);
    this.studio.renderer.setTokens(this.displayed.tints, haloShares(vocabulary.counts));
    const first = frames[0]!;
    const { insets } = this.studio.layOut(spec.caption(first, first));
    this.insets = insets;
    this.frame = { width, height, zoom: 1, uncovered: uncoveredPart(width, height, insets) };
    this.from = this.to = this.viewOf(placementOf(first.layout));
  }

  get canvas(): HTMLCanvasElement {
    return this.studio.canvas;
  }

  /** Return a key that is equal for two instants with the same picture. */
  pictureKey(seconds: number): string {
    const { frame, beat, mixing, age } = this.timing.instantAt(seconds);
    return this.spec.steady ? `${frame} ${beat}` : [frame, beat, mixing, age].join();
  }

  drawAt(seconds: number) {
    const { spec, studio, displayed } = this;
    const { frame, beat, mixing, age } = this.timing.instantAt(seconds);
    const renamed = beat !== this.beat || frame !== this.shownFrame;
    if (beat !== this.beat) {
      const lit = (displayed.lit = litRowsOf(spec.frames[beat]!));
      studio.renderer.setLit(lit.ids, lit.strengths);
    }
    if (frame !== this.shownFrame) this.showFrame(frame);
    this.shownFrame = frame;
    this.beat = beat;
    const at = this.instantOf(mixing, age);
    const overlayFrame = { ...this.frame, view: mixViews(this.from, this.to, at.mixing) };
    const model = displayed.overlayModel(at.mixing, overlayFrame, () => spec.vocabulary.byCount)!;
    if (renamed) studio.overlay.updateLabels(model);
    const caption = spec.caption(spec.frames[frame]!, spec.frames[beat]!);
    studio.draw(model, at, studio.layOut(caption), spec.steady ? Infinity : FRAME);
  }

  stop() {
    this.studio.stop();
  }

  /**
   * Return the progress of all changes, `mixing` of the way to the shown frame, `age` seconds after the beat.
   */
  private instantOf(mixing: number, age: number): Instant {
    const { displayed, spec, timing } = this;
    if (spec.steady) return SETTLED;
    const duration = 1_000 * timing.beatDuration * 0.97;
    // The last beat stays lit, as on the page until the next.
    const held = this.shownFrame === spec.frames.length - 1 ? 1 : 0;
    const mixed = displayed.from === displayed.to ? 1 : smoothstep(mixing);
    const glow = beatBrightness(1_000 * age, duration, held, false);
    return { mixing: mixed, landProgress: mixed, glow };
  }

  /** Return the view that shows a whole map. */
  private viewOf(placement: Placement): MapRect {
    const { width, height } = this.frame;
    return fitView(mapBounds(placement), width, height, this.insets);
  }

  private showFrame(index: number) {
    const { displayed, spec, studio } = this;
    const { layout, districts } = spec.frames[index]!;
    const before = spec.frames[this.shownFrame];
    const moved = layout !== before?.layout;
    const next = moved ? placementOf(layout) : displayed.to;
    if (moved && before) displayed.glideTo(next, 1);
    else displayed.jumpTo(next);
    this.from = this.to;
    const fitted = this.viewOf(next);
    if (viewDifference(this.to, fitted) >= SETTLED_VIEW) this.to = fitted;
    if (before && layout.drawnBy !== before.layout.drawnBy) {
      // The other map has other units; convert the lamps and the land to them where they are.
      displayed.rebase(this.from, this.to);
      studio.renderer.moveLand(this.from, this.to);
      this.from = this.to;
    }
    if (moved || districts !== before.districts) {
      const groups = districts ? clusterGroups(districts) : [];
      const { density, shapes } = analyseLayout(next, membersOf(groups));
      if (moved) {
        studio.renderer.setPlacement(next, displayed.from);
        studio.renderer.setLand(density);
      }
      displayed.found = districts;
      displayed.districts = districtsOf(groups, shapes);
    }
    const tints = spec.tints(index);
    if (tints !== displayed.tints) studio.renderer.setTints((displayed.tints = tints));
  }
}
