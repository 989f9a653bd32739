import { describe, expect, it } from "vitest";
import { reasonGiven } from "../api/failure";
import { failureText, toldText } from "./failures";
import { tell } from "./fields";

describe("the text of a failure", () => {
  it("is the server's sentence if it gave one", () => {
    expect(failureText(reasonGiven("There is no such run."))).toBe("There is no such run.");
  });

  it("names each rejected field", () => {
    const faults = [
      { field: "steps", reason: "must be above 0" },
      { field: "seed", reason: null },
    ];
    const words = "steps: must be above 0; seed: not accepted";
    expect(failureText({ code: "invalid", faults })).toBe(words);
  });

  it("contains the facts of the failure", () => {
    expect(failureText({ code: "noStep", step: 12 })).toBe("There is no step 12.");
    expect(failureText({ code: "silent" })).toBe("The server does not answer.");
  });
});

it("a reason with a code has the page's text", () => {
  const detail = "prompt: the model has never read “xyzzy”";
  const values = { words: "xy\u200bzzy", similar: "dizzy", more: 0 };
  const known = { code: "unknown_words", values } as const;
  const told = failureText({ code: "said", reason: detail, known });
  expect(told).toContain("Try a word it has read: dizzy.");
  // Invisible characters in words of the user are made visible.
  expect(told).not.toContain("\u200b");
  const busy = { code: "server_busy", values: {} } as const;
  expect(failureText({ code: "unconfirmed", reason: detail, known: busy })).toBe(
    "The server is busy: try again in a moment.",
  );
});

it("a reason without a code, or with an unknown one, has the server's text", () => {
  expect(failureText({ code: "said", reason: "no room" })).toBe("No room");
  for (const code of ["something_new", "constructor"] as never[])
    expect(toldText("no room", { code, values: {} })).toBe("No room");
});

it("a sentence of the server begins large, and without the name of its field", () => {
  expect(toldText("changes.steps: it is too many", {})).toBe("It is too many");
  expect(toldText("stopped", { code: "stopped", values: { step: 5 } })).toBe("Stopped");
  expect(toldText("", {})).toBe("");
});

it("a text of one is chosen by its number, in the plural categories of the language", () => {
  const texts = { rows: "{rows:count} rows, {change:+.2}", rows__rows_one: "{rows:count} row" };
  expect(tell(texts, "rows", { rows: 1 })).toBe("1 row");
  expect(tell(texts, "rows", { rows: 1_234, change: 0.5 })).toBe("1,234 rows, +0.50");
  expect(tell(texts, "columns", { rows: 1 })).toBe("");
  expect(tell(texts, "rows", { rows: {} as number })).toBe("[object Object] rows, ");
});
