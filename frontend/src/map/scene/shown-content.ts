/**
 * The content that a scene shows. It takes the page's content whole, finds what changed in it, and passes each change
 * on to what draws it: the renderer, the regions, Plotly.
 */

import type { Districts, Layout } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import type { PlotlyTrace } from "../../charts/plotly/library.d";
import type { Look, LookPlace } from "../../model/look";
import { mapBounds, placementOf } from "../../model/plane/placement";
import type { DrawnTrail } from "../../model/plane/trail";
import type { MapRect } from "../../model/plane/viewport";
import type { MapCamera } from "../interaction/camera";
import { trailTraces } from "../overlay/trails";
import { dimOthers } from "../palette";
import type { DensityGrid } from "../regions/density";
import { districtBounds } from "../regions/district-bounds";
import { boundsAround, neighbourhoodBounds } from "../regions/neighbourhood-bounds";
import { Regions } from "../regions/regions";
import type { PointRenderer } from "../webgl/renderer";
import { LayoutAnchor, transformTrail } from "./anchored-layout";
import type { Light } from "../../model/light";
import { DisplayedMap, litRowsOf } from "./displayed-map";
import { NO_CONTENT, type SceneContent } from "./map-content";
import { SceneClock } from "./scene-clock";

/** The part of a renderer that takes content. */
export type ContentRenderer = Pick<
  PointRenderer,
  "setTokens" | "setTints" | "setPlacement" | "setLand" | "moveLand" | "setLit"
>;

/** Handlers of changes that come later than the content they belong to. */
interface ContentEvents {
  /** Handle land and labels that have arrived. */
  landChanged(): void;
  /** Handle the view that the camera goes to because another part of the map is looked at; null: the whole map. */
  lookFollowed(view: MapRect | null): void;
  /** Handle traces that Plotly is to draw. */
  tracesChanged(traces: PlotlyTrace[]): void;
}

const NONE: readonly number[] = [];

/** The shown content of one scene. */
export class ShownContent {
  readonly displayed = new DisplayedMap();
  readonly clock = new SceneClock(matchMedia("(prefers-reduced-motion: reduce)").matches);
  readonly regions = new Regions((land, first) => this.applyLand(land, first));
  /** The layout on the map, rotated if tokens are held still. */
  layout: Layout | null = null;
  /** The part of the map to look at; null: all of it. */
  private look: Look | null = null;
  /** The content as the page gave it. */
  current = NO_CONTENT;
  private readonly anchor = new LayoutAnchor();
  /** The tokens held still, and the layout and the trails rotated to that end. */
  private held = NONE;
  private turned: Layout | null = null;
  private trails: DrawnTrail[] = [];
  /** The trails that Plotly draws or is about to, and the timer until it does. */
  private drawnTrails: DrawnTrail[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly renderer: ContentRenderer,
    private readonly camera: MapCamera,
    private readonly events: ContentEvents,
  ) {}

  /** Show other content. Return whether labels have to be chosen anew. */
  update(next: SceneContent): boolean {
    const { current: last, displayed } = this;
    const { vocabulary, layout, tints, marks, beat, districts, look } = (this.current = next);
    this.clock.held = next.heldBrightness;
    this.camera.aligned = next.aligned;
    // Without a layout nobody knows where the lamps are, as with another vocabulary.
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
    this.setTrails();
    return marked || lit || redivided || looksElsewhere;
  }

  /** Take the place that the viewer has moved to for the look, and return it; null: the whole map. */
  adoptLook(): Look | null {
    const { layout, camera } = this;
    if (camera.atHome || !layout) this.look = null;
    else if (camera.userControlled) this.look = camera.placeWithin(placementOf(layout).box);
    return this.look;
  }

  /** Keep the place looked at in the middle of what nothing covers, now that something else is covered. */
  keepPlace() {
    if (!this.layout || !this.look || "district" in this.look || !this.camera.userControlled)
      return;
    this.followLook(false);
    this.events.lookFollowed(this.camera.destination);
  }

  /** Return the place to look at for a token and its neighbours in the space, the nearest first. */
  placeAround(token: number, neighbours: readonly number[]): LookPlace {
    const { to } = this.displayed;
    return this.camera.placeAround(neighbourhoodBounds(token, neighbours, to), to.box);
  }

  /** Return the place to look at for some tokens, all of them in view. */
  placeAroundAll(tokens: readonly number[]): LookPlace {
    const { to } = this.displayed;
    return this.camera.placeAround(boundsAround(tokens, to), to.box);
  }

  stop() {
    this.regions.stop();
    clearTimeout(this.timer);
  }

  /** Switch to another vocabulary, which clears the map. */
  private setVocabulary(vocabulary: Vocabulary | null) {
    this.layout = null;
    this.displayed.reset(vocabulary);
    this.clock.reset();
    this.regions.setVocabulary(vocabulary);
    this.camera.letGo();
    this.renderer.setTokens(this.displayed.tints);
  }

  /** Rotate the content's layout, and its trails, if tokens are to hold still. */
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

  /** Set the lamps' colours, those of all tokens but the selected ones dimmed. */
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
    // The other map has other units, so the viewer's place on this one means nothing there.
    if (other) camera.letGo();
    camera.followBounds(mapBounds(next), atOnce || other, now);
    if (this.look && (other || "district" in this.look)) this.followLook(atOnce || other);
    const rebased = other && !atOnce;
    if (rebased) {
      displayed.rebase(view, camera.view);
      this.renderer.moveLand(view, camera.view);
    }
    // A glide that interrupts another begins at a placement that the renderer has not seen yet.
    const unseen = rebased || (!atOnce && mixing < 1);
    this.renderer.setPlacement(next, unseen ? displayed.from : undefined);
    clock.startLamps(now, atOnce);
    // Labels are chosen again when the layout's analysis arrives.
    this.regions.analyse(next);
  }

  private setDistricts(districts: Districts | null) {
    this.regions.setDistricts(districts);
    this.displayed.districts = this.regions.districts;
    if (this.layout && this.look && "district" in this.look)
      this.followLook(this.current.scrubbing);
  }

  /** Move the camera to the part of the map to look at; jump there if `atOnce`. */
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

  /** Set Plotly's trails, which take long to draw, if they changed, once their lamps rest. */
  private setTrails() {
    if (this.trails === this.drawnTrails) return;
    this.drawnTrails = this.trails;
    // Wait for this glide, but not for later ones.
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.events.tracesChanged(trailTraces(this.drawnTrails));
    }, this.clock.remainingGlideMs(performance.now()));
  }
}
