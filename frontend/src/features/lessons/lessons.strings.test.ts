import { afterEach, describe, expect, it } from "vitest";
import { setNumberLanguage } from "../../strings/numbers";
import { lessonNumber, numberInText } from "./lessons.strings";

afterEach(() => setNumberLanguage("en"));

describe("a number of the course", () => {
  it("is never rounded up to all or down to nothing", () => {
    const shares = [0, 0.000_01, 0.0092, 0.5, 0.66, 0.9999, 1].map((share) =>
      lessonNumber(share, "percent"),
    );
    expect(shares).toEqual([
      "0\u00a0%",
      "less than\u00a00.1\u00a0%",
      "0.9\u00a0%",
      "50\u00a0%",
      "66\u00a0%",
      "more than\u00a099\u00a0%",
      "100\u00a0%",
    ]);
  });

  it("is written as in the language of its text, whatever the page speaks", () => {
    setNumberLanguage("de");
    const numbers = (text: string) => [
      numberInText(text, 795e6, "large"),
      numberInText(text, 2_382, "count"),
      numberInText(text, 1.324, "significant"),
    ];
    expect(numbers("en")).toEqual(["795 million", "2,382", "1.32"]);
    expect(numbers("de")).toEqual(["795 Millionen", "2.382", "1,32"]);
    // Words of the page would be German in an English sentence.
    expect(numberInText("en", 0.000_1, "percent")).toBe("<\u00a00.1\u00a0%");
  });

  it("can be of any size", () => {
    expect(lessonNumber(-1, "percent")).toBe("−100\u00a0%");
    expect(lessonNumber(2_382, "count")).toBe("2,382");
    expect([-0.004, -0.25].map((value) => lessonNumber(value, "decimal"))).toEqual([
      "0.00",
      "−0.25",
    ]);
    expect(lessonNumber(0.105, "decimal")).toMatch(/^0\.1[01]$/);
  });
});
