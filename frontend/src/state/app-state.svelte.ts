/**
 * The state of the whole page: it creates the stores and the commands, and holds their combined view. The
 * address follows the view, and `go` applies any part of it.
 */

import { untrack } from "svelte";
import type { Vocabulary } from "../api/vocabulary";
import type { ShortcutName } from "../model/shortcuts";
import { referencesTo, referenceTo, type TokenReference } from "../model/token-reference";
import {
  DEFAULT_VIEW,
  formatViewState,
  NOTHING_OF_A_RUN,
  parseViewState,
  type ViewChange,
  type ViewState,
} from "../model/view/view-state";
import { createCommands, type Commands, type PageParts } from "./commands";
import type { Stores } from "./context";
import type { FrameClock } from "./frame-clock";
import { OpenRun } from "./run/open-run.svelte";
import { ServerSession } from "./run/server-session.svelte";
import type { TimePosition } from "./run/shown-run.svelte";
import { LIVE } from "./run/time-control.svelte";
import { BiggestMovers, type MoversRequest } from "./tokens/biggest-movers.svelte";
import { TokenFocus } from "./tokens/token-focus.svelte";
import { TokenSelection } from "./tokens/token-selection.svelte";
import { ADDRESS_BAR, ViewHistory, type AddressBar, type HistoryMode } from "./view/view-history";
import { Following } from "./view/following.svelte";
import { Preferences } from "./view/preferences.svelte";
import { ViewSettings } from "./view/view-settings.svelte";
import { Viewpoint } from "./view/viewpoint.svelte";

export class AppState implements Stores {
  readonly server = new ServerSession(() => {
    this.openDefaultRun();
    this.openRun.run?.connectOnce();
    const found = this.server.runs?.find(({ id }) => id === this.openRun.run?.id);
    if (found) this.openRun.run?.noteName(found.name);
  });
  readonly preferences = new Preferences();
  readonly viewSettings = new ViewSettings();
  readonly viewpoint = new Viewpoint();
  readonly focus = new TokenFocus();
  readonly selection = new TokenSelection();
  readonly following = new Following(() => this.viewState);
  readonly openRun: OpenRun;
  /** How far each row has moved; requested only while the map shows it. */
  readonly biggestMovers: BiggestMovers;
  readonly commands: Commands;

  /** Set from a change of the zoomed map until the other map is there. */
  private seeksOnNextMap = false;
  /** Position in time at which the next run opens; unused while one is open. */
  private position = $state.raw<TimePosition>(LIVE);

  /** The whole view. */
  readonly viewState: ViewState = $derived.by(() => {
    const { run } = this.openRun;
    const view: ViewState = {
      ...DEFAULT_VIEW,
      ...this.viewSettings.toViewState(this.focus.reference !== null),
      ...this.viewpoint.toViewState(),
      ...this.focus.toViewState(),
      ...this.selection.toViewState(),
      ...(run?.timePosition ?? this.position),
      run: run?.id ?? null,
    };
    return run?.vocabulary ? nameTokens(view, run.vocabulary) : view;
  });
  private readonly query = $derived(formatViewState(this.viewState));
  private readonly history: ViewHistory;

  /** Start with the view in the address. `page` holds the parts that commands act on. */
  constructor(
    readonly frameClock: FrameClock,
    page: PageParts,
    bar: AddressBar = ADDRESS_BAR,
  ) {
    this.openRun = new OpenRun(this.viewSettings, frameClock, this.server);
    this.history = new ViewHistory(
      () => untrack(() => (this.openRun.run ? this.query : null)),
      bar,
      this.following.leave,
    );
    this.commands = createCommands({
      ...this.stores,
      history: this.history,
      page,
      apply: (change) => this.apply(change),
      leaveRun: () => this.leaveRun(),
    });
    this.go(parseViewState(bar.query), { history: "none" });
    addEventListener("popstate", () => {
      this.history.entered();
      this.go(parseViewState(bar.query), { history: "none" });
    });
    this.biggestMovers = this.startEffects();
    void this.server.poll();
  }

  /** Apply a view or a part of it, at any time; a missing field stays as it is. */
  go(change: ViewChange, { history = "push" }: { history?: HistoryMode } = {}) {
    this.history.record(() => this.apply(change), history);
  }

  /** Run the command of a shortcut and return its result. `held`: the key is held down. */
  press(shortcut: ShortcutName, held: boolean): unknown {
    return this.history.record(() => {
      if (held) this.history.goOn();
      return this.commands[shortcut]();
    });
  }

  private get stores() {
    const { server, openRun, viewSettings, viewpoint, focus, selection, preferences, following } =
      this;
    return { server, openRun, viewSettings, viewpoint, focus, selection, preferences, following };
  }

  private apply(change: ViewChange) {
    untrack(() => {
      const { openRun, focus, selection } = this;
      const id = change.run ?? openRun.run?.id ?? null;
      const another = id !== null && id !== openRun.run?.id;
      if (another && openRun.run) change = { ...NOTHING_OF_A_RUN, ...change };
      const { method } = this.viewSettings;
      const zoomed = this.viewpoint.look !== null;
      this.viewSettings.applyView(change);
      selection.applyView(change);
      this.applyTime(another ? id : null, change);
      focus.applyView(change);
      this.viewpoint.applyView(change);
      this.resolvePending();
      // A token chosen while the viewer looks elsewhere is brought into view.
      if (change.token !== undefined && change.look === undefined)
        this.viewpoint.sought = focus.token === null ? null : { token: focus.token, near: false };
      // A place on one map means nothing on another, where the camera looks for the word.
      if (this.viewSettings.method !== method && change.look === undefined && zoomed) {
        this.viewpoint.applyView({ look: null });
        this.seeksOnNextMap = true;
      }
      if (change.look == null && this.viewSettings.choosesDirection(change))
        this.viewpoint.sought = "direction";
    });
  }

  /** Go to a position in time: of the run `id`, which is opened there, or of the open run if null. */
  private applyTime(id: string | null, change: ViewChange) {
    const { from, speed, at, beat, set } = change;
    const given = Object.entries({ from, speed, at, beat, set }).filter(
      ([, value]) => value !== undefined,
    );
    const position = Object.fromEntries(given) as Partial<TimePosition>;
    if (id !== null) {
      const run = this.openRun.openAt(id, { ...this.position, ...position });
      this.position = LIVE;
      this.focus.switchRun(run);
      this.selection.switchRun();
    } else if (!this.openRun.run) this.position = { ...this.position, ...position };
    else if (given.length) this.openRun.run.goTo(position);
  }

  /** Resolve tokens and districts that were named before they were known. */
  private resolvePending() {
    const { vocabulary = null, districts = null } = this.openRun.run ?? {};
    if (!vocabulary) return;
    this.focus.resolvePending();
    this.viewSettings.details.resolvePending(vocabulary);
    this.selection.resolvePending(vocabulary, districts);
  }

  /** Open a run if the address names none, with the rest of its view. */
  private openDefaultRun() {
    const run = this.openRun.run ? null : this.server.defaultRun;
    if (run) this.go({ ...this.viewState, run: run.id }, { history: "replace" });
  }

  private leaveRun() {
    this.openRun.close();
    this.focus.switchRun(null);
    this.apply(NOTHING_OF_A_RUN);
  }

  private startEffects(): BiggestMovers {
    const { openRun, viewSettings, focus } = this;
    let biggestMovers!: BiggestMovers;
    $effect.root(() => {
      biggestMovers = new BiggestMovers(
        () => this.moversRequest(),
        () => openRun.shownStep,
      );
      $effect(() => openRun.run?.setMethod(viewSettings.method));
      $effect(() => void openRun.run?.nameDistricts(viewSettings.ownNames));
      $effect(() => {
        if (openRun.layout?.method !== viewSettings.method || !this.seeksOnNextMap) return;
        this.seeksOnNextMap = false;
        const token = untrack(() => focus.token);
        if (token !== null) this.viewpoint.sought = { token, near: true };
      });
      $effect(() => {
        void this.query;
        this.history.follow();
      });
      $effect(() => {
        const { run } = openRun;
        if (run) untrack(() => this.server.dismissNewRun(run.id));
      });
      $effect(() => focus.setStep(openRun.run?.settledStep ?? null));
      $effect(() => {
        void [openRun.run?.vocabulary, openRun.run?.districts];
        untrack(() => this.resolvePending());
      });
    });
    return biggestMovers;
  }

  /** True once the run's current step is known. */
  private readonly stepKnown = $derived.by(() => this.openRun.run?.displayedStep != null);

  private moversRequest(): MoversRequest | null {
    const { run } = this.openRun;
    const { colourBy, trails, stepsBack } = this.viewSettings;
    if (!run?.vocabulary || !this.stepKnown || (colourBy !== "moved" && trails !== "movers"))
      return null;
    return { run: run.id, vocabulary: run.vocabulary.tokens.length, stepsBack };
  }
}

/** Name the tokens of a view by their texts where these are unique. */
function nameTokens(view: ViewState, vocabulary: Vocabulary): ViewState {
  const name = (token: TokenReference | null) =>
    typeof token === "number" ? referenceTo(token, vocabulary) : token;
  const ids = view.tokens?.filter((token) => typeof token === "number");
  const tokens =
    ids && ids.length === view.tokens?.length ? referencesTo(ids, vocabulary) : view.tokens;
  return { ...view, token: name(view.token), pair: name(view.pair), tokens };
}
