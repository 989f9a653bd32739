import { expect, it } from "vitest";
import {
  claimInterval,
  claimValue,
  explainedWords,
  figureText,
  reasonText,
} from "./claims.strings";

it("values of claims are readable", () => {
  expect(claimValue(0.98424, "share")).toBe("98.4\u00a0%");
  expect(claimValue(0.99958, "share")).toBe("99.96\u00a0%");
  expect(claimValue(1, "share")).toBe("100\u00a0%");
  expect(claimValue(0, "share")).toBe("0\u00a0%");
  expect(claimValue(5000, "")).toBe("5,000");
  expect(claimValue(818_490_944, "FLOP")).toBe("818,490,944 FLOP");
  expect(claimValue(77.854, "degrees")).toBe("77.9°");
  expect(claimValue(null, "nats")).toBe("unknown");
});

it("words of the field are explained where a card uses them first", () => {
  const figure = {
    code: "guessing",
    value: 1,
    unit: "nats",
    step: 5,
    low: null,
    high: null,
    draws: 0,
    values: {},
  } as const;
  const row = { figures: [figure], null: null, reason: [] };
  expect(explainedWords(row)).toHaveLength(1);
  expect(explainedWords({ ...row, figures: [] })).toEqual([]);
  const reason = [
    { code: "update_direction", values: {} },
    { code: "map_has_forgotten", values: {} },
  ] as const;
  expect(explainedWords({ ...row, reason: [...reason] })).toHaveLength(3);
  // Nothing that stands further down.
  expect(explainedWords({ ...row, figures: [{ ...figure, unit: "" }, figure] })).toEqual([]);
});

it("an interval says where it comes from", () => {
  const figure = {
    code: "by_chance",
    value: 0.0081,
    unit: "share",
    step: null,
    values: {},
  } as const;
  const ends = { low: 0.0079, high: 0.0083 };
  const drawn = { ...figure, ...ends, draws: 20 };
  expect(claimInterval(drawn)).toBe("from 0.79\u00a0% to 0.83\u00a0% (n = 20)");
  expect(claimInterval({ ...drawn, draws: 0 })).toBe("from 0.79\u00a0% to 0.83\u00a0%");
  expect(claimInterval({ ...drawn, high: null })).toBeNull();
});

it("a reason is told with its numbers, after what a number waits for", () => {
  const reason = [
    { code: "told_apart", values: { share: 0.951, step: 2_500 } },
    { code: "nearness_agrees", values: { input: -0.001, output: 0.25 } },
    { code: "one_step_changed", values: { step: 5, own: -0.1, other: 0.0123 } },
  ] as const;
  const told = reasonText({ state: "holds", reason: [...reason], waits_for: null });
  expect(told).toContain("Together, then told apart: it was 95.1\u00a0% at step 2,500.");
  expect(told).toContain(
    "agrees better by 0.00 with which words follow, in the output table by 0.25 with which come before",
  );
  expect(told).toContain("by −0.1 nats and on another batch by +0.012;");
  const waiting = { state: "unmeasured", reason: [], waits_for: "first_step" } as const;
  expect(reasonText({ ...waiting, reason: [] })).toBe(
    "Not measured yet: waiting for the first step.",
  );
  // Words of a text are shown with their invisible characters.
  const named = { code: "analogies", values: { relation: "a\u200bb" } } as const;
  expect(figureText(named)).not.toContain("\u200b");
});
