import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type {
  ClassMessage,
  ClassQuestion,
  LessonAnswers,
  LessonPrediction,
  PredictionMessage,
} from "../../api/rest-types";
import type { LiveRun } from "../../state/run/live-run.svelte";
import type { ServerSession } from "../../state/run/server-session.svelte";
import type { Following } from "../../state/view/following.svelte";
import { deskOf } from "../classroom/class-desk.svelte";
import { classDots } from "./prediction/class-dots";
import { ClassLesson } from "./class-lesson.svelte";

const HERE = { part: 1, stage: 2 };
const LINE: LessonPrediction = {
  ...{ text: "", number: "a@0", form: "count", least: 0, most: 10, unit: "", choices: [] },
};
const CHOICE: LessonPrediction = {
  ...LINE,
  choices: [
    { value: 0, text: "none" },
    { value: 7, text: "most" },
  ],
};
const question = (fields: Partial<ClassQuestion> = {}): ClassQuestion => ({
  ...{ id: 5, about: "lesson", text: "", unit: "", choices: [], low: 0, high: 10, run: "town" },
  ...{
    from_step: 0,
    at_step: 0,
    part: 1,
    stage: 2,
    state: "open",
    answered: 0,
    outcome: null,
    when: null,
  },
  ...fields,
});

let message: ClassMessage;
let sent: PredictionMessage[];
let arrives: boolean;
let strays: boolean;

function viewer() {
  const server = {
    presenter: false,
    get classMessage() {
      return message;
    },
  } as unknown as ServerSession;
  const run = {
    id: "town",
    predict(prediction: PredictionMessage) {
      sent.push(prediction);
      return arrives;
    },
  } as unknown as LiveRun;
  const following = {
    get strays() {
      return strays;
    },
  } as unknown as Following;
  return new ClassLesson(server, run, following);
}

beforeEach(() => {
  vi.useFakeTimers();
  message = {
    ...{ type: "class", role: "viewer", text: true, view: "run=town", question: question() },
    ...{ answer: null, pointed: null, newest_run: null, written: null, lessons: 0 },
  };
  [sent, arrives, strays] = [[], true, false];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a viewer's guess in the course", () => {
  it("is sent to the class once, and again if it was not confirmed", () => {
    const lesson = viewer();
    expect(lesson.take(HERE, 4)).toBe(true);
    arrives = false;
    lesson.send(HERE, LINE);
    [sent, arrives] = [[], true];
    lesson.send(HERE, LINE);
    lesson.send(HERE, LINE);
    expect(sent).toEqual([{ question: 5, answer: 4 }]);
    expect(lesson.hasArrived(HERE, LINE)).toBe(false);
    vi.advanceTimersByTime(5_000);
    lesson.send(HERE, LINE);
    expect(sent).toHaveLength(2);
    message = { ...message, answer: 4 };
    expect(lesson.hasArrived(HERE, LINE)).toBe(true);
    vi.advanceTimersByTime(5_000);
    lesson.send(HERE, LINE);
    expect(sent).toHaveLength(2);
  });

  it("waits for a question that comes a moment later, and is the index of a choice", () => {
    message = { ...message, question: null };
    const lesson = viewer();
    expect(lesson.take(HERE, 7)).toBe(true);
    lesson.send(HERE, CHOICE);
    expect(sent).toEqual([]);
    message = { ...message, question: question({ choices: ["none", "most"], high: 1 }) };
    lesson.send(HERE, CHOICE);
    expect(sent).toEqual([{ question: 5, answer: 1 }]);
    message = { ...message, answer: 1 };
    expect(lesson.given(HERE, CHOICE, {})).toEqual({ 2: 7 });
  });

  it("is not sent at another place, on another run, or after the question has closed", () => {
    for (const other of [
      { stage: 3 },
      { part: null },
      { run: "other" },
      { state: "closed" } as const,
    ]) {
      message = { ...message, question: question(other) };
      const lesson = viewer();
      lesson.take(HERE, 4);
      lesson.send(HERE, LINE);
      expect(sent).toEqual([]);
    }
  });

  it("is the one on the server while the class is asked, and can be changed", () => {
    const lesson = viewer();
    expect(lesson.given(HERE, LINE, { 2: 9, 3: 1 })).toEqual({ 3: 1 });
    lesson.take(HERE, 4);
    expect(lesson.given(HERE, LINE, { 2: 9 })).toEqual({ 2: 4 });
    message = { ...message, answer: 4 };
    lesson.retake(HERE);
    expect(lesson.given(HERE, LINE, { 2: 4 })).toEqual({});
    lesson.take(HERE, 6);
    lesson.send(HERE, LINE);
    expect(sent.at(-1)).toEqual({ question: 5, answer: 6 });
    message = { ...message, question: question({ state: "closed" }) };
    expect(lesson.given(HERE, LINE, { 2: 6 })).toEqual({ 2: 6 });
  });

  it("does not hold a viewer who looks around alone, and is not sent when the class is asked later", () => {
    strays = true;
    message = { ...message, question: null };
    const lesson = viewer();
    expect(lesson.take(HERE, 4)).toBe(false);
    message = { ...message, question: question() };
    lesson.send(HERE, LINE);
    expect(sent).toEqual([]);
  });
});

describe("the presenter's place in the course", () => {
  it("is reported once while it leads, again when more is measured, and at the end as left", async () => {
    const told: unknown[] = [];
    vi.stubGlobal("document", { documentElement: { lang: "de" } });
    vi.stubGlobal("fetch", (path: string, { body }: RequestInit = {}) => {
      if (path === "/api/class/lesson") told.push(JSON.parse(body as string));
      return Promise.resolve(new Response(null, { status: 204 }));
    });
    const server = { presenter: true } as unknown as ServerSession;
    const desk = deskOf(server);
    const lesson = new ClassLesson(
      server,
      { id: "town" } as unknown as LiveRun,
      {} as unknown as Following,
    );
    const part = (value: number | null) =>
      ({
        stages: [{ prediction: LINE }],
        numbers: { "a@0": { value, step: 0, waits_for: null } },
      }) as unknown as Parameters<typeof lesson.comeTo>[1];
    await lesson.comeTo(HERE, part(null));
    expect(told).toEqual([]);
    desk.leadsHere = true;
    desk.value = { following: true } as typeof desk.value;
    for (const value of [null, null, 3, 3]) await lesson.comeTo(HERE, part(value));
    const here = { run: "town", ...HERE, lang: "de" };
    expect(told).toEqual([here, here]);
    lesson.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(told.at(-1)).toEqual({ run: "town", part: 0, stage: 1, lang: "de" });
    desk.close();
  });
});

describe("the picture of a class", () => {
  it("has a dot for the guesses and the measured value, within the line", () => {
    const answers = (fields: Partial<LessonAnswers>): LessonAnswers => ({
      ...{ question: question(), least: 0, most: 10, measured: 5, quartiles: [2, 4, 6] },
      ...fields,
    });
    const outcome = (value: number | null) => ({
      question: { ...question(), outcome: { value, step: 0, counts: [], edges: [], median: null } },
    });
    expect(
      classDots([
        answers(outcome(50)),
        answers(outcome(null)),
        answers({ ...outcome(5), quartiles: null }),
      ]),
    ).toEqual([{ part: 1, stage: 2, guessed: [0.2, 0.4, 0.6], measured: 1 }]);
  });
});
