/**
 * The content that a scene shows. It receives the page's whole content, finds the changes, and passes each
 * one to the renderer or the regions.
 */

import { prefersStillness } from "../../model/reduced-motion";
import type { Districts, Layout } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import type { Look, LookPlace } from "../../model/look";
import { mapBounds, placementOf, coordinates, quantise } from "../../model/plane/placement";
import type { DrawnTrail } from "../../model/plane/trail";
import type { MapRect } from "../../model/plane/viewport";
import type { MapCamera } from "../interaction/camera";
import { haloShares, beatBrightness, GENTLE_RISE_MS, glideProgress } from "../easing";
import { dimOthers } from "../palette";
import type { DensityGrid } from "../regions/density";
import { districtBounds } from "../regions/district-bounds";
import { boundsAround, neighbourhoodBounds } from "../regions/neighbourhood-bounds";
import { Regions } from "../regions/regions";
import type { PointRenderer } from "../webgl/renderer";
import type { Light } from "../../model/light";
import { DisplayedMap, litRowsOf, type Instant } from "./displayed-map";
import { NO_CONTENT, type SceneContent } from "./map-content";

/** A rotation and translation: (x, y) becomes (cos x - sin y + dx, sin x + cos y + dy). */
export interface RigidTransform {
  cos: number;
  sin: number;
  dx: number;
  dy: number;
}

/** Imperceptible change: a smaller rotation, or a smaller translation as a fraction of the map's width. */
const UNSEEN = 1e-5;

/**
 * Return the rotation and translation that bring `from` closest to `to` (x, y alternating): least squares, in
 * closed form.
 *
 * Pure. A single token gives a translation, no token the identity.
 */
export function fitRigidTransform(from: Float32Array, to: Float32Array): RigidTransform {
  const count = from.length / 2;
  if (!count) return { cos: 1, sin: 0, dx: 0, dy: 0 };
  const middle = [0, 0, 0, 0];
  for (let i = 0; i < from.length; i += 2) {
    middle[0]! += from[i]! / count;
    middle[1]! += from[i + 1]! / count;
    middle[2]! += to[i]! / count;
    middle[3]! += to[i + 1]! / count;
  }
  const [fx, fy, tx, ty] = middle as [number, number, number, number];
  let [along, across] = [0, 0];
  for (let i = 0; i < from.length; i += 2) {
    const [ax, ay] = [from[i]! - fx, from[i + 1]! - fy];
    const [bx, by] = [to[i]! - tx, to[i + 1]! - ty];
    along += ax * bx + ay * by;
    across += ax * by - ay * bx;
  }
  const size = Math.hypot(along, across);
  const [cos, sin] = size > 0 ? [along / size, across / size] : [1, 0];
  return { cos, sin, dx: tx - (cos * fx - sin * fy), dy: ty - (sin * fx + cos * fy) };
}

/** Return a rotated and translated copy of the positions. Pure. */
export function transformPoints(
  xy: Float32Array,
  { cos, sin, dx, dy }: RigidTransform,
): Float32Array {
  const out = new Float32Array(xy.length);
  for (let i = 0; i < xy.length; i += 2) {
    out[i] = cos * xy[i]! - sin * xy[i + 1]! + dx;
    out[i + 1] = sin * xy[i]! + cos * xy[i + 1]! + dy;
  }
  return out;
}

/** Return a copy of the trail, rotated and translated like its map. Pure. */
export function transformTrail(trail: DrawnTrail, transform: RigidTransform): DrawnTrail {
  const { xs, ys } = trail;
  const xy = transformPoints(
    Float32Array.from({ length: 2 * xs.length }, (_, i) => (i % 2 ? ys : xs)[i >> 1]!),
    transform,
  );
  return { ...trail, xs: xs.map((_, i) => xy[2 * i]!), ys: ys.map((_, i) => xy[2 * i + 1]!) };
}

/** Anchor positions of the held tokens, towards which every layout is rotated. */
export class LayoutAnchor {
  /** The transform of the last layout shown; null if it was unchanged. */
  transform: RigidTransform | null = null;
  private ids: readonly number[] = [];
  private anchor: Float32Array | null = null;
  private last: Layout | null = null;

  /** Return the layout transformed so that `ids` hold still; unchanged if there are none. */
  apply(layout: Layout, ids: readonly number[]): Layout {
    const { last } = this;
    const other = last?.drawnBy !== layout.drawnBy || last.vocabulary !== layout.vocabulary;
    const same = ids.length === this.ids.length && ids.every((id, i) => id === this.ids[i]);
    if (!ids.length) this.anchor = null;
    // Another map has other units, so the tokens first take their untransformed positions on it.
    else if (!this.anchor || !same || other) {
      this.anchor = coordinatesOf(other ? layout : last, ids);
    }
    this.ids = ids;
    return (this.last = this.turnedLayout(layout));
  }

  private turnedLayout(layout: Layout): Layout {
    this.transform = null;
    if (!this.anchor) return layout;
    const transform = fitRigidTransform(coordinatesOf(layout, this.ids), this.anchor);
    const shift = Math.hypot(transform.dx, transform.dy) / Math.max(1e-9, layout.x1 - layout.x0);
    if (Math.abs(transform.sin) < UNSEEN && transform.cos > 0 && shift < UNSEEN) return layout;
    this.transform = transform;
    const { places, box } = quantise(transformPoints(coordinates(placementOf(layout)), transform));
    return { ...layout, places, ...box };
  }
}

/** Return x, y of the tokens `ids` in a layout, in map units. */
function coordinatesOf(layout: Layout, ids: readonly number[]): Float32Array {
  const { places, box } = placementOf(layout);
  const own = new Uint16Array(2 * ids.length);
  ids.forEach((id, i) => {
    own[2 * i] = places[2 * id]!;
    own[2 * i + 1] = places[2 * id + 1]!;
  });
  return coordinates({ places: own, box });
}

/** How long frames are still drawn after a beat should have faded, in ms. */
const LAST_FRAMES = 100;

/** The clock of one scene. All times are those of `performance.now()`. */
export class SceneClock {
  /** Brightness at which the last beat stays lit until the next one, 0 to 1. */
  held = 0;
  private lampsStarted = -Infinity;
  private landStarted = -Infinity;
  private beatStarted = -Infinity;
  private beatDuration = 0;
  private lit = false;

  /** Start at rest. With `reducedMotion` nothing glides. */
  constructor(public reducedMotion: boolean) {}

  /** Reset the lamps, the land and the light to rest. */
  reset() {
    this.lampsStarted = this.landStarted = -Infinity;
    this.startBeat(null, 0);
  }

  /** Start a glide of the lamps; it ends at once if `atOnce`. */
  startLamps(now: number, atOnce: boolean) {
    this.lampsStarted = atOnce ? -Infinity : now;
  }

  /** Start a glide of the land; it ends at once if `atOnce`. */
  startLand(now: number, atOnce: boolean) {
    this.landStarted = atOnce ? -Infinity : now;
  }

  /** Start the light of a beat; end it if `beat` is null. */
  startBeat(beat: Light | null, now: number) {
    this.lit = beat !== null;
    this.beatDuration = beat?.duration ?? 0;
    this.beatStarted = now - (beat?.atOnce ? GENTLE_RISE_MS : 0);
  }

  /** Return the progress of the lamps, 0 to 1. */
  mixing(now: number): number {
    return glideProgress(now - this.lampsStarted, this.reducedMotion);
  }

  /** Return whether the lamps or the land are gliding. */
  isGliding(now: number): boolean {
    return this.mixing(now) < 1 || this.landProgress(now) < 1;
  }

  /** Return whether the light of the beat is still changing. */
  isFading(now: number): boolean {
    return this.lit && now - this.beatStarted < this.beatDuration + LAST_FRAMES;
  }

  /** Return the progress of everything. */
  instantAt(now: number): Instant {
    return { mixing: this.mixing(now), landProgress: this.landProgress(now), glow: this.glow(now) };
  }

  private landProgress(now: number): number {
    return glideProgress(now - this.landStarted, this.reducedMotion);
  }

  private glow(now: number): number {
    const age = now - this.beatStarted;
    return this.lit ? beatBrightness(age, this.beatDuration, this.held, this.reducedMotion) : 0;
  }
}

/** The part of a renderer that takes content. */
export type ContentRenderer = Pick<
  PointRenderer,
  "setTokens" | "setTints" | "setPlacement" | "setLand" | "moveLand" | "setLit"
>;

/** Handlers of changes that come later than their content. */
interface ContentEvents {
  /** Handle new land and labels. */
  landChanged(): void;
  /** Handle the view that the camera moves to because the look changed; null: the whole map. */
  lookFollowed(view: MapRect | null): void;
}

const NONE: readonly number[] = [];

/** The shown content of one scene. */
export class ShownContent {
  readonly displayed = new DisplayedMap();
  readonly clock = new SceneClock(prefersStillness());
  readonly regions = new Regions((land, first) => this.applyLand(land, first));
  /** The layout on the map, rotated if tokens are held still. */
  layout: Layout | null = null;
  /** The part of the map to look at; null: all of it. */
  private look: Look | null = null;
  /** The content as the page provided it. */
  current = NO_CONTENT;
  private readonly anchor = new LayoutAnchor();
  /** The held tokens, and the layout and trails rotated to hold them. */
  private held = NONE;
  private turned: Layout | null = null;
  private trails: DrawnTrail[] = [];

  constructor(
    private readonly renderer: ContentRenderer,
    private readonly camera: MapCamera,
    private readonly events: ContentEvents,
  ) {}

  /** Show other content. Return whether labels have to be chosen again. */
  update(next: SceneContent): boolean {
    const { current: last, displayed } = this;
    const { vocabulary, layout, tints, marks, beat, districts, look } = (this.current = next);
    this.clock.held = next.heldBrightness;
    this.camera.aligned = next.aligned;
    // Without a layout the positions of the lamps are unknown, as with another vocabulary.
    const renewed = vocabulary !== last.vocabulary || (this.layout !== null && !layout);
    if (renewed) this.setVocabulary(vocabulary);
    const { trails } = this;
    this.turnContent(last);
    const marked = marks !== last.marks || trails !== this.trails;
    if (marked) displayed.marks = { ...marks, trails: this.trails };
    if (!vocabulary) return marked;
    if (tints && (renewed || tints !== last.tints || marks.selected !== last.marks.selected))
      this.setTints(tints, marks.selected);
    const [placed, looksElsewhere] = [this.layout !== null, look !== this.look];
    this.look = look;
    if (this.turned) this.setLayout(this.turned);
    const lit = renewed || beat !== last.beat;
    if (lit) this.setBeat(beat);
    const redivided = renewed || districts !== last.districts;
    if (redivided) this.setDistricts(districts);
    if (looksElsewhere && placed) {
      this.followLook(false);
      this.events.lookFollowed(this.camera.atHome ? null : this.camera.destination);
    }
    return marked || lit || redivided || looksElsewhere;
  }

  /** Adopt the position that the viewer moved to as the look, and return it; null: the whole map. */
  adoptLook(): Look | null {
    const { layout, camera } = this;
    if (camera.atHome || !layout) this.look = null;
    else if (camera.userControlled) this.look = camera.placeWithin(placementOf(layout).box);
    return this.look;
  }

  /** Keep the look in the middle of the uncovered part after that has changed. */
  keepPlace() {
    if (!this.layout || !this.look || "district" in this.look || !this.camera.userControlled)
      return;
    this.followLook(false);
    this.events.lookFollowed(this.camera.destination);
  }

  /** Return the camera position for a token and its neighbours in the space, nearest first. */
  placeAround(token: number, neighbours: readonly number[]): LookPlace {
    const { to } = this.displayed;
    return this.camera.placeAround(neighbourhoodBounds(token, neighbours, to), to.box);
  }

  /** Return the camera position that shows all of these tokens. */
  placeAroundAll(tokens: readonly number[]): LookPlace {
    const { to } = this.displayed;
    return this.camera.placeAround(boundsAround(tokens, to), to.box);
  }

  stop() {
    this.regions.stop();
  }

  /** Switch to another vocabulary, which clears the map. */
  private setVocabulary(vocabulary: Vocabulary | null) {
    this.layout = null;
    this.displayed.reset(vocabulary);
    this.clock.reset();
    this.regions.setVocabulary(vocabulary);
    this.camera.letGo();
    this.renderer.setTokens(
      this.displayed.tints,
      haloShares(vocabulary?.counts ?? new Float64Array(0)),
    );
  }

  /** Rotate the content's layout, and its trails, if tokens are held still. */
  private turnContent(last: SceneContent) {
    const { layout, aligned, marks } = this.current;
    const held = aligned ? marks.selected : NONE;
    const turn = this.anchor.transform;
    if (layout !== last.layout || held !== this.held) {
      this.held = held;
      this.turned = layout && this.anchor.apply(layout, held);
    }
    if (marks.trails !== last.marks.trails || turn !== this.anchor.transform) {
      const { transform } = this.anchor;
      this.trails = transform
        ? marks.trails.map((trail) => transformTrail(trail, transform))
        : marks.trails;
    }
  }

  /** Set the lamps' colours; all tokens except the selected ones are dimmed. */
  private setTints(tints: Uint8Array, selected: readonly number[]) {
    this.displayed.tints = dimOthers(tints, selected);
    this.renderer.setTints(this.displayed.tints);
  }

  /** Glide to a layout; jump there while scrubbing. */
  private setLayout(layout: Layout) {
    const { displayed, clock, camera } = this;
    if (layout === this.layout || layout.vocabulary !== displayed.vocabulary?.tokens.length) return;
    const now = performance.now();
    const atOnce = this.layout === null || this.current.scrubbing;
    const other = this.layout?.drawnBy !== layout.drawnBy;
    const next = placementOf(layout);
    const mixing = clock.mixing(now);
    if (atOnce) displayed.jumpTo(next);
    else displayed.glideTo(next, mixing);
    this.layout = layout;
    const { view } = camera;
    // The other map has other units, so the viewer's position on this one is meaningless there.
    if (other) camera.letGo();
    camera.followBounds(mapBounds(next), atOnce || other, now);
    if (this.look && (other || "district" in this.look)) this.followLook(atOnce || other);
    const rebased = other && !atOnce;
    if (rebased) {
      displayed.rebase(view, camera.view);
      this.renderer.moveLand(view, camera.view);
    }
    // A glide that interrupts another begins at a placement that the renderer does not have yet.
    const unseen = rebased || (!atOnce && mixing < 1);
    this.renderer.setPlacement(next, unseen ? displayed.from : undefined);
    clock.startLamps(now, atOnce);
    // Labels are chosen again when the layout's analysis arrives.
    this.regions.analyse(next);
  }

  private setDistricts(districts: Districts | null) {
    this.regions.setDistricts(districts);
    this.displayed.found = this.regions.found;
    this.displayed.districts = this.regions.districts;
    if (this.layout && this.look && "district" in this.look)
      this.followLook(this.current.scrubbing);
  }

  /** Move the camera to the look; jump there if `atOnce`. */
  private followLook(atOnce: boolean) {
    const { look, camera, regions, displayed } = this;
    if (!look) camera.goHome();
    else if ("district" in look) {
      const bounds = regions.found && districtBounds(regions.found, look.district, displayed.to);
      if (bounds || !camera.atHome) camera.followPart(bounds, atOnce);
    } else camera.lookAt(look, displayed.to.box, atOnce);
  }

  private applyLand(land: DensityGrid, first: boolean) {
    const { scrubbing } = this.current;
    this.displayed.districts = this.regions.districts;
    this.renderer.setLand(land);
    this.clock.startLand(performance.now(), scrubbing || first);
    this.events.landChanged();
  }

  /** Light the rows of the beat. */
  private setBeat(beat: Light | null) {
    this.clock.startBeat(beat, performance.now());
    const lit = (this.displayed.lit = litRowsOf(beat));
    this.renderer.setLit(lit.ids, lit.strengths);
  }
}
