/**
 * The content that a scene shows. It receives the page's whole content, finds the changes, and passes each
 * one to the renderer, the regions or Plotly.
 */

import { prefersStillness } from "../../model/reduced-motion";
import type { Districts, Layout } from "../../api/frames";
import type { Vocabulary } from "../../api/vocabulary";
import type { PlotlyTrace } from "../../charts/plotly/library.d";
import type { Look, LookPlace } from "../../model/look";
import { mapBounds, placementOf } from "../../model/plane/placement";
import type { DrawnTrail } from "../../model/plane/trail";
import type { MapRect } from "../../model/plane/viewport";
import type { MapCamera } from "../interaction/camera";
import { haloShares } from "../easing";
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

/** Handlers of changes that come later than their content. */
interface ContentEvents {
  /** Handle new land and labels. */
  landChanged(): void;
  /** Handle the view that the camera moves to because the look changed; null: the whole map. */
  lookFollowed(view: MapRect | null): void;
  /** Handle the traces that Plotly has to draw. */
  tracesChanged(traces: PlotlyTrace[]): void;
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
  /** The trails that Plotly draws or is about to, and the timer until it does. */
  private drawnTrails: DrawnTrail[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

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
    this.setTrails();
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
    clearTimeout(this.timer);
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

  /** Set Plotly's trails if they changed, once the lamps rest: they take long to draw. */
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
