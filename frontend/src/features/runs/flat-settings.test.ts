import { describe, expect, it } from "vitest";
import { flattenSettings } from "./flat-settings";

describe("the settings of a recorded run", () => {
  it("have dotted names, in their original order", () => {
    const settings = {
      lr: 0.001,
      model: { layers: 4, tied: true },
      betas: [0.9, 0.95],
      note: null,
    };
    expect(flattenSettings(settings).lines).toEqual([
      ["lr", "0.001"],
      ["model.layers", "4"],
      ["model.tied", "true"],
      ["betas", "[0.9,0.95]"],
      ["note", "null"],
    ]);
  });

  it("are limited, with a count of those left out", () => {
    const many = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`key${i}`, "x".repeat(900)]),
    );
    const { lines, more } = flattenSettings(many);
    expect(lines).toHaveLength(60);
    expect(more).toBe(40);
    expect(lines[0]![1]).toHaveLength(200);
  });
});
