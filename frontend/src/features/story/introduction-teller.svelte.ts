/** The introduction on this page: it follows the open run, points the camera, and remembers when it is over. */

import type { Districts } from "../../api/frames";
import { districtToTell, placeOfDistrict } from "./district-to-tell";
import {
  advanceIntroduction,
  beginIntroduction,
  endIntroduction,
  MIN_READING_TIME,
  putLineAway,
  tellReplay,
  type Introduction,
  type IntroductionFacts,
  type NamedDistrict,
} from "./introduction";
import type { Look } from "../../model/look";
import { hasEnded } from "../../model/phase";
import { lieToTell } from "../../model/words/lie-to-tell";
import { wordsToTry } from "../../model/words/words-to-try";
import type { Stores } from "../../state/context";
import type { LiveRun } from "../../state/run/live-run.svelte";

/** Time for which the camera stays on a district, including its way there, in ms. */
const CAMERA_TIME = 3_000;
/** Maximum wait for step 0, in ms. */
const MAX_ARRIVAL = 5_000;
/** Minimum age of a district before it is pointed out, in ms: many disappear soon after they form. */
const LASTING_TIME = 3_000;
/** Speed of the introduction's replay, in steps per second. */
const SPEED = 25;

type TellerStores = Pick<
  Stores,
  "openRun" | "focus" | "viewSettings" | "viewpoint" | "preferences" | "server"
>;

export class IntroductionTeller {
  private introduction = $state.raw<Introduction>(beginIntroduction(0));
  /** The displayed line; null: none. */
  readonly line = $derived.by(() => this.introduction.line);

  private run: LiveRun | null = null;
  /** The token in focus at the start, which does not count as found. */
  private firstToken: number | null = null;
  private words: readonly number[] = [];
  /** The district to point out, and the districts that it was chosen from. */
  private district: NamedDistrict | null = null;
  private chosenAmong: { readonly districts: Districts | null; readonly lasting: number } = {
    districts: null,
    lasting: 0,
  };
  /** The clock time at which each district first appeared, by id. */
  private seenAt: ReadonlyMap<number, number> = new Map();
  /** Time for which the page was visible, and when it was last updated, in ms. */
  private clock = 0;
  private reckonedAt: number | null = null;
  /** Deadline for step 0, where a replay is to begin; null: none is awaited. */
  private arriveBy: number | null = null;
  /** The clock time at which the replay continues from step 0; null: no replay is waiting. */
  private playAt: number | null = null;
  /** The look that the camera was set to, and until when. */
  private pointed: { look: Look; until: number } | null = null;

  constructor(private readonly stores: TellerStores) {}

  /** Show the line that is due at `now` (ms). The clock stops while the page is hidden or covered. */
  tick(now: number, visible: boolean) {
    const { openRun, viewSettings, focus } = this.stores;
    const reads = visible && !viewSettings.shortcutsOpen;
    if (reads && this.reckonedAt !== null) this.clock += now - this.reckonedAt;
    this.reckonedAt = now;
    const { run } = openRun;
    if (run !== this.run) {
      this.run = run;
      this.firstToken = focus.token;
      this.words = [];
      this.playAt = this.arriveBy = null;
      this.seenAt = new Map();
      this.introduction = beginIntroduction(this.clock);
    }
    if (!run || !reads) return;
    if (this.isArriving(run)) return;
    if (!this.words.length && run.vocabulary) this.words = wordsToTry(run.vocabulary);
    this.follow(advanceIntroduction(this.introduction, this.factsOf(run), this.clock));
    this.letGoOfCamera(false);
    this.playOn(run);
  }

  /** End the introduction. */
  skip() {
    this.follow(endIntroduction(this.introduction));
  }

  /** Put the displayed line away after it was read. */
  putLineAway() {
    this.follow(putLineAway(this.introduction));
  }

  /** Tell the introduction along a replay from step 0, which waits there until its line can be read. */
  watchFromStart() {
    this.introduction = tellReplay(this.clock);
    this.arriveBy = this.clock + MAX_ARRIVAL;
    this.run?.seek(0);
  }

  /** Restore the page. */
  close() {
    this.stores.viewpoint.pointedOut = null;
    this.letGoOfCamera(true);
  }

  private factsOf(run: LiveRun): IntroductionFacts {
    const { openRun, focus, server, viewSettings } = this.stores;
    const found = focus.token !== null && focus.token !== this.firstToken;
    const atRest = run.still || (hasEnded(run.status?.phase) && !run.paused && !run.replay);
    return {
      // A live run has read so far before its first step arrives.
      step: run.displayedStep ?? (run.paused || run.replay ? null : run.newestStep),
      mapStep: run.vocabulary ? (openRun.layout?.step ?? null) : null,
      held: run.status?.hold != null,
      lit: run.beat !== null,
      atRest,
      recorded: run.externallyTrained || run.info?.parent != null,
      district: this.districtOf(run, atRest),
      lie:
        server.presenter && run.speaks && run.vocabulary
          ? lieToTell(run.vocabulary, run.lines)
          : null,
      words: this.words,
      chosen: found || viewSettings.panel === "ask",
    };
  }

  private districtOf({ districts, vocabulary }: LiveRun, atRest: boolean): NamedDistrict | null {
    const { clock, chosenAmong } = this;
    if (districts !== chosenAmong.districts) {
      const before = this.seenAt;
      this.seenAt = new Map([...(districts?.ids ?? [])].map((id) => [id, before.get(id) ?? clock]));
    }
    const hasLasted = (id: number) =>
      atRest || clock - (this.seenAt.get(id) ?? clock) >= LASTING_TIME;
    const lasting = [...this.seenAt.keys()].filter(hasLasted).length;
    // Layouts move districts only a little; names and sizes change only with the districts.
    if (districts !== chosenAmong.districts || lasting !== chosenAmong.lasting) {
      this.chosenAmong = { districts, lasting };
      const classes = vocabulary?.classes ?? [];
      this.district = districtToTell(districts, this.stores.openRun.layout, classes, hasLasted);
    }
    return this.district;
  }

  private follow(next: Introduction) {
    const { line } = this.introduction;
    if (next === this.introduction) return;
    this.introduction = next;
    if (next.line !== line) {
      this.letGoOfCamera(true);
      const district = next.line?.name === "district" ? next.line.district : null;
      this.stores.viewpoint.pointedOut = district?.id ?? null;
      if (district) this.pointCamera(district);
    }
    if (next.over) this.stores.preferences.set("introduced", true);
  }

  private pointCamera(district: NamedDistrict) {
    const { openRun, viewpoint, viewSettings } = this.stores;
    // The camera stays where this viewer has moved it.
    if (viewpoint.look || viewSettings.secondMap) return;
    const look = placeOfDistrict(district, openRun.run?.districts ?? null, openRun.layout);
    if (!look) return;
    this.pointed = { look, until: this.clock + CAMERA_TIME };
    viewpoint.look = look;
  }

  private letGoOfCamera(atOnce: boolean) {
    const { pointed } = this;
    if (!pointed || (!atOnce && this.clock < pointed.until)) return;
    this.pointed = null;
    if (this.stores.viewpoint.look === pointed.look) this.stores.viewpoint.look = null;
  }

  /** Return whether step 0, where a replay is to begin, has not arrived yet. */
  private isArriving({ displayedStep }: LiveRun): boolean {
    if (this.arriveBy === null) return false;
    if (displayedStep !== 0 && this.clock < this.arriveBy) return true;
    this.arriveBy = null;
    this.introduction = tellReplay(this.clock);
    this.playAt = this.clock + MIN_READING_TIME + 1_000;
    return false;
  }

  private playOn(run: LiveRun) {
    if (this.playAt === null || this.clock < this.playAt) return;
    this.playAt = null;
    // Unless this viewer has gone elsewhere.
    if (run.cursor?.requested === 0) run.play(0, SPEED);
  }
}
