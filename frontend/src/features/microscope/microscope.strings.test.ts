import { describe, expect, it } from "vitest";
import { flops, plain } from "../../strings/amounts";
import { microscope } from "./microscope.strings";

describe("numbers under the microscope", () => {
  it("are written as by hand, with the digits that one needs to compute with them", () => {
    expect(plain(0.00003321)).toBe("0.00003321");
    expect(plain(-0.0117165930569)).toBe("−0.01172");
    expect(plain(1.0989e-9, 2)).toBe("1.1\u00a0×\u00a010⁻⁹");
    expect(plain(-2.5e-10)).toBe("−2.5\u00a0×\u00a010⁻¹⁰");
    expect(plain(123456)).toBe("123,456");
    expect([plain(0), plain(0.5), plain(1), plain(null), plain(NaN)]).toEqual([
      ...["0", "0.5", "1", "–", "–"],
    ]);
  });

  it("of chances keep a digit however small", () => {
    const { chance } = microscope.symbol;
    const all = [0.284, 0.0286, 0.00042, 0.9996, 1, null].map(chance);
    expect(all).toEqual([
      ...["28\u00a0%", "2.9\u00a0%", "0.042\u00a0%", ">\u00a099\u00a0%", "100\u00a0%", "?"],
    ]);
  });

  it("of operations are round", () => {
    expect([flops(273_444_864), flops(32_768), flops(0), flops(3.9e12)]).toEqual([
      ...["273 million", "32.8 thousand", "0", "3.9 trillion"],
    ]);
  });
});
