import { describe, expect, it } from "vitest";
import type { Layout } from "../../api/frames";
import { doubtfulTokens, tokenTrust } from "./token-trust";

const layout = (byToken: number[] | null) =>
  ({ byToken: byToken && Uint8Array.from(byToken) }) as Layout;

describe("doubtful positions", () => {
  it("are those with a trust below a quarter", () => {
    expect(doubtfulTokens(layout([255, 0, 63, 64, 200]))).toEqual([1, 2]);
    expect(tokenTrust(layout([255, 51]), 1)).toBeCloseTo(0.2);
  });

  it("are unknown if the layout has no trust", () => {
    expect(doubtfulTokens(layout(null))).toBeNull();
    expect(doubtfulTokens(null)).toBeNull();
    expect(tokenTrust(layout(null), 0)).toBeNull();
    expect(tokenTrust(layout([1]), 5)).toBeNull();
  });
});
