import { describe, expect, it } from "vitest";
import { reconnectDelay } from "./connection";

describe("pauses between tries", () => {
  it("grow, up to a limit", () => {
    const longest = [1, 2, 3, 4, 5, 6, 20].map((attempt) => reconnectDelay(attempt, 1));
    expect(longest).toEqual([400, 800, 1_600, 3_200, 6_400, 8_000, 8_000]);
  });

  it("differ from viewer to viewer, so that a class does not come back all at once", () => {
    expect(reconnectDelay(4, 0)).toBe(1_600);
    expect(reconnectDelay(4, 0.5)).toBe(2_400);
  });
});
