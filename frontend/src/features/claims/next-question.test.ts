import { describe, expect, it } from "vitest";
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
