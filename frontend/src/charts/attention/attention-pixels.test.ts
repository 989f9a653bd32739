import { describe, expect, it } from "vitest";
import { attentionPixels, shareColour } from "./attention-pixels";

describe("attention weights as pixels", () => {
  it("are brighter the larger, and transparent where a word cannot look", () => {
    const pixels = attentionPixels([[1], [0.25, 0.75]]);
    const alpha = [0, 1, 2, 3].map((at) => pixels[4 * at + 3]);
    expect(alpha).toEqual([255, 0, 255, 255]);
    const light = (share: number) => shareColour(share).reduce((sum, part) => sum + part);
    const shares = [0, 0.01, 0.1, 0.25, 0.5, 1];
    expect(shares.map(light)).toEqual(shares.map(light).sort((a, b) => a - b));
    expect(shareColour(-1)).toEqual(shareColour(0));
    expect(shareColour(2)).toEqual(shareColour(1));
  });
});
