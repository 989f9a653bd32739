/**
 * The scene controller of the map: positions, light, view, and when to draw.
 *
 * Data comes in by the `set...` methods; the scene draws itself when something changes and rests otherwise.
 * Drawing is coalesced with requestAnimationFrame. It knows canvases, not Plotly: the owner of the axes
 * receives view changes as an event and reports its own to the scene.
 */

import type { Districts, Layout } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import { Camera } from "../interaction/camera";
import { Country } from "../regions/regions";
import { GENTLE_RISE, glowAt, strengths } from "../easing";
import { namedRows, UNMARKED, type Beat } from "./displayed-map";
import { Journey } from "./layout-transition";
import { tokensWithin, type Point } from "../interaction/lasso";
import { Lights, type Moment } from "../webgl/renderer";
import type { Marks, Overlay, Scenery } from "../overlay/overlay";
import { Pacer } from "./render-loop";
import { nearestTo } from "../../model/spatial-index";
import * as placement from "../../model/placement";
import type { Insets, View } from "../../model/viewport";
import { designSize, type Pose } from "./still-scene";
import type { Relief } from "../regions/density";

/** Handlers of the scene's events. */
export interface SceneEvents {
  /** Handle a view that the scene changed itself, for the axes to follow. */
  viewed(view: View): void;
  /** Handle the first frame of a beat. */
  painted(beat: Beat): void;
  /** Handle the loss (true) or return (false) of the graphics context. */
  dark?(lost: boolean): void;
}

/** The scene of one map. */
export class Scene {
  readonly lights: Lights | null;
  layout: Layout | null = null;
  beat: Beat | null = null;
  /** Frames drawn while the map or the view was gliding. */
  glided = 0;

  private still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  private vocabulary: Vocabulary | null = null;
  private readonly journey = new Journey();
  private readonly camera: Camera;
  private readonly country = new Country((land, first) => this.raise(land, first));
  private readonly pacer = new Pacer({
    moves: (now) => this.moving(now) || this.renamed || this.unpainted,
    draw: (now, part, elapsed) => this.draw(now, part, elapsed),
  });
  private marked: Marks = UNMARKED;
  private tints: Uint8Array = new Uint8Array(0);
  private beatStarted = -Infinity;
  private unpainted = false;
  private held = 0;
  /** True while the viewer scrubs through time, when changes are shown at once. */
  private hasty = false;
  private design = 1;
  private ratio = 1;
  private renamed = true;
  private lastMixing = 1;
  private fading = false;

  constructor(
    canvas: HTMLCanvasElement,
    private readonly overlay: Overlay,
    private readonly events: SceneEvents,
  ) {
    this.camera = new Camera((view) => events.viewed(view));
    this.lights = this.light(canvas);
  }

  /** Switch to another vocabulary, which clears the map. */
  setVocabulary(vocabulary: Vocabulary | null) {
    this.vocabulary = vocabulary;
    this.layout = this.beat = null;
    this.marked = { ...this.marked, among: [], doubtful: [], gathered: [], lit: [] };
    this.journey.forget();
    this.country.settle(vocabulary);
    this.camera.wandering = false;
    this.overlay.clear();
    this.tints = new Uint8Array(4 * (vocabulary?.tokens.length ?? 0));
    this.lights?.setTokens(this.tints);
    this.wake();
  }

  /** Set the lamps' colours: four bytes per token (rgb, unlit brightness). */
  setTints(tints: Uint8Array) {
    this.tints = tints;
    this.lights?.setTints(tints);
    this.wake();
  }

  /** Glide to a layout; jump there while scrubbing. */
  setLayout(layout: Layout) {
    const { vocabulary, journey, camera } = this;
    if (!vocabulary || layout.vocabulary !== vocabulary.tokens.length) return;
    if (layout === this.layout) return;
    const first = this.layout === null;
    // The other map has other units, so the viewer's place on this one means nothing there.
    const other = this.layout?.drawnBy !== layout.drawnBy;
    if (other) camera.wandering = false;
    const next = placement.placementOf(layout);
    const from = journey.go(next, first || this.hasty, performance.now(), this.still);
    this.lights?.place(next, from);
    this.layout = layout;
    if (other) camera.follow(placement.span(placement.coordinates(next)), first || this.hasty);
    // Labels are chosen again when the layout's analysis arrives.
    this.country.survey(next);
    this.wake();
  }

  private raise(land: Relief, first: boolean) {
    this.lights?.raise(land);
    this.journey.raise(this.hasty || first, performance.now());
    this.camera.follow(this.country.box, this.hasty);
    this.renamed = true;
    // The next position draws the land too.
    if (this.hasty) this.pacer.wakeSoon();
    else this.wake();
  }

  /** Set the clusters found in the embedding space; null if none were computed, for the planted classes. */
  setDistricts(found: Districts | null) {
    this.country.divide(found);
  }

  /** Replace the kinds of marks that are given; keep the others. */
  mark(marks: Partial<Omit<Marks, "lit">>) {
    this.marked = { ...this.marked, ...marks };
    this.rename();
  }

  /** Hold the view still while the map is rotated around selected tokens. */
  setAligned(aligned: boolean) {
    this.camera.aligned = aligned;
  }

  /** Light the rows of a beat; null for none. */
  setBeat(beat: Beat | null) {
    if (beat === this.beat) return;
    this.beat = beat;
    this.beatStarted = performance.now() - (beat?.atOnce ? GENTLE_RISE : 0);
    this.unpainted = beat !== null;
    const ids = beat?.ids ?? new Uint32Array(0);
    const norms = beat?.norms ?? new Float32Array(0);
    const bright = strengths(norms);
    this.lights?.shine(ids, bright);
    this.marked = { ...this.marked, lit: namedRows({ ids, norms }, bright) };
    this.rename();
  }

  /** Set the brightness at which the last beat stays lit until the next one, 0 to 1. */
  setHeld(held: number) {
    this.held = held;
    this.wake();
  }

  /** Stop drawing while the map cannot be seen. */
  setHidden(hidden: boolean) {
    this.pacer.hidden = hidden;
    this.rename();
  }

  /** Switch all gliding off, or on again. */
  setStill(still: boolean) {
    this.still = still;
    this.wake();
  }

  /**
   * Set whether the viewer scrubs through time: glides, rises and fades are then skipped, and drawing is
   * coarse.
   */
  setHasty(hasty: boolean) {
    if (hasty === this.hasty) return;
    this.hasty = this.pacer.hasty = hasty;
    this.wake();
  }

  /** Set the map's size and the space covered at its edges, in CSS pixels. */
  resize(width: number, height: number, insets: Insets) {
    this.ratio = Math.min(2, devicePixelRatio || 1);
    this.overlay.resize(width, height, this.ratio);
    this.camera.resize(width, height, insets);
    this.rename();
  }

  /** Adopt a view that the viewer chose by the axes or with fingers. */
  look(view: View) {
    this.camera.look(view);
    this.rename();
  }

  /** Return to the whole map. */
  goHome() {
    this.camera.goHome();
    this.wake();
  }

  /** Pan so that a token is visible. */
  show(id: number) {
    if (!(id < (this.layout?.vocabulary ?? 0))) return;
    this.camera.show(this.at(id));
    this.rename();
  }

  /** Return the tokens inside an outline, in map units, by their positions as shown now. */
  tokensWithin(corners: readonly Point[]): number[] {
    return this.layout
      ? tokensWithin(placement.coordinates(this.journey.placed(this.mixing())), corners)
      : [];
  }

  /**
   * Return the district whose label is at a point of the picture, in CSS pixels; null for planted classes.
   */
  districtAt(x: number, y: number): number | null {
    const scenery = this.country.found && this.scenery();
    return scenery ? this.overlay.districtAt(scenery, x, y) : null;
  }

  /** Return the token nearest to a point of the picture, in CSS pixels, within `reach` pixels. */
  tokenAt(x: number, y: number, reach: number): number | null {
    if (!this.layout) return null;
    const place = this.camera.placeAt(x, y);
    const placed = this.journey.placed(this.mixing());
    return nearestTo(placed, place.x, place.y, reach * place.ux, reach * place.uy);
  }

  /** Return the milliseconds until the map has come to rest. */
  gliding(): number {
    return this.still ? 0 : this.journey.left(performance.now());
  }

  /** Return a token's position in the picture, in CSS pixels. */
  pixelOf(id: number): [number, number] {
    return this.camera.pixelOf(this.at(id));
  }

  /** Count the pixels that the lit lamps visibly brighten now. Slow, as it reads pixels back. */
  litPixels(): number {
    return this.lights?.litPixels(this.moment(performance.now()), this.design) ?? 0;
  }

  /** Return the marks on the map. */
  marks(): Marks {
    return this.marked;
  }

  /** Return the texts of the labels. */
  written(): string[] {
    return this.overlay.written();
  }

  /** Return the visible part of the map, in map units. */
  get view(): View {
    return this.camera.view;
  }

  /** Return the view if the viewer moved it, else null for the whole map. */
  get seen(): View | null {
    return this.camera.wandering ? this.camera.view : null;
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
  pose(width: number, height: number, insets: Insets): Pose | null {
    const scenery = this.scenery();
    if (!scenery) return null;
    const { view, zoom } = this.camera.posed(width, height, insets);
    const { to } = this.journey;
    const at = (id: number) => placement.at(to, id);
    const commonest = () => scenery.vocabulary.byCount;
    const { left, top, right, bottom } = insets;
    const free = { left, top, right: width - right, bottom: height - bottom };
    const { ids, norms } = this.beat ?? { ids: new Uint32Array(0), norms: new Float32Array(0) };
    return {
      lights: this.lights,
      scenery: { ...scenery, commonest, zoom, view, at, width, height, free },
      xy: placement.coordinates(to),
      box: this.country.box,
      tints: this.tints,
      shining: { ids, strengths: strengths(norms) },
    };
  }

  /** Stop drawing, and the layout analysis. */
  stop() {
    this.pacer.stop();
    this.country.stop();
  }

  private light(canvas: HTMLCanvasElement): Lights | null {
    try {
      const lights: Lights = new Lights(canvas, () => {
        this.events.dark?.(lights.lost);
        this.wake();
      });
      return lights;
    } catch (error) {
      console.warn("Lamplighter: the city is drawn without WebGL2.", error);
      return null;
    }
  }

  /** Choose the labels again in the next frame. */
  private rename() {
    this.renamed = true;
    this.wake();
  }

  private wake() {
    this.pacer.wake();
  }

  private sharpen(part: number) {
    const { width, height } = this.camera;
    const ratio = this.ratio * part;
    this.lights?.resize(Math.round(width * ratio), Math.round(height * ratio));
    this.design = ratio * designSize(width, height);
  }

  /** Draw a frame. Return whether the picture will keep changing by itself. */
  private draw(now: number, part: number, elapsed: number): boolean {
    this.sharpen(part);
    const mixing = this.mixing(now);
    if (this.camera.move(now, this.still)) this.renamed = true;
    if (mixing < 1 || this.camera.moving) this.glided += 1;
    const moment = this.moment(now);
    this.lights?.draw(moment, this.design);
    // Labels were chosen for the positions when the glide began.
    if (mixing >= 1 && this.lastMixing < 1) this.renamed = true;
    const moved = mixing < 1 || this.lastMixing < 1 || this.renamed;
    this.lastMixing = mixing;
    if (moved || this.fading) this.fading = this.drawNames(elapsed);
    if (this.unpainted && this.layout && this.beat) {
      this.unpainted = false;
      this.events.painted(this.beat);
    }
    const age = now - this.beatStarted;
    const glowing = this.beat !== null && age < this.beat.lasting + 100;
    return mixing < 1 || moment.rising < 1 || this.camera.moving || this.fading || glowing;
  }

  private drawNames(elapsed: number): boolean {
    const scenery = this.scenery();
    if (!scenery) return false;
    if (this.renamed) this.overlay.choose(scenery);
    this.renamed = this.camera.moving;
    return this.overlay.draw(scenery, this.still || this.hasty ? Infinity : elapsed);
  }

  private scenery(): Scenery | null {
    const { vocabulary, layout } = this;
    const { districts } = this.country;
    if (!vocabulary || !layout) return null;
    const { zoom, view, width, height, free } = this.camera;
    const mixing = this.mixing();
    const at = (id: number) => this.at(id, mixing);
    const commonest = () => this.country.inView(view);
    return {
      vocabulary,
      districts,
      ...this.marked,
      commonest,
      zoom,
      view,
      at,
      width,
      height,
      free,
    };
  }

  private at(id: number, mixing = this.mixing()): [number, number] {
    return this.journey.at(id, mixing);
  }

  private mixing(now = performance.now()): number {
    return this.journey.mixing(now, this.still);
  }

  private moving(now: number): boolean {
    return this.mixing(now) < 1 || this.journey.rising(now, this.still) < 1 || this.lastMixing < 1;
  }

  private moment(now: number): Moment {
    const { still, view } = this;
    const rising = this.journey.rising(now, still);
    return { view, mixing: this.mixing(now), rising, glow: this.glow(now) };
  }

  private glow(now: number): number {
    if (!this.beat) return 0;
    return glowAt(now - this.beatStarted, this.beat.lasting, this.held, this.still);
  }
}
