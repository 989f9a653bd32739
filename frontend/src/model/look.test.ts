import { describe, expect, it } from "vitest";
import { formatLook, lookPlace, parseLook } from "./look";
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

describe("a camera position in a link", () => {
  it("survives a round trip", () => {
    for (const look of [
      { district: 0 },
      { district: 999_999_999 },
      lookPlace(0, 1, 1),
      lookPlace(1 / 3, 2 / 3, Math.PI),
      lookPlace(0.123456789, 0.5, 4_321.987),
      lookPlace(0.5, 0.5, 0.1),
      lookPlace(1e-8, 0.5, 9_000),
    ])
      expect(parseLook(formatLook(look))).toEqual(look);
  });

  it("is precise enough for its magnification", () => {
    for (const zoom of [1, 8, 250, 9_000])
      expect(Math.abs(lookPlace(1 / 7, 0.5, zoom).x - 1 / 7) * zoom).toBeLessThan(1e-3);
  });

  it("stays on the map", () => {
    expect(parseLook("7,0.5,0")).toEqual({ x: 1, y: 0.5, zoom: 0.1 });
    expect(parseLook("0.5,0.5,99999")).toEqual({ x: 0.5, y: 0.5, zoom: 10_000 });
    expect(lookPlace(-3, 9, 1e9)).toEqual({ x: 0, y: 1, zoom: 10_000 });
  });

  it("is null for anything else", () => {
    for (const word of [
      "",
      "0.5,0.5",
      "0.5,0.5,2,3",
      "-0.1,0.5,2",
      "1e9,0,1",
      "NaN,0,1",
      "Infinity,0,1",
      "0x1,0,1",
      " 0,0,1",
      "999999,0,1",
      "district:",
      "district:x",
      "district:1234567890",
      "places:7",
    ])
      expect(parseLook(word), word).toBeNull();
  });
});
