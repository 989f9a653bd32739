/**
 * The scene of a map: its canvases, its view, and when to draw.
 *
 * The page passes its whole content to `update`; the scene draws itself when something changes and rests
 * otherwise. Drawing is coalesced with requestAnimationFrame. It knows canvases, not Plotly: the owner of the
 * axes receives view changes and traces as events, and reports its own view changes to the scene.
 */

import type { Layout } from "../../api/frames";
import type { Look, LookPlace } from "../../model/look";
import { coordinates, type Placement } from "../../model/plane/placement";
import { nearestToken } from "../../model/plane/spatial-index";
import {
  toMapPosition,
  toPixel,
  uncoveredPart,
  unitsPerPixel,
  type Insets,
  type MapRect,
  type PixelRect,
} from "../../model/plane/viewport";
import { MapCamera } from "../interaction/camera";
import { tokensWithin, type Point } from "../interaction/lasso";
import type { Overlay } from "../overlay/overlay";
import type { MapMarks, OverlayModel } from "../overlay/overlay-model";
import { lampGrowth } from "../webgl/glow-falloff";
import { PointRenderer } from "../webgl/renderer";
import type { Light } from "../../model/light";
import type { SceneContent } from "./map-content";
import { RenderLoop } from "./render-loop";
import { ShownContent } from "./shown-content";
import { designPixelSize, type StillScene } from "./still-scene";

/** Enlargement of the lamps and brightening of the land for the back of a room. */
const ENLARGED = { lamps: 1.1, land: 1.3 };

/** Handlers of the scene's events. */
interface SceneEvents {
  /** Handle a view that the scene changed itself, so that the axes follow. */
  viewChanged(view: MapRect): void;
  /** Handle the view that the scene moves to because the look changed; null: the whole map. */
  lookFollowed?(view: MapRect | null): void;
  /** Handle the first frame of a beat. */
  beatPainted(beat: Light): void;
  /** Handle the loss (true) or return (false) of the graphics context. */
  contextChanged?(lost: boolean): void;
}

/** The scene of one map. */
export class Scene {
  readonly renderer: PointRenderer;
  /** Frames drawn while the map or the view was gliding. */
  glided = 0;

  private readonly camera: MapCamera;
  private readonly content: ShownContent;
  private readonly renderLoop = new RenderLoop({
    isMoving: (now) =>
      this.content.clock.isGliding(now) ||
      this.lastMixing < 1 ||
      this.labelsStale ||
      this.unpaintedBeat !== null,
    renderFrame: (now, part, elapsed) => this.drawFrame(now, part, elapsed),
  });
  /** The beat that was painted last. */
  private painted: Light | null = null;
  private design = 1;
  private ratio = 1;
  private labelsStale = true;
  private lastMixing = 1;
  private fading = false;

  /** @throws Error if the browser has no WebGL2. */
  constructor(
    canvas: HTMLCanvasElement,
    private readonly overlay: Overlay,
    private readonly events: SceneEvents,
  ) {
    this.camera = new MapCamera((view) => events.viewChanged(view));
    this.renderer = new PointRenderer(canvas, (lost) => {
      events.contextChanged?.(lost);
      this.renderLoop.wake();
    });
    this.content = new ShownContent(this.renderer, this.camera, {
      landChanged: () => this.handleLand(),
      lookFollowed: (view) => events.lookFollowed?.(view),
    });
  }

  /** Show other content: glide to its layout, light its beat, mark and label its tokens. */
  update(next: SceneContent) {
    const { content, renderLoop } = this;
    if (next.vocabulary !== content.current.vocabulary || !next.layout) this.overlay.clear();
    if (next.enlarged !== content.current.enlarged) this.enlarge(next.enlarged);
    renderLoop.scrubbing = next.scrubbing;
    if (content.update(next)) this.labelsStale = true;
    if (!next.beat) this.painted = null;
    renderLoop.wake();
  }

  /** Turn all gliding off, or on again. */
  setReducedMotion(reducedMotion: boolean) {
    this.content.clock.reducedMotion = reducedMotion;
    this.renderLoop.wake();
  }

  /** Set the map's size and the width covered at its edges, in CSS pixels. */
  resize(width: number, height: number, insets: Insets) {
    this.ratio = Math.min(2, devicePixelRatio || 1);
    this.overlay.resize(width, height, this.ratio);
    if (this.camera.setViewport(width, height, insets)) this.content.keepPlace();
    this.invalidateLabels();
  }

  /** Adopt a view that the viewer chose with the axes or by touch. */
  setView(view: MapRect) {
    this.camera.setView(view);
    this.invalidateLabels();
  }

  /** Adopt the position that the viewer moved to as the look, and return it; null: the whole map. */
  adoptLook(): Look | null {
    return this.content.adoptLook();
  }

  /** Return to the whole map. */
  goHome() {
    this.camera.goHome();
    this.renderLoop.wake();
  }

  /** Pan so that a token is visible. */
  panToToken(id: number) {
    if (!(id < (this.layout?.vocabulary ?? 0))) return;
    this.camera.panTo(this.positionNow(id));
    this.invalidateLabels();
  }

  /** Return the camera position for a token and its neighbours in the space; null if it is not on the map. */
  placeAround(id: number, neighbours: readonly number[]): LookPlace | null {
    const size = this.layout?.vocabulary ?? 0;
    return id < size
      ? this.content.placeAround(
          id,
          neighbours.filter((one) => one < size),
        )
      : null;
  }

  /** Return the camera position that shows all of these tokens; null if none is on the map. */
  placeAroundAll(tokens: readonly number[]): LookPlace | null {
    const size = this.layout?.vocabulary ?? 0;
    const known = tokens.filter((id) => id < size);
    return known.length ? this.content.placeAroundAll(known) : null;
  }

  /** Return the tokens inside an outline, in map units, by their current positions. */
  tokensWithin(corners: readonly Point[]): number[] {
    return this.layout ? tokensWithin(coordinates(this.placementNow()), corners) : [];
  }

  /** Return the district whose label is at a point of the picture, in CSS pixels; null for none. */
  districtAt(x: number, y: number): number | null {
    return this.overlay.districtAt(x, y);
  }

  /** Return the token nearest to a point of the picture, in CSS pixels, within `reach` pixels. */
  tokenAt(x: number, y: number, reach: number): number | null {
    if (!this.layout) return null;
    const [mapX, mapY] = toMapPosition(this.camera, x, y);
    const [ux, uy] = unitsPerPixel(this.camera);
    return nearestToken(this.placementNow(), mapX, mapY, reach * ux, reach * uy);
  }

  /** Return a token's position in the picture, in CSS pixels. */
  pixelOf(id: number): [number, number] {
    return toPixel(this.camera, this.positionNow(id));
  }

  /** Count the pixels that the lit lamps visibly brighten now. Slow, because it reads pixels back. */
  litPixels(): number {
    const at = this.content.clock.instantAt(performance.now());
    return this.renderer.litPixels(this.camera.view, at, this.design, this.growth);
  }

  /** Return the tokens whose lamps are lit. */
  litIds(): number[] {
    return [...this.content.displayed.lit.ids];
  }

  /** Return the marks on the map. */
  marks(): MapMarks {
    return this.content.displayed.marks;
  }

  /** Return the tokens with a trail, each with the pixel at which that ends. */
  trailEnds(): { id: number; end: [number, number] }[] {
    const trails = this.marks().trails.filter(({ xs }) => xs.length > 1);
    return trails.map(({ id, xs, ys }) => ({
      id,
      end: toPixel(this.camera, [xs.at(-1)!, ys.at(-1)!]),
    }));
  }

  /** Return the texts of the labels. */
  labelTexts(): string[] {
    return this.overlay.labelTexts();
  }

  /** Return the texts of the labels drawn last, each with its rectangle, in CSS pixels. */
  textsDrawn(): (PixelRect & { text: string })[] {
    return this.overlay.textsDrawn();
  }

  /** Return the layout on the map, rotated if tokens are held still. */
  get layout(): Layout | null {
    return this.content.layout;
  }

  /** Return the visible part of the map, in map units. */
  get view(): MapRect {
    return this.camera.view;
  }

  /** Return the view, or the one it moves to; null for the whole map. */
  get viewerView(): MapRect | null {
    return this.camera.atHome ? null : this.camera.destination;
  }

  /** Return the size of the map on the screen, in CSS pixels. */
  get size(): { width: number; height: number } {
    const { width, height } = this.camera;
    return { width, height };
  }

  /**
   * Return the settled scene for a picture of this many pixels: the same part of the map, with its lamps
   * fully lit. Null if there is nothing to show yet. The screen is unchanged.
   */
  stillScene(width: number, height: number, insets: Insets): StillScene | null {
    const { renderer, layout } = this;
    const { displayed } = this.content;
    const frame = {
      ...this.camera.viewForSize(width, height, insets),
      width,
      height,
      uncovered: uncoveredPart(width, height, insets),
    };
    const commonest = () => displayed.vocabulary!.byCount;
    const overlayModel = layout && displayed.overlayModel(1, frame, commonest);
    if (!overlayModel) return null;
    return { renderer, overlayModel };
  }

  /** Stop drawing, and the layout analysis. */
  stop() {
    this.renderLoop.stop();
    this.content.stop();
  }

  /** Draw new land, with its labels. */
  private handleLand() {
    this.labelsStale = true;
    // While the viewer scrubs, the next position also draws the land.
    if (this.content.current.scrubbing) this.renderLoop.wakeSoon();
    else this.renderLoop.wake();
  }

  /** Choose the labels again in the next frame. */
  private invalidateLabels() {
    this.labelsStale = true;
    this.renderLoop.wake();
  }

  private enlarge(enlarged: boolean) {
    this.overlay.enlarge(enlarged);
    this.renderer.landLight = enlarged ? ENLARGED.land : 1;
    this.labelsStale = true;
  }

  private setResolution(scale: number) {
    const { width, height, free } = this.camera;
    const ratio = this.ratio * scale;
    this.renderer.resize(Math.round(width * ratio), Math.round(height * ratio));
    this.design = ratio * designPixelSize(width, height, free[0] * free[1]);
  }

  /** Draw a frame. Return whether the picture will keep changing by itself. */
  private drawFrame(now: number, scale: number, elapsed: number): boolean {
    const { camera, content } = this;
    const { clock } = content;
    this.setResolution(scale);
    const at = clock.instantAt(now);
    if (camera.advance(now, clock.reducedMotion)) this.labelsStale = true;
    if (at.mixing < 1 || camera.moving) this.glided += 1;
    this.renderer.render(camera.view, at, this.design, this.growth);
    // Labels were chosen for the positions at the start of the glide.
    if (at.mixing >= 1 && this.lastMixing < 1) this.labelsStale = true;
    const moved = at.mixing < 1 || this.lastMixing < 1 || this.labelsStale;
    this.lastMixing = at.mixing;
    if (moved || this.fading) this.fading = this.drawOverlay(at.mixing, elapsed);
    const beat = this.unpaintedBeat;
    if (beat && content.layout) {
      this.painted = beat;
      this.events.beatPainted(beat);
    }
    return clock.isGliding(now) || camera.moving || this.fading || clock.isFading(now);
  }

  /** Return the enlargement of the lamps relative to their design. */
  private get growth(): number {
    return (
      lampGrowth(this.camera.magnification) * (this.content.current.enlarged ? ENLARGED.lamps : 1)
    );
  }

  private drawOverlay(mixing: number, elapsed: number): boolean {
    const model = this.overlayModel(mixing);
    if (!model) return false;
    if (this.labelsStale) this.overlay.updateLabels(model);
    this.labelsStale = this.camera.moving;
    const { clock, current } = this.content;
    return this.overlay.draw(model, clock.reducedMotion || current.scrubbing ? Infinity : elapsed);
  }

  private overlayModel(mixing: number): OverlayModel | null {
    const { displayed, layout, regions } = this.content;
    const { camera } = this;
    if (!layout) return null;
    return displayed.overlayModel(mixing, camera, () => regions.commonestInView(camera.view));
  }

  /** Return the beat if no frame has shown it yet, else null. */
  private get unpaintedBeat(): Light | null {
    const { beat } = this.content.current;
    return beat === this.painted ? null : beat;
  }

  private positionNow(id: number): [number, number] {
    return this.content.displayed.positionOf(id, this.mixingNow());
  }

  private placementNow(): Placement {
    return this.content.displayed.placementAt(this.mixingNow());
  }

  private mixingNow(): number {
    return this.content.clock.mixing(performance.now());
  }
}
