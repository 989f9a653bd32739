import { expect, it } from "vitest";
import { chooseTheme } from "./theme";

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
