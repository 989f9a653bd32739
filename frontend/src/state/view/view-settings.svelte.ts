/**
 * The viewer's settings of the view: layout, colouring, panels. All except the list of shortcuts are part of
 * the view state.
 */

import type { LayoutMethod } from "../../api/frames";
import { AskSettings } from "./ask-settings.svelte";
import { DEFAULT_VIEW, type ViewChange } from "../../model/view/view-state";
import {
  hasSection,
  isCovering,
  isLabPanel,
  type ColourBy,
  type CoveringPanel,
  type LinkTarget,
  type PanelName,
  type SectionName,
  type TrailSet,
  GEOMETRY_VIEWS,
  type GeometryView,
  type RowOrder,
} from "../../model/view/view-options";
import type { SecondMapSource } from "../../model/view/second-map-options";
import type { Vocabulary } from "../../api/vocabulary";
import { tokenIdOf } from "../../model/token-reference";
import type { RowPlace, TextPlace } from "../../model/view/microscope-place";

class DetailSettings {
  /** Token that the focused one is compared with. */
  comparedToken = $state<number | null>(null);
  /** Step whose neighbours are compared with the current ones. */
  comparedStep = $state(0);
  /** Order of the matrix's rows. */
  rowOrder = $state<RowOrder>("district");
  /** Step whose matrix is subtracted from the one shown; null: none. */
  subtractedStep = $state<number | null>(null);

  /** The number and the word under the microscope; null: chosen by the examiner or the page. */
  followedNumber = $state.raw<RowPlace | null>(null);
  readWord = $state.raw<TextPlace | null>(null);

  /** Number of the open claim on the board; null: the first. */
  claim = $state<number | null>(null);

  /** Text of the compared token that is not in the vocabulary, or not resolved yet. */
  private unresolved = $state<string | null>(null);

  toViewState(): ViewChange {
    return {
      pair: this.unresolved ?? this.comparedToken,
      then: this.comparedStep || null,
      rows: this.rowOrder === "district" ? null : this.rowOrder,
      against: this.subtractedStep,
      row: this.followedNumber,
      micro: this.readWord,
      claim: this.claim,
    };
  }

  applyView({ pair, then, rows, against, row, micro, claim }: ViewChange) {
    if (pair !== undefined) {
      this.unresolved = typeof pair === "string" ? pair : null;
      this.comparedToken = typeof pair === "number" ? pair : null;
    }
    if (then !== undefined) this.comparedStep = then ?? 0;
    if (rows !== undefined) this.rowOrder = rows ?? "district";
    if (against !== undefined) this.subtractedStep = against;
    if (row !== undefined) this.followedNumber = row;
    if (micro !== undefined) this.readWord = micro;
    if (claim !== undefined) this.claim = claim;
  }

  /** Resolve the compared token of a link, once the tokens are known. */
  resolvePending(vocabulary: Vocabulary) {
    const id = this.unresolved === null ? null : tokenIdOf(this.unresolved, vocabulary);
    if (id !== null) this.applyView({ pair: id });
  }
}

class GeometrySettings {
  view = $state<GeometryView>(GEOMETRY_VIEWS[0]);
  /** Texts of the words, and of those at the other end of an axis; empty: examples. */
  of = $state("");
  to = $state("");
  /** Tokens at both ends of the direction on the map; null: none. Derived, so not part of the view state. */
  arrow = $state.raw<{ from: readonly number[]; to: readonly number[] } | null>(null);

  showArrow(arrow: GeometrySettings["arrow"]) {
    this.arrow = arrow;
  }

  toViewState(): ViewChange {
    return {
      lab: this.view === GEOMETRY_VIEWS[0] ? null : this.view,
      of: this.of || null,
      to: this.to || null,
    };
  }

  applyView({ lab, of, to }: ViewChange) {
    if (lab !== undefined) this.view = lab ?? GEOMETRY_VIEWS[0];
    if (of !== undefined) this.of = of ?? "";
    if (to !== undefined) this.to = to ?? "";
  }
}

/** Default of the steps back that distances and trails reach. */
const DEFAULT_STEPS_BACK = 100;
/** The view's part without a question. */
const NO_QUESTION = new AskSettings().toViewState();
/** Page width in pixels from which a panel has room beside the map. */
const WIDE_PAGE = 1_100;

export class ViewSettings {
  /** Method of the layout that the map shows. */
  method = $state<LayoutMethod>("umap");
  /** Source of the second map; null if there is none. */
  secondMap = $state<SecondMapSource | null>(null);
  /** Set when each of the two maps has its own zoom. */
  separateZoom = $state(false);
  colourBy = $state<ColourBy>("family");
  /** The open panel; null: none. */
  panel = $state<PanelName | null>(null);
  /** The highlighted section of the panel; null: none. */
  section = $state<SectionName | null>(null);
  /** Position in the course; null: it is closed. */
  lesson = $state<string | null>(null);
  /** The last open panel of the lab. */
  labPanel = $state<PanelName>("step");
  /** Step that a view wants under the microscope; null: none, or it is open already. */
  stepToOpen = $state<number | null>(null);
  /** The panel that was open before one that covers the window; null: none. */
  panelBefore: PanelName | null = null;
  readonly asked = new AskSettings();
  readonly geometry = new GeometrySettings();
  /** Set if tokens with doubtful positions are marked. */
  markDoubtful = $state(false);
  /** Set if districts are named after their own tokens, not after planted classes. */
  ownNames = $state(false);
  /** Id of the district in focus. */
  district = $state<number | null>(null);
  readonly details = new DetailSettings();
  trails = $state<TrailSet>("none");
  links = $state<LinkTarget>("space");
  /** Steps back that distances and trails reach; 0: to the start. */
  stepsBack = $state(DEFAULT_STEPS_BACK);
  /** Set while the legend is unfolded. */
  legendOpen = $state(false);
  /** Legend entry whose tokens are ringed. */
  ring = $state<string | null>(null);
  /** Set from the request for a recap of the whole run until its film has started. */
  wantsRecap = $state(false);
  /** Set while the list of shortcuts is open. */
  shortcutsOpen = $state(false);

  constructor() {
    this.applyView(DEFAULT_VIEW);
  }

  /** Return these settings' part of the view state. `focused`: whether a token is in focus. */
  toViewState(focused: boolean): ViewChange {
    const usual = usualPanel(focused, this.lesson !== null);
    return {
      map: this.method === "umap" ? null : this.method,
      beside: this.secondMap,
      apart: (this.secondMap && this.separateZoom) || null,
      colour: this.colourBy === "family" ? null : this.colourBy,
      panel: this.panel === usual ? null : this.panel,
      folded: this.panel === null && usual !== null ? true : null,
      doubt: this.markDoubtful || null,
      names: this.ownNames ? "own" : null,
      district: this.district,
      trails: this.trails === "none" ? null : this.trails,
      links: this.links === "space" ? null : this.links,
      over: this.stepsBack === DEFAULT_STEPS_BACK ? null : this.stepsBack,
      legend: this.legendOpen ? "open" : null,
      ring: this.ring,
      lesson: this.lesson,
      section: this.section && hasSection(this.panel, this.section) ? this.section : null,
      // A question and a number under the microscope belong to their panels, not to what is open after them.
      ...(this.panel === "ask" || this.panel === "experiments"
        ? this.asked.toViewState()
        : NO_QUESTION),
      ...this.geometry.toViewState(),
      ...this.details.toViewState(),
      ...(this.panel !== "microscope" && { row: null, micro: null }),
      // A claim is open only on the board.
      claim: this.panel === "claims" ? this.details.claim : null,
    };
  }

  applyView(change: ViewChange) {
    if (change.map !== undefined) this.method = change.map ?? "umap";
    if (change.beside !== undefined) this.secondMap = change.beside;
    if (change.apart !== undefined) this.separateZoom = change.apart !== null;
    if (change.colour !== undefined) this.colourBy = change.colour ?? "family";
    this.applyPanel(change);
    if (change.doubt !== undefined) this.markDoubtful = change.doubt !== null;
    if (change.names !== undefined) this.ownNames = change.names === "own";
    if (change.district !== undefined) this.district = change.district;
    // The path of a word goes with it.
    if (change.token === null && this.showsWay) change = { trails: null, over: null, ...change };
    if (change.trails !== undefined) this.trails = change.trails ?? "none";
    if (change.links !== undefined) this.links = change.links ?? "space";
    if (change.over !== undefined) this.stepsBack = change.over ?? DEFAULT_STEPS_BACK;
    if (change.legend !== undefined) this.legendOpen = change.legend === "open";
    if (change.ring !== undefined) this.ring = change.ring;
    if (change.lesson !== undefined) this.lesson = change.lesson;
    this.asked.applyView(change);
    this.geometry.applyView(change);
    this.details.applyView(change);
  }

  /** Open the panel that a view names, or the default one; none if it is folded. */
  private applyPanel({ panel, folded, token, at, ask, section, lesson = this.lesson }: ViewChange) {
    const before = this.panel;
    if (folded) this.panel = null;
    else if (panel) this.panel = panel;
    else if (panel === null) this.panel = usualPanel(token != null, lesson !== null);
    if (panel !== undefined) this.stepToOpen = this.panel === "microscope" ? (at ?? null) : null;
    if (this.panel && isLabPanel(this.panel)) this.labPanel = this.panel;
    if (section !== undefined) this.section = section;
    else if (this.panel !== before || ask !== undefined) this.section = null;
  }

  /** Return the panel at the side; null: none. */
  get sidePanel(): Exclude<PanelName, CoveringPanel> | null {
    return isCovering(this.panel) ? null : this.panel;
  }

  /** Return the panel that covers the window; null: none. */
  get coveringPanel(): CoveringPanel | null {
    return isCovering(this.panel) ? this.panel : null;
  }

  /** Return whether an applied change chose the direction on display, or the map it is shown on. */
  choosesDirection({ panel, lab, of, to, map }: ViewChange): boolean {
    if (this.panel !== "geometry" || this.geometry.view !== "axis") return false;
    return [panel, lab, of, to, map].some((part) => part !== undefined);
  }

  /** Return whether the path of the chosen token over the whole run is shown. */
  get showsWay(): boolean {
    return this.trails === "chosen" && this.stepsBack === 0;
  }
}

/**
 * Return the default panel of a view: a chosen token's. In the course, whose text needs the room of a small page,
 * only if there is room beside the map.
 */
function usualPanel(focused: boolean, taught: boolean): PanelName | null {
  return focused && (!taught || innerWidth >= WIDE_PAGE) ? "token" : null;
}
