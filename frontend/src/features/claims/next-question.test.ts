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

  it("are asked one after the other", () => {
    expect(nextQuestion(wanted, [], new Set())?.id).toBe("a");
    expect(nextQuestion(wanted, [known("a", "running")], new Set(["a"]))).toBeNull();
    expect(nextQuestion(wanted, [known("a", "done")], new Set(["a"]))?.id).toBe("b");
  });

  it("leave out what a person must start, what has an answer, and what has failed or was stopped", () => {
    expect(nextQuestion([wanted[2]!], [], new Set())).toBeNull();
    expect(nextQuestion([question("a", { answered: true })], [], new Set())).toBeNull();
    for (const state of ["failed", "cancelled"] as const)
      expect(nextQuestion(wanted, [known("a", state)], new Set())?.id).toBe("b");
  });

  it("come to an end where the server does not take one", () => {
    expect(nextQuestion(wanted, [], new Set(["a", "b"]))).toBeNull();
  });
});
