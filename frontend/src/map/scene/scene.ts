/**
 * The scene of the map: what it displays, the view, and when to draw.
 *
 * Data comes in by the `set...` methods; the scene draws itself when something changes and rests otherwise.
 * Drawing is coalesced with requestAnimationFrame. It knows canvases, not Plotly: the owner of the axes
 * receives view changes as an event and reports its own to the scene.
 */

import type { Districts, Layout } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import { MapCamera } from "../interaction/camera";
import { Regions } from "../regions/regions";
import { DisplayedMap, litRowsOf, type Beat } from "./displayed-map";
import { tokensWithin, type Point } from "../interaction/lasso";
import { PointRenderer } from "../webgl/renderer";
import type { Overlay } from "../overlay/overlay";
import type { MapMarks, OverlayModel } from "../overlay/overlay-model";
import { RenderLoop } from "./render-loop";
import { SceneClock } from "./scene-clock";
import { nearestToken } from "../../model/spatial-index";
import * as placement from "../../model/placement";
import {
  toMapPosition,
  toPixel,
  uncoveredPart,
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

  private readonly displayed = new DisplayedMap();
  private readonly clock = new SceneClock(matchMedia("(prefers-reduced-motion: reduce)").matches);
  private readonly camera: MapCamera;
  private readonly regions = new Regions((land, first) => this.applyLand(land, first));
  private readonly renderLoop = new RenderLoop({
    isMoving: (now) =>
      this.clock.isGliding(now) || this.lastMixing < 1 || this.labelsStale || this.unpainted,
    renderFrame: (now, part, elapsed) => this.drawFrame(now, part, elapsed),
  });
  private unpainted = false;
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
    this.layout = this.beat = null;
    this.displayed.reset(vocabulary);
    this.clock.reset();
    this.regions.setVocabulary(vocabulary);
    this.camera.userControlled = false;
    this.overlay.clear();
    this.renderer?.setTokens(this.displayed.tints);
    this.wake();
  }

  /** Set the lamps' colours: four bytes per token (rgb, unlit brightness). */
  setTints(tints: Uint8Array) {
    this.displayed.tints = tints;
    this.renderer?.setTints(tints);
    this.wake();
  }

  /** Glide to a layout; jump there while scrubbing. */
  setLayout(layout: Layout) {
    const { displayed, clock, camera } = this;
    if (layout === this.layout || layout.vocabulary !== displayed.vocabulary?.tokens.length) return;
    const now = performance.now();
    const atOnce = this.layout === null || this.scrubbing;
    // The other map has other units, so the viewer's place on this one means nothing there.
    const other = this.layout?.drawnBy !== layout.drawnBy;
    if (other) camera.userControlled = false;
    const next = placement.placementOf(layout);
    const mixing = clock.mixing(now);
    if (atOnce) displayed.jumpTo(next);
    else displayed.glideTo(next, mixing);
    // A glide that interrupts another begins where no placement is known yet to the renderer.
    this.renderer?.setPlacement(next, atOnce || mixing >= 1 ? undefined : displayed.from);
    clock.startLamps(now, atOnce);
    this.layout = layout;
    if (other) camera.followBounds(placement.robustBounds(placement.coordinates(next)), atOnce);
    // Labels are chosen again when the layout's analysis arrives.
    this.regions.analyse(next);
    this.wake();
  }

  private applyLand(land: DensityGrid, first: boolean) {
    this.displayed.districts = this.regions.districts;
    this.renderer?.setLand(land);
    this.clock.startLand(performance.now(), this.scrubbing || first);
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
    this.displayed.marks = { ...this.displayed.marks, ...marks };
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
    this.clock.startBeat(beat, performance.now());
    this.unpainted = beat !== null;
    const lit = (this.displayed.lit = litRowsOf(beat));
    this.renderer?.setLit(lit.ids, lit.strengths);
    this.invalidateLabels();
  }

  /** Set the brightness at which the last beat stays lit until the next one, 0 to 1. */
  setHeld(held: number) {
    this.clock.held = held;
    this.wake();
  }

  /** Stop drawing while the map cannot be seen. */
  setHidden(hidden: boolean) {
    this.renderLoop.hidden = hidden;
    this.invalidateLabels();
  }

  /** Switch all gliding off, or on again. */
  setReducedMotion(reducedMotion: boolean) {
    this.clock.reducedMotion = reducedMotion;
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
    this.camera.panTo(this.positionNow(id));
    this.invalidateLabels();
  }

  /** Return the tokens inside an outline, in map units, by their positions as shown now. */
  tokensWithin(corners: readonly Point[]): number[] {
    return this.layout ? tokensWithin(placement.coordinates(this.placementNow()), corners) : [];
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
    return nearestToken(this.placementNow(), mapX, mapY, reach * ux, reach * uy);
  }

  /** Return the milliseconds until the map has come to rest. */
  remainingGlideMs(): number {
    return this.clock.remainingGlideMs(performance.now());
  }

  /** Return a token's position in the picture, in CSS pixels. */
  pixelOf(id: number): [number, number] {
    return toPixel(this.camera, this.positionNow(id));
  }

  /** Count the pixels that the lit lamps visibly brighten now. Slow, as it reads pixels back. */
  litPixels(): number {
    const at = this.clock.instantAt(performance.now());
    return this.renderer?.litPixels(this.camera.view, at, this.design) ?? 0;
  }

  /** Return the marks on the map. */
  marks(): Omit<MapMarks, "lit"> {
    return this.displayed.marks;
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
    const { displayed, layout, regions, renderer } = this;
    const frame = {
      ...this.camera.viewForSize(width, height, insets),
      width,
      height,
      uncovered: uncoveredPart(width, height, insets),
    };
    const commonest = () => displayed.vocabulary!.byCount;
    const overlayModel = layout && displayed.overlayModel(1, frame, commonest);
    if (!overlayModel) return null;
    const { tints, lit } = displayed;
    const xy = placement.coordinates(displayed.to);
    return { renderer, overlayModel, xy, box: regions.box, tints, lit };
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
    const { camera, clock } = this;
    this.setResolution(scale);
    const at = clock.instantAt(now);
    if (camera.advance(now, clock.reducedMotion)) this.labelsStale = true;
    if (at.mixing < 1 || camera.moving) this.glided += 1;
    this.renderer?.render(camera.view, at, this.design);
    // Labels were chosen for the positions when the glide began.
    if (at.mixing >= 1 && this.lastMixing < 1) this.labelsStale = true;
    const moved = at.mixing < 1 || this.lastMixing < 1 || this.labelsStale;
    this.lastMixing = at.mixing;
    if (moved || this.fading) this.fading = this.drawOverlay(at.mixing, elapsed);
    if (this.unpainted && this.layout && this.beat) {
      this.unpainted = false;
      this.events.beatPainted(this.beat);
    }
    return clock.isGliding(now) || camera.moving || this.fading || clock.isFading(now);
  }

  private drawOverlay(mixing: number, elapsed: number): boolean {
    const model = this.overlayModel(mixing);
    if (!model) return false;
    if (this.labelsStale) this.overlay.updateLabels(model);
    this.labelsStale = this.camera.moving;
    return this.overlay.draw(model, this.clock.reducedMotion || this.scrubbing ? Infinity : elapsed);
  }

  private overlayModel(mixing = this.clock.mixing(performance.now())): OverlayModel | null {
    const { camera, displayed } = this;
    if (!this.layout) return null;
    return displayed.overlayModel(mixing, camera, () => this.regions.commonestInView(camera.view));
  }

  private positionNow(id: number): [number, number] {
    return this.displayed.positionOf(id, this.clock.mixing(performance.now()));
  }

  private placementNow(): placement.Placement {
    return this.displayed.placementAt(this.clock.mixing(performance.now()));
  }

}
