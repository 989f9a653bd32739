import { describe, expect, it } from "vitest";
import type { LessonNumber, LessonPrediction, LessonSpan, LessonStage } from "../../api/rest-types";
import { answeredBlocks, nextShown, stagesToSkip } from "./unanswered";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hasSection, LAB_EXPERIMENTS, WORD_EXPERIMENTS } from "../../model/view/view-options";
import { parseViewState } from "../../model/view/view-state";
import { parseTeacherAddress, teacherAddress } from "./teacher-address";

const LESSONS = join(import.meta.dirname, "../../../../static/lessons");

/** Return the views of all texts in a folder: of stages, of links, and of worksheets. */
function viewsIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return viewsIn(path);
    return readFileSync(path, "utf8").match(/\?[a-z]+=[^\s)\]]+/g) ?? [];
  });
}

const views = [...new Set(viewsIn(LESSONS))].map((query) => ({
  query,
  words: new URLSearchParams(query),
  view: parseViewState(query),
}));

describe("each link of the course and its teacher's pages", () => {
  it("names a panel that the page opens as it is named", () => {
    expect(views.length).toBeGreaterThan(100);
    for (const { query, words, view } of views) expect(view.panel, query).toBe(words.get("panel"));
  });

  it("names an experiment and a section of that panel", () => {
    for (const { query, view } of views) {
      const kinds = view.panel === "experiments" ? LAB_EXPERIMENTS : WORD_EXPERIMENTS;
      if (view.ask !== null) expect(kinds, query).toContain(view.ask);
      if (view.section !== null) expect(hasSection(view.panel, view.section), query).toBe(true);
    }
  });
});

describe("the address of the teacher's page", () => {
  it("names a run and a part", () => {
    for (const run of ["2026-11-27-lamptown-1", "a run&teacher=9"])
      expect(parseTeacherAddress(teacherAddress(run, 3))).toEqual({ run, part: 3 });
  });

  it("is null without a run, or with a part that is not a number", () => {
    for (const query of ["", "?run=a", "?teacher=3", "?run=a&teacher=", "?run=a&teacher=-1"])
      expect(parseTeacherAddress(query)).toBeNull();
    for (const part of ["100", "1.2", "javascript:alert(1)", "../1"])
      expect(parseTeacherAddress(`?run=a&teacher=${part}`)).toBeNull();
  });
});

const span = (number: string | null) => ({ text: "", number }) as LessonSpan;
const block = (...numbers: (string | null)[]) => ({
  kind: "list" as const,
  lines: numbers.map((number) => [span(number)]),
});
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
const asks = (
  question: object,
  state: NonNullable<LessonStage["examination"]>["state"] = null,
  fields: Partial<LessonStage> = {},
) =>
  stage({
    examination: { id: "a", question: question as Record<string, unknown>, state, share: 0 },
    ...fields,
  });
const guesses = (number: string) => stage({ prediction: { number } as LessonPrediction });
const number = (value: number | null, waits_for: LessonNumber["waits_for"] = null) => ({
  value,
  step: 0,
  waits_for,
});
const numbers: Record<string, LessonNumber> = {
  known: number(1),
  answer: number(null, "answer"),
  button: number(null, "button"),
  later: number(null, "measure"),
  "claim.1.share": number(null, "measure"),
};
const skipped = (...stages: LessonStage[]) => [...(stagesToSkip({ stages, numbers }) ?? [])];

describe("a viewer who may not ask", () => {
  it("skips guesses and stages of which most lacks an answer", () => {
    expect(
      skipped(guesses("answer"), guesses("claim.1.share"), guesses("later"), guesses("known")),
    ).toEqual([1, 2]);
    const told = (...names: (string | null)[]) =>
      stage({ blocks: names.map((name) => block(name)) });
    expect(skipped(told(null, "answer"), told(null, "answer", "button"), told("later"))).toEqual([
      2,
    ]);
  });

  it("skips the views of answers that the part asks for and does not have", () => {
    const swap = stage({ view: "?panel=ask&ask=transplant&section=answer" });
    expect(skipped(asks({ kind: "transplant" }), swap)).toEqual([2]);
    expect(skipped(asks({ kind: "transplant" }, "done"), swap)).toEqual([]);
    expect(skipped(asks({ kind: "rotation" }), swap)).toEqual([]);
    const hand = stage({ view: "?panel=microscope&at=10" });
    expect(skipped(asks({ kind: "microscope", step: 10 }), hand)).toEqual([2]);
    expect(skipped(asks({ kind: "microscope", step: 9 }), hand)).toEqual([]);
    expect(skipped(stage({ view: "?panel=claims&claim=1" }))).toEqual([]);
  });

  it("waits for a question that is being answered, and for the step of a stage", () => {
    const running = asks({ kind: "rotation" }, "running");
    expect(stagesToSkip({ stages: [running, guesses("answer")], numbers })).toBeNull();
    expect(skipped({ ...guesses("answer"), waits_for_step: 1_000 })).toEqual([]);
  });

  it("goes past what is skipped, in both directions", () => {
    const some = new Set([2, 3, 5]);
    expect([nextShown(some, 2, 1), nextShown(some, 3, -1), nextShown(some, 5, 1)]).toEqual([
      4, 1, 6,
    ]);
  });

  it("reads a stage without the lines that lack an answer", () => {
    const [rest, ...others] = answeredBlocks(
      [block("known", "button", null), block("answer")],
      numbers,
    );
    expect([rest?.lines.flat().map((one) => one.number), others]).toEqual([["known", null], []]);
  });
});
