/**
 * The scene controller of the map: positions, light, view, and when to draw.
 *
 * Data comes in by the `set...` methods; the scene draws itself when something changes and rests otherwise.
 * Drawing is coalesced with requestAnimationFrame. It knows canvases, not Plotly: the owner of the axes
 * receives view changes as an event and reports its own to the scene.
 */

import type { Districts, Layout } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import { MapCamera } from "../interaction/camera";
import { Regions } from "../regions/regions";
import { GENTLE_RISE_MS, beatBrightness, lampStrengths } from "../easing";
import { namedRows, UNMARKED, type Beat } from "./displayed-map";
import { LayoutTransition } from "./layout-transition";
import { tokensWithin, type Point } from "../interaction/lasso";
import { PointRenderer, type RenderState } from "../webgl/renderer";
import type { MapMarks, Overlay, OverlayModel } from "../overlay/overlay";
import { RenderLoop } from "./render-loop";
import { nearestToken } from "../../model/spatial-index";
import * as placement from "../../model/placement";
import {
  toMapPosition,
  toPixel,
  unitsPerPixel,
  type Insets,
  type MapRect,
} from "../../model/viewport";
import { designPixelSize, type StillScene } from "./still-scene";
import type { DensityGrid } from "../regions/density";

/** Handlers of the scene's events. */
interface SceneEvents {
  /** Handle a view that the scene changed itself, for the axes to follow. */
  viewChanged(view: MapRect): void;
  /** Handle the first frame of a beat. */
  beatPainted(beat: Beat): void;
  /** Handle the loss (true) or return (false) of the graphics context. */
  contextChanged?(lost: boolean): void;
}

/** The scene of one map. */
export class Scene {
  readonly renderer: PointRenderer | null;
  layout: Layout | null = null;
  beat: Beat | null = null;
  /** Frames drawn while the map or the view was gliding. */
  glided = 0;

  private reducedMotion = matchMedia("(prefers-reduced-motion: reduce)").matches;
  private vocabulary: Vocabulary | null = null;
  private readonly transition = new LayoutTransition();
  private readonly camera: MapCamera;
  private readonly regions = new Regions((land, first) => this.applyLand(land, first));
  private readonly renderLoop = new RenderLoop({
    isMoving: (now) => this.isMoving(now) || this.labelsStale || this.unpainted,
    renderFrame: (now, part, elapsed) => this.drawFrame(now, part, elapsed),
  });
  private currentMarks: MapMarks = UNMARKED;
  private tints: Uint8Array = new Uint8Array(0);
  private beatStarted = -Infinity;
  private unpainted = false;
  private held = 0;
  /** True while the viewer scrubs through time, when changes are shown at once. */
  private scrubbing = false;
  private design = 1;
  private ratio = 1;
  private labelsStale = true;
  private lastMixing = 1;
  private fading = false;

  constructor(
    canvas: HTMLCanvasElement,
    private readonly overlay: Overlay,
    private readonly events: SceneEvents,
  ) {
    this.camera = new MapCamera((view) => events.viewChanged(view));
    this.renderer = this.createRenderer(canvas);
  }

  /** Switch to another vocabulary, which clears the map. */
  setVocabulary(vocabulary: Vocabulary | null) {
    this.vocabulary = vocabulary;
    this.layout = this.beat = null;
    this.currentMarks = { ...this.currentMarks, ringed: [], doubtful: [], selected: [], lit: [] };
    this.transition.reset();
    this.regions.setVocabulary(vocabulary);
    this.camera.userControlled = false;
    this.overlay.clear();
    this.tints = new Uint8Array(4 * (vocabulary?.tokens.length ?? 0));
    this.renderer?.setTokens(this.tints);
    this.wake();
  }

  /** Set the lamps' colours: four bytes per token (rgb, unlit brightness). */
  setTints(tints: Uint8Array) {
    this.tints = tints;
    this.renderer?.setTints(tints);
    this.wake();
  }

  /** Glide to a layout; jump there while scrubbing. */
  setLayout(layout: Layout) {
    const { vocabulary, transition, camera } = this;
    if (!vocabulary || layout.vocabulary !== vocabulary.tokens.length) return;
    if (layout === this.layout) return;
    const first = this.layout === null;
    // The other map has other units, so the viewer's place on this one means nothing there.
    const other = this.layout?.drawnBy !== layout.drawnBy;
    if (other) camera.userControlled = false;
    const next = placement.placementOf(layout);
    const from = transition.start(
      next,
      first || this.scrubbing,
      performance.now(),
      this.reducedMotion,
    );
    this.renderer?.setPlacement(next, from);
    this.layout = layout;
    if (other)
      camera.followBounds(
        placement.robustBounds(placement.coordinates(next)),
        first || this.scrubbing,
      );
    // Labels are chosen again when the layout's analysis arrives.
    this.regions.analyse(next);
    this.wake();
  }

  private applyLand(land: DensityGrid, first: boolean) {
    this.renderer?.setLand(land);
    this.transition.startLand(this.scrubbing || first, performance.now());
    this.camera.followBounds(this.regions.box, this.scrubbing);
    this.labelsStale = true;
    // The next position draws the land too.
    if (this.scrubbing) this.renderLoop.wakeSoon();
    else this.wake();
  }

  /** Set the clusters found in the embedding space; null if none were computed, for the planted classes. */
  setDistricts(districts: Districts | null) {
    this.regions.setDistricts(districts);
  }

  /** Replace the kinds of marks that are given; keep the others. */
  setMarks(marks: Partial<Omit<MapMarks, "lit">>) {
    this.currentMarks = { ...this.currentMarks, ...marks };
    this.invalidateLabels();
  }

  /** Hold the view still while the map is rotated around selected tokens. */
  setAligned(aligned: boolean) {
    this.camera.aligned = aligned;
  }

  /** Light the rows of a beat; null for none. */
  setBeat(beat: Beat | null) {
    if (beat === this.beat) return;
    this.beat = beat;
    this.beatStarted = performance.now() - (beat?.atOnce ? GENTLE_RISE_MS : 0);
    this.unpainted = beat !== null;
    const ids = beat?.ids ?? new Uint32Array(0);
    const norms = beat?.norms ?? new Float32Array(0);
    const bright = lampStrengths(norms);
    this.renderer?.setLit(ids, bright);
    this.currentMarks = { ...this.currentMarks, lit: namedRows({ ids, norms }, bright) };
    this.invalidateLabels();
  }

  /** Set the brightness at which the last beat stays lit until the next one, 0 to 1. */
  setHeld(held: number) {
    this.held = held;
    this.wake();
  }

  /** Stop drawing while the map cannot be seen. */
  setHidden(hidden: boolean) {
    this.renderLoop.hidden = hidden;
    this.invalidateLabels();
  }

  /** Switch all gliding off, or on again. */
  setReducedMotion(reducedMotion: boolean) {
    this.reducedMotion = reducedMotion;
    this.wake();
  }

  /**
   * Set whether the viewer scrubs through time: glides, rises and fades are then skipped, and drawing is
   * coarse.
   */
  setScrubbing(scrubbing: boolean) {
    if (scrubbing === this.scrubbing) return;
    this.scrubbing = this.renderLoop.scrubbing = scrubbing;
    this.wake();
  }

  /** Set the map's size and the space covered at its edges, in CSS pixels. */
  resize(width: number, height: number, insets: Insets) {
    this.ratio = Math.min(2, devicePixelRatio || 1);
    this.overlay.resize(width, height, this.ratio);
    this.camera.setViewport(width, height, insets);
    this.invalidateLabels();
  }

  /** Adopt a view that the viewer chose by the axes or with fingers. */
  setView(view: MapRect) {
    this.camera.setView(view);
    this.invalidateLabels();
  }

  /** Return to the whole map. */
  goHome() {
    this.camera.goHome();
    this.wake();
  }

  /** Pan so that a token is visible. */
  panToToken(id: number) {
    if (!(id < (this.layout?.vocabulary ?? 0))) return;
    this.camera.panTo(this.positionOf(id));
    this.invalidateLabels();
  }

  /** Return the tokens inside an outline, in map units, by their positions as shown now. */
  tokensWithin(corners: readonly Point[]): number[] {
    return this.layout
      ? tokensWithin(
          placement.coordinates(this.transition.currentPlacement(this.progress())),
          corners,
        )
      : [];
  }

  /**
   * Return the district whose label is at a point of the picture, in CSS pixels; null for planted classes.
   */
  districtAt(x: number, y: number): number | null {
    const model = this.regions.found && this.overlayModel();
    return model ? this.overlay.districtAt(model, x, y) : null;
  }

  /** Return the token nearest to a point of the picture, in CSS pixels, within `reach` pixels. */
  tokenAt(x: number, y: number, reach: number): number | null {
    if (!this.layout) return null;
    const [mapX, mapY] = toMapPosition(this.camera, x, y);
    const [ux, uy] = unitsPerPixel(this.camera);
    const placement = this.transition.currentPlacement(this.progress());
    return nearestToken(placement, mapX, mapY, reach * ux, reach * uy);
  }

  /** Return the milliseconds until the map has come to rest. */
  remainingGlideMs(): number {
    return this.reducedMotion ? 0 : this.transition.remainingMs(performance.now());
  }

  /** Return a token's position in the picture, in CSS pixels. */
  pixelOf(id: number): [number, number] {
    return toPixel(this.camera, this.positionOf(id));
  }

  /** Count the pixels that the lit lamps visibly brighten now. Slow, as it reads pixels back. */
  litPixels(): number {
    return this.renderer?.litPixels(this.renderState(performance.now()), this.design) ?? 0;
  }

  /** Return the marks on the map. */
  marks(): MapMarks {
    return this.currentMarks;
  }

  /** Return the texts of the labels. */
  labelTexts(): string[] {
    return this.overlay.labelTexts();
  }

  /** Return the visible part of the map, in map units. */
  get view(): MapRect {
    return this.camera.view;
  }

  /** Return the view if the viewer moved it, else null for the whole map. */
  get viewerView(): MapRect | null {
    return this.camera.userControlled ? this.camera.view : null;
  }

  /** Return the size of the map on the screen, in CSS pixels. */
  get size(): { width: number; height: number } {
    const { width, height } = this.camera;
    return { width, height };
  }

  /**
   * Return the settled scene for a picture of this many pixels: the same part of the map, with its lamps
   * fully lit. Null if there is nothing to see yet. The screen is not touched.
   */
  stillScene(width: number, height: number, insets: Insets): StillScene | null {
    const model = this.overlayModel();
    if (!model) return null;
    const { view, zoom } = this.camera.viewForSize(width, height, insets);
    const { to } = this.transition;
    const positionOf = (id: number) => placement.positionOf(to, id);
    const commonest = () => model.vocabulary.byCount;
    const { left, top, right, bottom } = insets;
    const uncovered = { left, top, right: width - right, bottom: height - bottom };
    const { ids, norms } = this.beat ?? { ids: new Uint32Array(0), norms: new Float32Array(0) };
    return {
      renderer: this.renderer,
      overlayModel: { ...model, commonest, zoom, view, positionOf, width, height, uncovered },
      xy: placement.coordinates(to),
      box: this.regions.box,
      tints: this.tints,
      lit: { ids, strengths: lampStrengths(norms) },
    };
  }

  /** Stop drawing, and the layout analysis. */
  stop() {
    this.renderLoop.stop();
    this.regions.stop();
  }

  private createRenderer(canvas: HTMLCanvasElement): PointRenderer | null {
    try {
      const renderer: PointRenderer = new PointRenderer(canvas, () => {
        this.events.contextChanged?.(renderer.lost);
        this.wake();
      });
      return renderer;
    } catch (error) {
      console.warn("Lamplighter: the map is drawn without WebGL2.", error);
      return null;
    }
  }

  /** Choose the labels again in the next frame. */
  private invalidateLabels() {
    this.labelsStale = true;
    this.wake();
  }

  private wake() {
    this.renderLoop.wake();
  }

  private setResolution(scale: number) {
    const { width, height } = this.camera;
    const ratio = this.ratio * scale;
    this.renderer?.resize(Math.round(width * ratio), Math.round(height * ratio));
    this.design = ratio * designPixelSize(width, height);
  }

  /** Draw a frame. Return whether the picture will keep changing by itself. */
  private drawFrame(now: number, scale: number, elapsed: number): boolean {
    this.setResolution(scale);
    const mixing = this.progress(now);
    if (this.camera.advance(now, this.reducedMotion)) this.labelsStale = true;
    if (mixing < 1 || this.camera.moving) this.glided += 1;
    const state = this.renderState(now);
    this.renderer?.render(state, this.design);
    // Labels were chosen for the positions when the glide began.
    if (mixing >= 1 && this.lastMixing < 1) this.labelsStale = true;
    const moved = mixing < 1 || this.lastMixing < 1 || this.labelsStale;
    this.lastMixing = mixing;
    if (moved || this.fading) this.fading = this.drawOverlay(elapsed);
    if (this.unpainted && this.layout && this.beat) {
      this.unpainted = false;
      this.events.beatPainted(this.beat);
    }
    const age = now - this.beatStarted;
    const glowing = this.beat !== null && age < this.beat.duration + 100;
    return mixing < 1 || state.landProgress < 1 || this.camera.moving || this.fading || glowing;
  }

  private drawOverlay(elapsed: number): boolean {
    const model = this.overlayModel();
    if (!model) return false;
    if (this.labelsStale) this.overlay.updateLabels(model);
    this.labelsStale = this.camera.moving;
    return this.overlay.draw(model, this.reducedMotion || this.scrubbing ? Infinity : elapsed);
  }

  private overlayModel(): OverlayModel | null {
    const { vocabulary, layout } = this;
    const { districts } = this.regions;
    if (!vocabulary || !layout) return null;
    const { zoom, view, width, height, uncovered } = this.camera;
    const mixing = this.progress();
    const positionOf = (id: number) => this.positionOf(id, mixing);
    const commonest = () => this.regions.commonestInView(view);
    return {
      vocabulary,
      districts,
      ...this.currentMarks,
      commonest,
      zoom,
      view,
      positionOf,
      width,
      height,
      uncovered,
    };
  }

  private positionOf(id: number, mixing = this.progress()): [number, number] {
    return this.transition.positionOf(id, mixing);
  }

  private progress(now = performance.now()): number {
    return this.transition.progress(now, this.reducedMotion);
  }

  private isMoving(now: number): boolean {
    return (
      this.progress(now) < 1 ||
      this.transition.landProgress(now, this.reducedMotion) < 1 ||
      this.lastMixing < 1
    );
  }

  private renderState(now: number): RenderState {
    const { reducedMotion, view } = this;
    const landProgress = this.transition.landProgress(now, reducedMotion);
    return { view, mixing: this.progress(now), landProgress, glow: this.glow(now) };
  }

  private glow(now: number): number {
    if (!this.beat) return 0;
    return beatBrightness(
      now - this.beatStarted,
      this.beat.duration,
      this.held,
      this.reducedMotion,
    );
  }
}
