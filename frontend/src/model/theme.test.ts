import { expect, it } from "vitest";
import { chooseTheme } from "./theme";
import { chooseLanguage } from "./language";

it("follows the address, then the choice that is stored, then the system", () => {
  expect(chooseTheme(["dusk", "night"], false)).toBe("dusk");
  expect(chooseTheme([null, "night"], true)).toBe("night");
  expect(chooseTheme([null, null], true)).toBe("dusk");
  expect(chooseTheme([null, null], false)).toBe("night");
});

it("ignores what is no theme", () => {
  expect(chooseTheme(["Dusk", "night"], true)).toBe("night");
  expect(chooseTheme(["constructor", ""], false)).toBe("night");
});

it("is the first preferred one that the page has", () => {
  expect(chooseLanguage(["de"])).toBe("de");
  expect(chooseLanguage([null, "fr-FR", "de-CH", "en"])).toBe("de");
  expect(chooseLanguage([null, "EN-us", "de"])).toBe("en");
  expect(chooseLanguage(["constructor", "den", "", null])).toBe("en");
  expect(chooseLanguage([])).toBe("en");
});
