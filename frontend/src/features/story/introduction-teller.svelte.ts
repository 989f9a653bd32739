/** The introduction on this page: it follows the open run, points the camera at a district, and remembers that it is over. */

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
import { wordsToTry } from "../../model/words-to-try";
import type { Stores } from "../../state/context";
import type { LiveRun } from "../../state/run/live-run.svelte";

/** Time for which the camera rests on a district, with the way there, ms. */
const CAMERA_TIME = 3_000;
/** Longest wait for step 0, ms. */
const MAX_ARRIVAL = 5_000;
/** Time for which a district has been on the map before it is spoken of, ms: many go as soon as they came. */
const LASTING_TIME = 3_000;
/** Speed of the replay that the introduction tells along, in steps a second. */
const SPEED = 25;

type TellerStores = Pick<
  Stores,
  "openRun" | "focus" | "viewSettings" | "viewpoint" | "preferences"
>;

export class IntroductionTeller {
  private introduction = $state.raw<Introduction>(beginIntroduction(0));
  /** The line on the screen; null: none now. */
  readonly line = $derived.by(() => this.introduction.line);

  private run: LiveRun | null = null;
  /** The token that was in focus at the beginning, which nobody has just found. */
  private firstToken: number | null = null;
  private words: readonly number[] = [];
  /** The district to speak of, and the districts that it was chosen among. */
  private district: NamedDistrict | null = null;
  private chosenAmong: { readonly districts: Districts | null; readonly lasting: number } = {
    districts: null,
    lasting: 0,
  };
  /** When each of the districts was first on the map, by the clock. */
  private seenAt: ReadonlyMap<number, number> = new Map();
  /** Time for which the page was looked at, and when it was last reckoned, ms. */
  private clock = 0;
  private reckonedAt: number | null = null;
  /** Until when step 0 is waited for, which a replay is to begin at; null: it is not waited for. */
  private arriveBy: number | null = null;
  /** When the replay that stands at step 0 goes on, by the clock; null: no replay is to. */
  private playAt: number | null = null;
  /** The part of the map that the camera was pointed at, and until when. */
  private pointed: { look: Look; until: number } | null = null;

  constructor(private readonly stores: TellerStores) {}

  /** Show the line that is due at `now` (ms). The clock stands still while nobody can be reading. */
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

  /** Go on from the line on the screen, which has been read. */
  putLineAway() {
    this.follow(putLineAway(this.introduction));
  }

  /** Show the lines along a replay of the run, which stands at step 0 for as long as it takes to read about that. */
  watchFromStart() {
    this.introduction = tellReplay(this.clock);
    this.arriveBy = this.clock + MAX_ARRIVAL;
    this.run?.seek(0);
  }

  /** Leave the page as it was without the introduction. */
  close() {
    this.stores.viewpoint.pointedOut = null;
    this.letGoOfCamera(true);
  }

  private factsOf(run: LiveRun): IntroductionFacts {
    const { openRun, focus } = this.stores;
    const atRest = run.still || (hasEnded(run.status?.phase) && !run.paused && !run.replay);
    return {
      step: run.displayedStep,
      mapStep: run.vocabulary ? (openRun.layout?.step ?? null) : null,
      held: run.status?.hold != null,
      lit: run.beat !== null,
      atRest,
      recorded: run.externallyTrained,
      district: this.districtOf(run, atRest),
      words: this.words,
      chosen: focus.token !== null && focus.token !== this.firstToken,
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
    // Every layout moves them a little; their names and sizes change with the districts alone.
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
    // A part of the map that this viewer has gone to is theirs.
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

  /** Return whether step 0, at which a replay is to begin, is still on its way. */
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
    // Unless this viewer has gone elsewhere meanwhile.
    if (run.cursor?.requested === 0) run.play(0, SPEED);
  }
}
