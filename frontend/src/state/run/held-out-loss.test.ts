import { describe, expect, it } from "vitest";
import type { Measures, Run } from "../../api/rest-types";
import { heldOutLoss } from "./held-out-loss";

const info = (kind: "lamptown" | "text", corpus_tokens: number) =>
  ({ recipe: { corpus: { kind } }, corpus_tokens }) as Run;

const measured: Measures[] = [
  { step: 0, values: { loss_held_out: 7.7, coverage: 0 } },
  { step: 100, values: { loss_held_out: 2.5, coverage: 0.4 } },
  { step: 150, values: { coverage: 0.5 } },
  { step: 200, values: { loss_held_out: 1.3, coverage: 0.6 } },
];

describe("the held-out loss", () => {
  it("is the newest one up to the step, with its own step", () => {
    const town = info("lamptown", 480_000);
    expect(heldOutLoss(measured, 99, town)).toEqual({ loss: 7.7, step: 0 });
    expect(heldOutLoss(measured, 199, town)).toEqual({ loss: 2.5, step: 100 });
    expect(heldOutLoss(measured, null, town)).toEqual({ loss: 1.3, step: 200 });
  });

  it("is unknown without held-out text, and says why", () => {
    const coverage = [{ step: 0, values: { coverage: 0 } }];
    expect(heldOutLoss(coverage, 5, info("lamptown", 480_000))).toBe("none");
    expect(heldOutLoss(coverage, 5, info("text", 90_000))).toBe("none");
    expect(heldOutLoss([], 5, info("text", 19_999))).toBe("short");
    expect(heldOutLoss([], 5, info("lamptown", 480_000))).toBe("unmeasured");
    expect(heldOutLoss([], 5, null)).toBe("unmeasured");
    expect(heldOutLoss(measured.slice(1), 5, null)).toBe("unmeasured");
  });
});
