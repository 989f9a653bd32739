/** The class beside the course: what the presenter's stage asks it, what a viewer answers, and what all have said. */

import type {
  Answer,
  Body,
  ClassQuestion,
  LessonAnswers,
  LessonPart,
  LessonPrediction,
} from "../../api/rest-types";
import { deskOf } from "../classroom/class-desk.svelte";
import { jsonQuestion, Query } from "../../state/query/query.svelte";
import type { LiveRun } from "../../state/run/live-run.svelte";
import type { ServerSession } from "../../state/run/server-session.svelte";
import type { Following } from "../../state/view/following.svelte";
import { formatPlace, type LessonPlace } from "../../model/lesson-place";
import { measuredOf } from "./stages";

/** Time after which an answer that the server has not confirmed is sent again, in ms. */
const PATIENCE = 4_000;
/** Longest wait of a viewer before the answers are fetched, in ms: not all of a class at once. */
const SPREAD = 1_000;
const NOWHERE = "0";

export class ClassLesson {
  private readonly all = new Query<Answer<"GET /api/class/lessons">>();
  /** A viewer's guess that the server shall have; without a value it is being changed. */
  private held = $state.raw<{ place: string; value: number | null } | null>(null);
  private sent = { what: "", at: -Infinity };
  /** The presenter's place, and with what was measured of it; and that which the server was told last. */
  private place!: Body<"POST /api/class/lesson">;
  private news = NOWHERE;
  private told = NOWHERE;
  private reporting = false;

  constructor(
    private readonly server: ServerSession,
    private readonly run: LiveRun,
    private readonly following: Following,
  ) {}

  get desk() {
    return deskOf(this.server);
  }

  get presenter(): boolean {
    return this.server.presenter;
  }

  /** Return what the class predicted on this run and was shown, in the order of the course. */
  get answers(): readonly LessonAnswers[] {
    return (this.all.value?.items ?? []).filter(({ question }) => question.run === this.run.id);
  }

  /** Return how many people are in the class; only its presenter knows. */
  get connected(): number {
    return this.server.presenter ? (this.desk.value?.connected ?? 0) : 0;
  }

  /** Return the question that the class is asked at a place; null: none. */
  questionAt({ part, stage }: LessonPlace): ClassQuestion | null {
    const { presenter, classMessage } = this.server;
    const question = (presenter ? this.desk.value?.question : classMessage?.question) ?? null;
    const here =
      question?.run === this.run.id && question.part === part && question.stage === stage;
    return here ? question : null;
  }

  /** Take a guess for the class. Returns whether one stays at the stage, since the whole class goes on together. */
  take(place: LessonPlace, value: number): boolean {
    if (this.presenter) return this.desk.leads && this.connected > 0;
    const { classMessage } = this.server;
    const follows = (classMessage?.view ?? null) !== null && !this.following.strays;
    const stays = follows || this.questionAt(place)?.state === "open";
    if (stays) this.held = { place: formatPlace(place), value };
    return stays;
  }

  /** Let a viewer choose again, while the class is asked. */
  retake(place: LessonPlace) {
    this.held = { place: formatPlace(place), value: null };
  }

  /** Return the guesses of a part: while the class is asked, a viewer's is the one that the server has. */
  given(
    place: LessonPlace,
    prediction: LessonPrediction | null,
    kept: Readonly<Record<number, number>>,
  ): Readonly<Record<number, number>> {
    if (!prediction || this.server.presenter || this.questionAt(place)?.state !== "open")
      return kept;
    const known = this.heldAt(place);
    const own = known ? known.value : this.ownValue(prediction);
    const others = Object.entries(kept).filter(([stage]) => Number(stage) !== place.stage);
    return Object.fromEntries(own === null ? others : [...others, [place.stage, own]]);
  }

  /** Return whether the server has this viewer's guess at a place. */
  hasArrived(place: LessonPlace, prediction: LessonPrediction): boolean {
    const own = this.ownValue(prediction);
    return own !== null && own === (this.heldAt(place)?.value ?? own);
  }

  /** Send the guess that is held, if the class is asked here and the server has another, or none. */
  send(place: LessonPlace, prediction: LessonPrediction) {
    const value = this.heldAt(place)?.value ?? null;
    const question = this.questionAt(place);
    if (value === null || question?.state !== "open" || this.hasArrived(place, prediction)) return;
    const answer = answerOf(prediction, value);
    const what = `${question.id} ${answer}`;
    const now = performance.now();
    if (what === this.sent.what && now - this.sent.at < PATIENCE) return;
    if (this.run.predict({ question: question.id, answer })) this.sent = { what, at: now };
  }

  /** Fetch what the class answered, whenever there is news of it. */
  refresh() {
    const { presenter, classMessage } = this.server;
    const news = presenter ? this.desk.value?.lessons : classMessage?.lessons;
    if (news === undefined) return;
    const delay = presenter ? 0 : SPREAD * Math.random();
    this.all.ask(jsonQuestion("/api/class/lessons", "class", news), delay);
  }

  /** Report where the presenter is; null: at no stage. What is measured meanwhile is news too. */
  async comeTo(place: LessonPlace | null, part: LessonPart | null) {
    const { desk } = this;
    // Another window of the presenter's may lead.
    if (!this.server.presenter || (!desk.leads && (desk.value?.following ?? true))) return;
    const to = desk.leads ? place : null;
    const measured = (part?.stages ?? []).map(
      ({ prediction }) => part && prediction && measuredOf(prediction, part.numbers),
    );
    this.place = {
      run: this.run.id,
      part: 0,
      stage: 1,
      ...to,
      lang: document.documentElement.lang,
    };
    this.news = to ? JSON.stringify([to, measured]) : NOWHERE;
    // One report at a time: a later one must not come to the server before an earlier one.
    if (this.reporting) return;
    this.reporting = true;
    while (this.news !== this.told) {
      const { news } = this;
      await desk.comeToStage(this.place);
      // The next look at the class tries again.
      if (desk.problem) break;
      this.told = news;
    }
    this.reporting = false;
  }

  /** Leave the course. */
  close() {
    void this.comeTo(null, null);
    this.all.close();
  }

  private heldAt(place: LessonPlace) {
    return this.held?.place === formatPlace(place) ? this.held : null;
  }

  /** Return the guess that the server has of this viewer, as the course has it. */
  private ownValue({ choices }: LessonPrediction): number | null {
    const answer = this.server.classMessage?.answer ?? null;
    return answer === null || !choices.length ? answer : (choices[answer]?.value ?? null);
  }
}

/** Return a guess as the class answers it: of choices, its place among them. */
export function answerOf({ choices }: LessonPrediction, value: number): number {
  return choices.length ? choices.findIndex((choice) => choice.value === value) : value;
}
