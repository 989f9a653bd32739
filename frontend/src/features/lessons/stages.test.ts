import { afterEach, describe, expect, it, vi, test } from "vitest";
import type { LessonPrediction, LessonStage } from "../../api/rest-types";
import { formatPlace, parsePlace } from "../../model/lesson-place";
import { Predictions } from "./prediction/predictions.svelte";
import {
  comparisons,
  dotsOf,
  measuredOf,
  nearestChoice,
  placeOf,
  placeOnLine,
  questionToAsk,
  viewAt,
  heldView,
  lackingPanel,
  lackingStep,
} from "./stages";
import { parseViewState } from "../../model/view/view-state";

const stage = (fields: Partial<LessonStage> = {}): LessonStage => ({
  kind: "look",
  title: "",
  blocks: [],
  view: null,
  prediction: null,
  waits_for_step: null,
  examination: null,
  ...fields,
});
const prediction = (fields: Partial<LessonPrediction> = {}): LessonPrediction => ({
  text: "",
  number: "a@0",
  form: "decimal",
  least: 0,
  most: 1,
  unit: "",
  choices: [],
  ...fields,
});
const number = (value: number | null) => ({ value, step: 0, waits_for: null });

describe("the drawer of the course", () => {
  it("names its places as the address does", () => {
    expect(parsePlace("10.3")).toEqual({ part: 10, stage: 3 });
    expect(parsePlace("1")).toEqual({ part: 1, stage: 1 });
    expect(parsePlace("1.0")).toEqual({ part: 1, stage: 1 });
    for (const word of ["0", "1.3", "10.12"]) expect(formatPlace(parsePlace(word))).toBe(word);
  });

  it("shows the view of a stage, or of the nearest one before it", () => {
    const stages = [stage(), stage({ view: "?at=0" }), stage(), stage({ view: "?at=5" })];
    expect([1, 2, 3, 4, 9].map((at) => viewAt(stages, at))).toEqual([
      null,
      "?at=0",
      "?at=0",
      "?at=5",
      "?at=5",
    ]);
  });

  it("asks one question at a time, and only new ones whose step the run has reached", () => {
    const asked = (
      id: string,
      state: NonNullable<LessonStage["examination"]>["state"],
      waits: number | null = null,
    ) => stage({ examination: { id, question: {}, state, share: 0 }, waits_for_step: waits });
    const next = (...stages: LessonStage[]) => questionToAsk([stage(), ...stages])?.id ?? null;
    expect(next(asked("a", null), asked("b", null))).toBe("a");
    expect(next(asked("a", "done"), asked("b", null))).toBe("b");
    expect(next(asked("a", "running"), asked("b", null))).toBeNull();
    expect(next(asked("a", "failed"), asked("b", null))).toBe("b");
    expect(next(asked("a", "cancelled"))).toBeNull();
    expect(next(asked("a", null, 9), asked("b", null))).toBe("b");
    expect(next()).toBeNull();
  });

  it("compares predictions with measured values in the same form", () => {
    const numbers = { "a@0": number(0.25), "b@0": number(null) };
    expect(measuredOf(prediction({ form: "percent" }), numbers)).toBe(25);
    expect(measuredOf(prediction({ number: "b@0" }), numbers)).toBeNull();
    expect(measuredOf(prediction({ number: "c@0" }), numbers)).toBeNull();
    const stages = [
      stage({ prediction: prediction() }),
      stage(),
      stage({ prediction: prediction({ number: "b@0" }) }),
      stage({ prediction: prediction() }),
    ];
    const found = comparisons({ stages, numbers }, { 1: 0.5, 2: 7, 3: 1 }, 4);
    expect(found.map(({ stage, predicted, measured }) => [stage, predicted, measured])).toEqual([
      [1, 0.5, 0.25],
      [3, 1, null],
    ]);
    expect(comparisons({ stages, numbers }, { 1: 0.5, 3: 1 }, 2)).toHaveLength(1);
    expect(dotsOf(found)).toEqual({ 1: [0.5, 0.25] });
    // A prediction that was skipped here but asked of the class is compared too.
    const asked = comparisons({ stages, numbers }, { 3: 1 }, 4, [1, null]);
    expect(asked.map(({ stage, predicted }) => [stage, predicted])).toEqual([
      [1, null],
      [3, 1],
    ]);
    expect(dotsOf(asked)).toEqual({});
  });

  it("takes the nearest choice, and keeps a dot on the line", () => {
    const choices = [
      { value: 0, text: "none" },
      { value: 7, text: "most" },
    ];
    expect(nearestChoice(prediction({ choices }), 4)?.text).toBe("most");
    expect(nearestChoice(prediction(), 4)).toBeNull();
    expect([-5, 0.5, 99].map((value) => placeOnLine(prediction(), value))).toEqual([0, 0.5, 1]);
    const wide = prediction({ choices: [20, 300_000, 2e7].map((value) => ({ value, text: "" })) });
    expect([20, 244_357, 1e9].map((value) => placeOf(wide, value))).toEqual([0, 0.5, 1]);
  });
});

describe("predictions", () => {
  afterEach(() => vi.unstubAllGlobals());

  function keep(initial: string | null) {
    let kept = initial;
    vi.stubGlobal("localStorage", {
      getItem: () => kept,
      setItem: (_: string, value: string) => (kept = value),
    });
    return () => kept ?? "";
  }

  it("belong to their run and part, and can be forgotten", () => {
    keep(null);
    const one = new Predictions("run", 1);
    one.give(2, 0.5);
    expect(new Predictions("run", 1).given).toEqual({ 2: 0.5 });
    expect(new Predictions("run", 10).given).toEqual({});
    expect(new Predictions("other", 1).given).toEqual({});
    one.forget();
    expect(new Predictions("run", 1).given).toEqual({});
  });

  it("keep their dots, which the other parts on the run show", () => {
    const kept = keep(null);
    const one = new Predictions("run", 1);
    one.give(2, 0.5);
    one.keepDots({ 2: [0.5, 0.25] });
    const before = kept();
    one.keepDots({ 2: [0.5, 0.25] });
    expect(kept()).toBe(before);
    one.keepDots({ 3: [1, 0] });
    expect(new Predictions("run", 10).otherDots).toEqual([
      [0.5, 0.25],
      [1, 0],
    ]);
    expect(new Predictions("run", 1).otherDots).toEqual([]);
    expect(new Predictions("other", 10).otherDots).toEqual([]);
    one.forget();
    expect(new Predictions("run", 10).otherDots).toEqual([]);
    keep('[["run/1",{"2":3}],["run/2",{"2":3},{"2":["x",1]}],["run/3",{},{"2":[1]}]]');
    expect(new Predictions("run", 1).given, "as it was stored before there were dots").toEqual({
      2: 3,
    });
    expect(new Predictions("run", 10).otherDots).toEqual([]);
  });

  it("survive invalid storage, and are bounded", () => {
    for (const stored of ["{", "5", "null", '[["a"]]', '[["run/1",{"1":"x"}]]', '[[3,{"1":1}]]']) {
      keep(stored);
      expect(new Predictions("run", 1).given).toEqual({});
    }
    const kept = keep(null);
    for (let run = 0; run < 100; run += 1) new Predictions(`run${run}`, 1).give(1, 1);
    expect(JSON.parse(kept())).toHaveLength(60);
  });
});

const view = (panel: string) => parseViewState(`?word=dog&at=0&panel=${panel}`);

test("a server shows every panel", () => {
  for (const panel of ["cost", "geometry", "ask"])
    expect(lackingPanel(view(panel), null)).toBeNull();
  expect(heldView(view("cost"), null)).toEqual(view("cost"));
});

test("a file shows a view without the panel that it lacks", () => {
  const packed = { answers: true };
  for (const panel of ["cost", "geometry", "claims", "microscope", "step", "matrix", "map"]) {
    expect(lackingPanel(view(panel), packed)).toBe(panel);
    expect(heldView(view(panel), packed)).toEqual({ ...view(panel), panel: null });
  }
  for (const panel of ["token", "measures", "ask"])
    expect(heldView(view(panel), packed)).toEqual(view(panel));
});

test("a file shows answers if it has any", () => {
  expect(lackingPanel(view("ask"), { answers: false })).toBe("ask");
});

test("a step that a file lacks is reported with its replacement", () => {
  const heldAt = (step: number) => Math.max(12, step);
  expect(lackingStep(parseViewState("?at=0"), heldAt)).toEqual({ wanted: 0, shown: 12 });
  expect(lackingStep(parseViewState("?from=0&speed=50"), heldAt)).toEqual({ wanted: 0, shown: 12 });
  expect(lackingStep(parseViewState("?at=500"), heldAt)).toBeNull();
  expect(lackingStep(parseViewState("?word=dog"), heldAt)).toBeNull();
});
