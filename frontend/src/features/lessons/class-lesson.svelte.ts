/** The class in the course: the presenter's question, a viewer's answer, and all answers. */

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

/** Time in ms after which an unconfirmed answer is sent again. */
const CONFIRM_TIMEOUT = 4_000;
/** Maximum random delay in ms before a viewer fetches the answers, so that a class does not fetch all at once. */
const MAX_FETCH_DELAY = 1_000;
const NOWHERE = "0";

export class ClassLesson {
  private readonly all = new Query<Answer<"GET /api/class/lessons">>();
  /** A viewer's guess to be sent to the server; its value is null while it is being changed. */
  private held = $state.raw<{ place: string; value: number | null } | null>(null);
  private sent = { what: "", at: -Infinity };
  /** The presenter's place; the same with its measured values, as a key; and the key last reported. */
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

  /** Return the revealed predictions of the class on this run, in the order of the course. */
  get answers(): readonly LessonAnswers[] {
    return (this.all.value?.items ?? []).filter(({ question }) => question.run === this.run.id);
  }

  /** Return the number of people in the class, which only its presenter knows. */
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

  /** Take a guess for the class. Return whether to stay at the stage, because the whole class goes on together. */
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

  /** Return the guesses of a part; while the class is asked, a viewer's own is the one on the server. */
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

  /** Send the held guess, if the class is asked here and the server has a different one or none. */
  send(place: LessonPlace, prediction: LessonPrediction) {
    const value = this.heldAt(place)?.value ?? null;
    const question = this.questionAt(place);
    if (value === null || question?.state !== "open" || this.hasArrived(place, prediction)) return;
    const answer = answerOf(prediction, value);
    const what = `${question.id} ${answer}`;
    const now = performance.now();
    if (what === this.sent.what && now - this.sent.at < CONFIRM_TIMEOUT) return;
    if (this.run.predict({ question: question.id, answer })) this.sent = { what, at: now };
  }

  /** Fetch the class's answers when they have changed. */
  refresh() {
    const { presenter, classMessage } = this.server;
    const news = presenter ? this.desk.value?.lessons : classMessage?.lessons;
    if (news === undefined) return;
    const delay = presenter ? 0 : MAX_FETCH_DELAY * Math.random();
    this.all.ask(jsonQuestion("/api/class/lessons", "class", news), delay);
  }

  /** Report the presenter's place (null: none) and the values measured there, when either has changed. */
  async comeTo(place: LessonPlace | null, part: LessonPart | null) {
    const { desk } = this;
    // Another window of the presenter may lead.
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
    // One report at a time, so that they reach the server in order.
    if (this.reporting) return;
    this.reporting = true;
    while (this.news !== this.told) {
      const { news } = this;
      await desk.comeToStage(this.place);
      // The next poll of the class tries again.
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

  /** Return this viewer's guess on the server, as a value of the course. */
  private ownValue({ choices }: LessonPrediction): number | null {
    const answer = this.server.classMessage?.answer ?? null;
    return answer === null || !choices.length ? answer : (choices[answer]?.value ?? null);
  }
}

/** Return a guess as the class's answer: for choices, the index of the choice. */
export function answerOf({ choices }: LessonPrediction, value: number): number {
  return choices.length ? choices.findIndex((choice) => choice.value === value) : value;
}
