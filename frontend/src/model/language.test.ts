import { expect, it } from "vitest";
import { chooseLanguage } from "./language";

it("is the first preferred one that the page has", () => {
  expect(chooseLanguage(["de"])).toBe("de");
  expect(chooseLanguage([null, "fr-FR", "de-CH", "en"])).toBe("de");
  expect(chooseLanguage([null, "EN-us", "de"])).toBe("en");
  expect(chooseLanguage(["constructor", "den", "", null])).toBe("en");
  expect(chooseLanguage([])).toBe("en");
});
