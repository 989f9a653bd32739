import { describe, expect, it } from "vitest";
import { parseDistrictChange } from "./district-change";

describe("a change to a neighbourhood", () => {
  it("is read from the record's message", () => {
    const read = (kind: string, message: string) => parseDistrictChange({ kind, message });
    expect(read("district-born", "A neighbourhood came together: full · bunch, 9 words.")).toEqual({
      kind: "district-born",
      name: "full · bunch",
      other: "",
      words: 9,
    });
    expect(
      read(
        "district-split",
        "The neighbourhood Sounds split: moo · oink, 8 words, is one of its own now.",
      ),
    ).toEqual({ kind: "district-split", name: "moo · oink", other: "Sounds", words: 8 });
    expect(read("district-merged", "The neighbourhood a, b became part of c.")).toEqual({
      kind: "district-merged",
      name: "a, b",
      other: "c",
      words: 0,
    });
    expect(read("district-gone", "The neighbourhood a came apart.")?.name).toBe("a");
  });

  it("is unknown in any other form", () => {
    expect(parseDistrictChange({ kind: "district-born", message: "toString" })).toBeNull();
    expect(parseDistrictChange({ kind: "toString", message: "toString" })).toBeNull();
  });
});
