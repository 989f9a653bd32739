import { describe, expect, it } from "vitest";
import { paceOptions } from "./pace-options";

const keys = (...given: Parameters<typeof paceOptions>) =>
  paceOptions(...given).paces.map((p) => p.key);

describe("the pace", () => {
  it("is the one in the status", () => {
    expect(paceOptions(null).now).toBe("full");
    expect(paceOptions({ pace_steps_per_second: null }).now).toBe("full");
    expect(paceOptions({ pace_steps_per_second: 4 }).now).toBe("4");
  });

  it("may have been set elsewhere", () => {
    const status = { pace_steps_per_second: 2.5 };
    expect(paceOptions(status).now).toBe("2.5");
    expect(keys(status)).toEqual(["full", "10", "4", "2.5", "2", "1"]);
  });

  it("stays the chosen one during single-step training", () => {
    const status = { pace: "single", pace_steps_per_second: 4 } as const;
    expect(paceOptions(status).now).toBe("4");
    expect(keys(status)).toEqual(["full", "10", "4", "2", "1"]);
  });
});
