/**
 * The city as one thing: what lies where, what glows, what is seen, and when it is drawn.
 *
 * Data comes in by the `set...` methods; the scene draws itself when something changes and rests
 * otherwise. Drawing is coalesced with requestAnimationFrame. Knows canvases, not Plotly: who owns the
 * axes is told by `viewed` and tells by `look`.
 */

import type { Districts, Layout } from "../wire/frames";
import type { Vocabulary } from "../wire/vocabulary";
import {
  districtsOf,
  foundGroups,
  membersOf,
  plantedGroups,
  type District,
  type Group,
  type Members,
} from "./districts";
import { Fineness } from "./fineness";
import { GENTLE_RISE, GLIDE, glideAt, glowAt, strengths } from "./glide";
import { tokensWithin, type Point } from "./lasso";
import { Lights, type Moment } from "./lights";
import { Overlay, type Scenery } from "./overlay";
import { Picker } from "./picking";
import * as placement from "./placement";
import type { Insets, Placement, View } from "./placement";
import { designSize, type Pose } from "./pose";
import type { Survey } from "./survey";
import { Surveyor } from "./surveyor";

/** One real step that glows. */
export interface Beat {
  step: number;
  ids: Uint32Array;
  /** Gradient norm by row of `ids`; NaN where not known. */
  norms: Float32Array;
  /** Milliseconds until it shall be gone. */
  lasting: number;
  /** It need not come up: it is there at once. */
  atOnce?: boolean;
}

export interface SceneEvents {
  /** The view changed from within (a fit): the axes shall follow. */
  viewed(view: View): void;
  /** The first frame with this beat was drawn. */
  painted(beat: Beat): void;
  /** The graphics context was lost, or came back. */
  dark?(lost: boolean): void;
}

/** How long nothing must move until a coarse picture is drawn fine again, in ms. */
const REST = 300;
const NOWHERE: Placement = { places: new Uint16Array(0), box: { x0: 0, x1: 1, y0: 0, y1: 1 } };
/** So few tokens in view are sorted sooner than they are met among all. */
const FEW = 2_500;
/** Differences of the fitted view that are not worth moving everything for. */
const SETTLED = 0.03;

export class Scene {
  readonly lights: Lights | null;
  still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  /** The viewer looks where they please; layouts no longer move the view. */
  wandering = false;
  view: View = { x0: 0, x1: 1, y0: 0, y1: 1 };
  layout: Layout | null = null;
  beat: Beat | null = null;
  /** Frames drawn while the city or the view was on its way from one place to another. */
  glided = 0;

  private vocabulary: Vocabulary | null = null;
  /** Place among all tokens by how common they are, by token id. */
  private ranks = new Uint32Array(0);
  private from: Placement = NOWHERE;
  private to: Placement = NOWHERE;
  private box: View = { x0: 0, x1: 1, y0: 0, y1: 1 };
  /** Which tokens are where; null until the layout that is shown has been surveyed. */
  private picker: Picker | null = null;
  private readonly surveyor = new Surveyor();
  private members: Members = { ids: new Uint32Array(0), starts: new Uint32Array(1) };
  private groups: Group[] = [];
  private found: Districts | null = null;
  private districts: District[] = [];
  private among: number[] = [];
  private doubtful: number[] = [];
  private gathered: readonly number[] = [];
  /** Tokens are kept still: the view then stays too, unless it is asked for. */
  private aligned = false;
  private lit: Scenery["lit"] = [];
  private tints: Uint8Array = new Uint8Array(0);
  private chosen: number | null = null;
  private links: Scenery["links"] = [];
  private named: number[] = [];
  private home: View = this.view;
  private viewFrom: View | null = null;
  private glideStarted = -Infinity;
  private riseStarted = -Infinity;
  private viewStarted = -Infinity;
  private beatStarted = -Infinity;
  private unpainted = false;
  private held = 0;
  private hidden = false;
  private width = 1;
  private height = 1;
  private design = 1;
  private ratio = 1;
  private readonly fineness = new Fineness();
  private resting: ReturnType<typeof setTimeout> | undefined;
  private insets: Insets = { top: 0, right: 0, bottom: 0, left: 0 };
  private frame = 0;
  private drawn = 0;
  private renamed = true;
  /** The frame to come follows right upon one just drawn. */
  private following = false;
  private lastMixing = 1;
  private fading = false;

  constructor(
    canvas: HTMLCanvasElement,
    private readonly overlay: Overlay,
    private readonly events: SceneEvents,
  ) {
    this.lights = this.light(canvas);
  }

  setVocabulary(vocabulary: Vocabulary | null) {
    this.vocabulary = vocabulary;
    this.ranks = new Uint32Array(vocabulary?.tokens.length ?? 0);
    vocabulary?.byCount.forEach((id, rank) => (this.ranks[id] = rank));
    this.layout = this.beat = this.picker = null;
    this.lit = [];
    this.districts = [];
    this.among = this.doubtful = [];
    this.surveyor.forget();
    this.riseStarted = -Infinity;
    this.gathered = [];
    this.setDistricts(null);
    this.wandering = false;
    this.overlay.clear();
    this.tints = new Uint8Array(4 * (vocabulary?.tokens.length ?? 0));
    this.lights?.setTokens(this.tints);
    this.wake();
  }

  setTints(tints: Uint8Array) {
    this.tints = tints;
    this.lights?.setTints(tints);
    this.wake();
  }

  /** Go to a layout, gliding; `cut`: be there at once. */
  setLayout(layout: Layout, cut = false) {
    const { vocabulary } = this;
    if (!vocabulary || layout.vocabulary !== vocabulary.tokens.length) return;
    if (layout === this.layout) return;
    const now = performance.now();
    const mixing = this.mixing(now);
    const first = this.layout === null;
    // The other map has other units: the viewer's place on this one means nothing there.
    if (this.layout?.drawnBy !== layout.drawnBy) this.wandering = false;
    const next = placement.placementOf(layout);
    const caught = mixing < 1 && !first && !cut;
    this.from = placement.between(this.from, this.to, mixing);
    this.to = next;
    if (first || cut) this.from = next;
    this.lights?.place(next, caught ? this.from : undefined);
    this.picker = null;
    this.layout = layout;
    this.glideStarted = first || cut ? -Infinity : now;
    if (first) {
      this.box = placement.span(placement.coordinates(next));
      this.fit(true);
    }
    this.askSurvey();
    this.renamed = true;
    this.wake();
  }

  private askSurvey() {
    const { groups, members, to } = this;
    if (to === NOWHERE || !this.layout) return;
    this.surveyor.ask(to, members, (found) => this.surveyed(found, to, groups));
  }

  /** The land and the districts of a layout are known: a moment after its lamps set out. */
  private surveyed({ box, relief, lies, grid }: Survey, of: Placement, groups: Group[]) {
    if (!this.layout) return;
    const raised = this.riseStarted > -Infinity;
    this.lights?.raise(relief);
    this.riseStarted = raised ? performance.now() : 0;
    if (groups === this.groups) this.districts = districtsOf(groups, lies);
    // Meanwhile another layout may have come: its own survey will be here soon.
    if (of === this.to) this.picker = new Picker(grid, of);
    this.box = box;
    this.fit(false);
    this.renamed = true;
    this.wake();
  }

  /** The clusters of the space; null where nobody looked for any: then it is the planted classes. */
  setDistricts(found: Districts | null) {
    const { vocabulary } = this;
    if (found && found.vocabulary !== vocabulary?.tokens.length) found = null;
    this.found = found;
    if (!vocabulary) this.groups = [];
    else this.groups = found ? foundGroups(found, vocabulary) : plantedGroups(vocabulary);
    this.members = membersOf(this.groups);
    this.askSurvey();
  }

  /** Tokens to be ringed, those of a district that is looked at, and to be crossed: doubtful places. */
  mark(among: number[], doubtful: number[]) {
    this.among = among;
    this.doubtful = doubtful;
    this.renamed = true;
    this.wake();
  }

  /** Tokens that were gathered, to be marked; whether the map is turned so that they stay. */
  setGathered(gathered: readonly number[], aligned: boolean) {
    this.gathered = gathered;
    this.aligned = aligned;
    this.renamed = true;
    this.wake();
  }

  /** The tokens within a line that was drawn, in map units, where they are shown now. */
  tokensWithin(corners: readonly Point[]): number[] {
    if (!this.layout) return [];
    const now = placement.between(this.from, this.to, this.mixing(performance.now()));
    return tokensWithin(placement.coordinates(now), corners);
  }

  /** The district whose name is written at a point of the picture, in CSS pixels; of those found in the space. */
  districtAt(x: number, y: number): number | null {
    const scenery = this.found && this.scenery();
    return scenery ? this.overlay.districtAt(scenery, x, y) : null;
  }

  setBeat(beat: Beat | null) {
    if (beat === this.beat) return;
    this.beat = beat;
    this.beatStarted = performance.now() - (beat?.atOnce ? GENTLE_RISE : 0);
    this.unpainted = beat !== null;
    const ids = beat?.ids ?? new Uint32Array(0);
    const bright = strengths(beat?.norms ?? new Float32Array(0));
    this.lights?.shine(ids, bright);
    this.lit = Array.from(ids, (id, i) => ({ id, strength: bright[i]!, norm: beat!.norms[i]! }))
      .sort((a, b) => (b.norm || 0) - (a.norm || 0))
      .slice(0, 120);
    this.renamed = true;
    this.wake();
  }

  /** How brightly the last beat stays on while no other comes, 0 to 1. */
  setHeld(held: number) {
    this.held = held;
    this.wake();
  }

  /** `named`: tokens that are named if there is room. */
  setChosen(chosen: number | null, links: Scenery["links"], named: number[]) {
    this.chosen = chosen;
    this.links = links;
    this.named = named;
    this.renamed = true;
    this.wake();
  }

  /** While the map cannot be seen nothing is drawn. */
  setHidden(hidden: boolean) {
    this.hidden = hidden;
    this.renamed = true;
    this.wake();
  }

  setStill(still: boolean) {
    this.still = still;
    this.wake();
  }

  resize(width: number, height: number, insets: Insets) {
    const grown = width !== this.width || height !== this.height;
    this.ratio = Math.min(2, devicePixelRatio || 1);
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    this.insets = insets;
    this.overlay.resize(width, height, this.ratio);
    this.sharpen(this.fineness.part);
    this.fit(grown);
    this.renamed = true;
    this.wake();
  }

  /** The viewer moved the view (by the axes, or with fingers). */
  look(view: View) {
    this.view = view;
    this.viewFrom = null;
    this.wandering = true;
    this.renamed = true;
    this.wake();
  }

  /** Show the whole city again. */
  goHome() {
    this.wandering = false;
    this.fit(false, 0);
    this.wake();
  }

  /** Bring a token into view. */
  show(id: number) {
    const [x, y] = this.at(id);
    const { view, width, height, insets } = this;
    const px = ((x - view.x0) / (view.x1 - view.x0)) * width;
    const py = (1 - (y - view.y0) / (view.y1 - view.y0)) * height;
    const free =
      px > insets.left + 20 &&
      px < width - insets.right - 20 &&
      py > insets.top + 20 &&
      py < height - insets.bottom - 20;
    if (free) return;
    const [w, h] = [view.x1 - view.x0, view.y1 - view.y0];
    const cx = x + ((insets.right - insets.left) / 2 / width) * w;
    const cy = y + ((insets.top - insets.bottom) / 2 / height) * h;
    this.look({ x0: cx - w / 2, x1: cx + w / 2, y0: cy - h / 2, y1: cy + h / 2 });
    this.events.viewed(this.view);
  }

  /** The token under a point of the picture, in CSS pixels, within `reach` pixels. */
  tokenAt(x: number, y: number, reach: number): number | null {
    if (!this.layout || this.mixing(performance.now()) < 1) return null;
    if (!this.picker) return null;
    const { view, width, height } = this;
    const [w, h] = [view.x1 - view.x0, view.y1 - view.y0];
    return this.picker.nearest(
      view.x0 + (x / width) * w,
      view.y0 + (1 - y / height) * h,
      (reach / width) * w,
      (reach / height) * h,
    );
  }

  /** Milliseconds until the city has come to rest. */
  gliding(): number {
    return this.still ? 0 : Math.max(0, this.glideStarted + GLIDE - performance.now());
  }

  /** Where a token is on the picture, in CSS pixels. */
  pixelOf(id: number): [number, number] {
    const [x, y] = this.at(id);
    const { view } = this;
    return [
      ((x - view.x0) / (view.x1 - view.x0)) * this.width,
      (1 - (y - view.y0) / (view.y1 - view.y0)) * this.height,
    ];
  }

  litPixels(): number {
    const now = performance.now();
    return this.lights?.litPixels(this.moment(now), this.design) ?? 0;
  }

  /** What is marked on the map, by ring and by line. */
  marks(): Pick<Scenery, "among" | "links"> {
    return { among: this.among, links: this.links };
  }

  written(): string[] {
    return this.overlay.written();
  }

  /**
   * What a picture of so many pixels is drawn from: the same part of the city, its lamps at their full light, at
   * rest. Null where there is nothing to see yet. What is on the screen is not touched.
   */
  pose(width: number, height: number, insets: Insets): Pose | null {
    const scenery = this.scenery();
    if (!scenery) return null;
    const home = placement.fit(this.box, width, height, insets);
    const view = this.wandering
      ? placement.fit(this.seen(), width, height, insets, this.stretch())
      : home;
    const wide = (of: View) => (of.x1 - of.x0) * (of.y1 - of.y0);
    const zoom = this.wandering ? Math.sqrt(wide(home) / wide(view)) : 1;
    const at = (id: number) => placement.at(this.to, id);
    const commonest = () => scenery.vocabulary.byCount;
    const { left, top, right, bottom } = insets;
    const free = { left, top, right: width - right, bottom: height - bottom };
    const { ids, norms } = this.beat ?? { ids: new Uint32Array(0), norms: new Float32Array(0) };
    return {
      lights: this.lights,
      scenery: { ...scenery, commonest, zoom, view, at, width, height, free },
      xy: placement.coordinates(this.to),
      box: this.box,
      tints: this.tints,
      shining: { ids, strengths: strengths(norms) },
    };
  }

  /** How large the map is on the screen, in CSS pixels. */
  get size(): { width: number; height: number } {
    return { width: this.width, height: this.height };
  }

  stop() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.resting);
    this.frame = -1;
    this.surveyor.stop();
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

  private wake() {
    if (this.hidden) return;
    if (this.frame === 0) this.frame = requestAnimationFrame(this.tick);
  }

  private readonly tick = () => {
    if (this.frame < 0) return;
    this.frame = 0;
    clearTimeout(this.resting);
    const now = performance.now();
    const begun = Math.max(this.glideStarted, this.riseStarted);
    const moving = now - begun < GLIDE + 50 || this.renamed || this.unpainted;
    // The next frame comes late where the last one was hard to draw.
    this.fineness.came(this.following ? now - this.drawn : null);
    this.following = false;
    if (!moving && now - this.drawn < this.fineness.glowFrame) return this.wake();
    this.sharpen(this.fineness.part);
    this.following = this.draw(now);
    if (this.following) this.wake();
    else if (this.fineness.part < 1) this.resting = setTimeout(this.refine, REST);
  };

  /** Nothing moves: a picture that was drawn coarsely can be drawn as it should be. */
  private readonly refine = () => {
    if (this.frame !== 0) return;
    this.sharpen(1);
    this.draw(performance.now());
  };

  private sharpen(fineness: number) {
    const ratio = this.ratio * fineness;
    this.lights?.resize(Math.round(this.width * ratio), Math.round(this.height * ratio));
    this.design = ratio * designSize(this.width, this.height);
  }

  /** Draw; whether the picture is going to change by itself. */
  private draw(now: number): boolean {
    const mixing = this.mixing(now);
    if (this.viewFrom) {
      const turned = glideAt(now - this.viewStarted, this.still);
      this.view = placement.mixViews(this.viewFrom, this.home, turned);
      if (turned >= 1) {
        this.viewFrom = null;
        this.events.viewed(this.view);
      }
      this.renamed = true;
    }
    if (mixing < 1 || this.viewFrom !== null) this.glided += 1;
    const moment = this.moment(now);
    this.lights?.draw(moment, this.design);
    // Names were chosen for where tokens were when the glide began.
    if (mixing >= 1 && this.lastMixing < 1) this.renamed = true;
    const moved = mixing < 1 || this.lastMixing < 1 || this.renamed;
    this.lastMixing = mixing;
    if (moved || this.fading) this.fading = this.drawNames(now);
    this.drawn = now;
    if (this.unpainted && this.layout && this.beat) {
      this.unpainted = false;
      this.events.painted(this.beat);
    }
    const age = now - this.beatStarted;
    const glowing = this.beat !== null && age < this.beat.lasting + 100;
    return mixing < 1 || moment.rising < 1 || this.viewFrom !== null || this.fading || glowing;
  }

  private drawNames(now: number): boolean {
    const scenery = this.scenery();
    if (!scenery) return false;
    if (this.renamed) this.overlay.choose(scenery);
    this.renamed = this.viewFrom !== null;
    return this.overlay.draw(scenery, this.still ? Infinity : now - this.drawn);
  }

  private scenery(): Scenery | null {
    const { vocabulary, layout, districts, among, doubtful, gathered, lit, chosen, links, named } =
      this;
    const { view, width, height } = this;
    if (!vocabulary || !layout) return null;
    const wide = (of: View) => (of.x1 - of.x0) * (of.y1 - of.y0);
    const zoom = this.wandering ? Math.sqrt(wide(this.home) / wide(view)) : 1;
    const mixing = this.mixing(performance.now());
    const at = (id: number) => this.at(id, mixing);
    const { top, right, bottom, left } = this.insets;
    const free = {
      left: left - 10,
      top: top - 6,
      right: width - right + 20,
      bottom: height - bottom,
    };
    const commonest = () => this.inView();
    const marked = { commonest, districts, among, doubtful, gathered, lit, chosen, links, named };
    return { vocabulary, ...marked, zoom, view, at, width, height, free };
  }

  /** The part of the map that is seen and that nothing covers. */
  private seen(): View {
    const { view, width, height, insets } = this;
    const [ux, uy] = [(view.x1 - view.x0) / width, (view.y1 - view.y0) / height];
    return {
      x0: view.x0 + insets.left * ux,
      x1: view.x1 - insets.right * ux,
      y0: view.y0 + insets.bottom * uy,
      y1: view.y1 - insets.top * uy,
    };
  }

  /** How much wider than true the map is drawn now. */
  private stretch(): number {
    const { view, width, height } = this;
    return (view.y1 - view.y0) / height / ((view.x1 - view.x0) / width);
  }

  private at(id: number, mixing = this.mixing(performance.now())): [number, number] {
    const [x, y] = placement.at(this.to, id);
    if (mixing >= 1 || this.from === this.to) return [x, y];
    const [fromX, fromY] = placement.at(this.from, id);
    return [fromX + (x - fromX) * mixing, fromY + (y - fromY) * mixing];
  }

  /** Token ids in (and right around) what is seen, the most common first. */
  private inView(): Iterable<number> {
    const { byCount } = this.vocabulary!;
    const count = this.picker?.count(this.view) ?? Infinity;
    // Where many are seen, some are soon met among all of them.
    if (count >= FEW) return byCount;
    const ranks = this.picker!.within(this.view).map((id) => this.ranks[id]!);
    return ranks.sort().map((rank) => byCount[rank]!);
  }

  private mixing(now: number): number {
    return glideAt(now - this.glideStarted, this.still);
  }

  private moment(now: number): Moment {
    const rising = glideAt(now - this.riseStarted, this.still);
    return { view: this.view, mixing: this.mixing(now), rising, glow: this.glow(now) };
  }

  private glow(now: number): number {
    if (!this.beat) return 0;
    return glowAt(now - this.beatStarted, this.beat.lasting, this.held, this.still);
  }

  private fit(atOnce: boolean, settled = SETTLED) {
    if (!this.layout) return;
    const home = placement.fit(this.box, this.width, this.height, this.insets);
    if (this.wandering) {
      this.home = home;
      return;
    }
    if (this.aligned && !atOnce && settled) return;
    if (!atOnce && placement.difference(this.view, home) < settled) return;
    this.home = home;
    this.viewFrom = atOnce ? null : this.view;
    this.viewStarted = performance.now();
    if (atOnce) {
      this.view = home;
      this.events.viewed(home);
    }
  }
}
