import { expect, it } from "vitest";
import { fileName } from "./file-name";

it("names a file by run and step, in characters that every file system allows", () => {
  expect(fileName("2026-11-24-lamptown-e02efb", ["step", 450, "1920x1080"], "png")).toBe(
    "lamplighter-2026-11-24-lamptown-e02efb-step-450-1920x1080.png",
  );
  expect(fileName("../../é <b>\u202e.exe", ["step", 0], "svg")).toBe(
    "lamplighter-e-b-.exe-step-0.svg",
  );
  expect(fileName("?".repeat(10), [7], "png")).toBe("lamplighter-7.png");
  expect(fileName("x".repeat(500), [7], "png").length).toBeLessThan(120);
});
