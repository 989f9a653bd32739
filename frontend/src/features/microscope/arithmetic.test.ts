import { describe, expect, it } from "vitest";
import type { ForwardOperation } from "../../api/rest-types";
import {
  changeOf,
  equationDigits,
  runningSums,
  sumDecimals,
  verdictOf,
  workByLayer,
} from "./arithmetic";

const operation = (layer: string, forward: number) => ({ layer, forward }) as ForwardOperation;

describe("the numbers of a step", () => {
  it("are grouped by layer, in the order of the operations", () => {
    const layers = workByLayer([operation("a", 1), operation("a", 2), operation("b", 4)]);
    expect(layers.map(({ layer, forward }) => [layer, forward])).toEqual([
      ["a", 3],
      ["b", 4],
    ]);
    expect(layers[0]!.operations).toHaveLength(2);
  });

  it("add up in 32-bit precision", () => {
    const [first, both] = runningSums({ w: [0.1, 2], x: [1, 0.5] });
    // Not 0.1: the nearest 32-bit number.
    expect(first).toBe(Math.fround(0.1));
    expect(both).toBe(Math.fround(0.1) + 1);
    expect(runningSums({ w: [null, 2], x: [1, 3] })).toEqual([0, 6]);
  });

  it("make equations that are true of the digits shown", () => {
    // Three numbers of a recorded step, and one at which the first digits tried would not do.
    const row = { gradient: null, m_after: 0.0002209, step_size: 0.01495, denominator: 0.0004455 };
    for (const old of [-0.52474, -0.524745, 0.1234567, 1.00005]) {
      const next = old - (0.01495 * 0.0002209) / 0.0004455;
      const { decimals, digits } = equationDigits({ ...row, old, new: next });
      const [a, b, c] = [0.01495, 0.0002209, 0.0004455].map((term) => +term.toPrecision(digits));
      const shown = +old.toFixed(decimals) - (a! * b!) / c!;
      expect(shown.toFixed(decimals)).toBe(next.toFixed(decimals));
      expect(next.toFixed(decimals)).not.toBe(old.toFixed(decimals));
    }
    const plain = { gradient: 0.25, m_after: null, step_size: 0.1, denominator: null };
    expect(equationDigits({ ...plain, old: 1, new: 0.975 })).toEqual({ decimals: 4, digits: 4 });
    expect(equationDigits({ ...plain, old: 1, new: 1 })).toEqual({ decimals: 5, digits: 4 });
    // 0.00005 + 0.00005 is not 0.0001 + 0.0001 = 0.0001.
    expect(sumDecimals(0.00005, 0.00005, 0.0001)).toBe(5);
    expect(sumDecimals(0.5, 0.25, 0.75)).toBe(4);
  });

  it("are compared with the record, or with the model where the record has only a digest", () => {
    const row = { stored: 1, difference: 0, model_difference: 5 };
    expect(verdictOf(row, { equal: true })).toEqual({
      ...{ equal: true, difference: 0, against: "record", digest: "equal" },
    });
    const lost = { stored: null, difference: null, model_difference: 0 };
    expect(verdictOf(lost, { equal: true })).toMatchObject({ equal: true, against: "model" });
    expect(verdictOf(lost, { equal: false }).digest).toBe("differs");
    expect(verdictOf(lost, { equal: null }).digest).toBe("none");
    expect(verdictOf({ ...row, difference: 1e-9 }, { equal: null }).equal).toBe(false);
    expect(verdictOf({ ...row, difference: null }, { equal: null }).equal).toBe(false);
  });

  it("tell whether a step helped", () => {
    expect([changeOf(2, 1), changeOf(1, 2), changeOf(2, 2), changeOf(null, 2)]).toEqual([
      ...["better", "worse", "even", null],
    ]);
  });
});
