import { describe, expect, it } from "vitest";
import { neighbourOf, streetOf } from "./houses";
import type { ClaimQuestion, Examination } from "../../api/rest-types";
import { nextQuestion } from "./next-question";

const question = (id: string, fields: Partial<ClaimQuestion> = {}): ClaimQuestion => ({
  id,
  question: { kind: "microscope", step: 5 },
  claims: [5],
  answered: false,
  by_button: false,
  ...fields,
});
const known = (id: string, state: Examination["state"]) => ({ id, state }) as Examination;

describe("the questions of the board", () => {
  const wanted = [question("a"), question("b"), question("c", { by_button: true })];

  it("are asked one at a time", () => {
    expect(nextQuestion(wanted, [], new Set())?.id).toBe("a");
    expect(nextQuestion(wanted, [known("a", "running")], new Set(["a"]))).toBeNull();
    expect(nextQuestion(wanted, [known("a", "done")], new Set(["a"]))?.id).toBe("b");
  });

  it("exclude those that a person starts, those with an answer, and those that failed or were cancelled", () => {
    expect(nextQuestion([wanted[2]!], [], new Set())).toBeNull();
    expect(nextQuestion([question("a", { answered: true })], [], new Set())).toBeNull();
    for (const state of ["failed", "cancelled"] as const)
      expect(nextQuestion(wanted, [known("a", state)], new Set())?.id).toBe("b");
  });

  it("end when the server refuses them", () => {
    expect(nextQuestion(wanted, [], new Set(["a", "b"]))).toBeNull();
  });
});

const rows = [
  { group: "meaning", number: 1, role: "claim" },
  { group: "meaning", number: 2, role: "claim" },
  { group: "matrix", number: 3, role: "claim" },
  { group: "meaning", number: 4, role: "claim" },
  { group: "matrix", number: 5, role: "definition" },
  { group: "rows", number: 6, role: "check" },
  { group: "rows", number: 7, role: "recipe" },
] as const;

describe("the houses of the board", () => {
  const street = streetOf(rows);

  it("hold the claims of a subject, and nothing else", () => {
    expect(street.houses.map(({ rows: windows }) => windows.map(({ number }) => number))).toEqual([
      [1, 2, 4],
      [3],
    ]);
    expect(street.plaques.map(({ number }) => number)).toEqual([7, 6, 5]);
  });

  it("are walked floor by floor, from the ground", () => {
    expect(neighbourOf(street, 1, "ArrowDown")).toBe(2);
    expect(neighbourOf(street, 1, "ArrowUp")).toBeNull();
    expect(neighbourOf(street, 4, "ArrowRight")).toBe(3);
    expect(neighbourOf(street, 1, "ArrowRight")).toBe(3);
    expect(neighbourOf(street, 3, "ArrowLeft")).toBe(4);
    expect(neighbourOf(street, 3, "ArrowRight")).toBeNull();
    expect(neighbourOf(street, 3, "Home")).toBe(1);
    expect(neighbourOf(street, 1, "End")).toBe(5);
    expect(neighbourOf(street, 1, "x")).toBeNull();
  });

  it("have what is no claim below, side by side", () => {
    expect(neighbourOf(street, 4, "ArrowDown")).toBe(7);
    expect(neighbourOf(street, 6, "ArrowRight")).toBe(5);
    expect(neighbourOf(street, 6, "ArrowLeft")).toBe(7);
    expect(neighbourOf(street, 7, "ArrowLeft")).toBeNull();
    expect(neighbourOf(street, 5, "ArrowLeft")).toBe(6);
    expect(neighbourOf(street, 5, "ArrowUp")).toBe(4);
    expect(neighbourOf(street, 5, "ArrowDown")).toBeNull();
    expect(neighbourOf(street, 5, "Home")).toBe(1);
    expect(neighbourOf({ houses: [], plaques: street.plaques }, 6, "Home")).toBe(7);
  });
});
