import { describe, expect, it } from "vitest";
import { reasonGiven } from "../api/failure";
import { failureText } from "./failures";

describe("what went wrong, in words", () => {
  it("is the server's own sentence where it gave one", () => {
    expect(failureText(reasonGiven("There is no such run."))).toBe("There is no such run.");
  });

  it("names each field that was not accepted", () => {
    const faults = [
      { field: "steps", reason: "must be above 0" },
      { field: "seed", reason: null },
    ];
    const words = "steps: must be above 0; seed: not accepted";
    expect(failureText({ code: "invalid", faults })).toBe(words);
  });

  it("has the facts of the failure in it", () => {
    expect(failureText({ code: "noStep", step: 12 })).toBe("There is no step 12.");
    expect(failureText({ code: "silent" })).toBe("The server does not answer.");
  });
});
