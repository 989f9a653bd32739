import { describe, expect, it } from "vitest";
import {
  buildVocabulary,
  printableName,
  printableText,
  printableToken,
  textOf,
  tokenText,
} from "./vocabulary";

describe("token text", () => {
  it("is shown as it is, if harmless", () => {
    for (const word of ["dog", "naïve", "שלום", "犬", "👩\u200d🚀", "<b>bold</b>", "&amp;"]) {
      expect(printableToken(word)).toBe(word);
    }
  });

  it("loses invisible characters and keeps visible ones", () => {
    expect(printableToken("a\u202eb\u0000c\u200bd")).toBe("abcd");
    expect(printableToken("\n")).toBe("⏎");
    expect(printableToken(" the")).toBe("␣the");
    expect(printableToken("\u200f\u200d")).toBe("(invisible)");
    expect(printableToken("")).toBe("(invisible)");
    expect(printableToken("\u3164\u00a0\ufe0f")).toBe("(invisible)");
    expect(printableToken(undefined)).toBe("?");
  });

  it("stays on its line, however many marks are stacked on a letter", () => {
    expect(printableToken("e" + "\u0301".repeat(300) + "f")).toBe("e" + "\u0301".repeat(4) + "f");
    expect(printableText("e" + "\u0301".repeat(300))).toBe("e" + "\u0301".repeat(4));
    // As many as a language uses.
    expect(printableToken("ệ".normalize("NFD"))).toBe("ệ".normalize("NFD"));
  });

  it("of a name is in sentence case, a list of words as it is, and equally harmless", () => {
    expect(printableName("animal sounds (past)")).toBe("Animal sounds (past)");
    expect(printableName("\u202eéclairs <b>")).toBe("Éclairs <b>");
    expect(printableName("anna · tom · mary")).toBe("anna · tom · mary");
    expect(printableName(undefined)).toBe("?");
  });

  it("is cut to a maximum length", () => {
    expect(printableToken("🐕".repeat(500))).toHaveLength(2 * 47 + 1);
  });
});

describe("vocabulary", () => {
  it("keeps the run's order of classes and sorts by frequency", () => {
    const token = (token_id: number, count: number, name: string | null) => ({
      token_id,
      token: `t${token_id}`,
      text: `t${token_id}`,
      count,
      class: name,
    });
    const items = [token(1, 9, "pets"), token(0, 5, null), token(2, 9, "new")];
    const vocabulary = buildVocabulary("r", items, [{ name: "trees" }, { name: "pets" }]);
    expect(vocabulary.classes).toEqual(["trees", "pets", "new"]);
    expect([...vocabulary.classOf]).toEqual([-1, 1, 2]);
    expect([...vocabulary.byCount]).toEqual([1, 2, 0]);
    expect(vocabulary.tokens).toEqual(["t0", "t1", "t2"]);
    expect([vocabulary.families, vocabulary.familyOfClass]).toEqual([[], [-1, -1]]);
  });

  it("has no counts rather than 0 where they are not known", () => {
    const items = [{ token_id: 0, token: "a", text: "a", count: null, class: null }];
    const vocabulary = buildVocabulary("r", items, []);
    expect([...vocabulary.counts]).toEqual([NaN]);
    expect(printableName("▁learn · Ġteach")).toBe("learn · teach");
  });

  it("shows a token of an answer as the rest of the page does", () => {
    const pieces = ["▁learn", "ing"].map((token, token_id) => ({
      ...{ token_id, token, text: ["learn", "-ing"][token_id]!, count: 1, class: null },
    }));
    const vocabulary = buildVocabulary("r", pieces, []);
    expect(pieces.map(({ token_id, token }) => tokenText(token_id, token, vocabulary))).toEqual([
      "learn",
      "-ing",
    ]);
    expect(tokenText(7, "new", vocabulary)).toBe("new");
  });

  it("joins tokens into the text that a person would type", () => {
    const tokens = ["learn", "-ing", ".", "the", "-", "␣("];
    expect(textOf([3, 0, 1, 2, 99], { tokens })).toBe("the learning . ?");
    expect(textOf([0, 4, 0], { tokens })).toBe("learn - learn");
    expect(textOf([3, 5, 0], { tokens })).toBe("the ( learn");
    expect(textOf([], { tokens })).toBe("");
  });

  it("orders families by their first class, and keeps classes without one", () => {
    const planted = ["doing", "animals", null, "doing"].map((family, i) => ({
      name: `c${i}`,
      family,
    }));
    const { families, familyOfClass } = buildVocabulary("r", [], planted);
    expect(families).toEqual(["doing", "animals"]);
    expect(familyOfClass).toEqual([0, 1, -1, 0]);
  });
});
