import { describe, expect, it } from "vitest";
import { layOutCaption, type Caption } from "./caption";
import { fileName } from "./file-name";
import { FilmTiming } from "./film-timing";

it("shows the shots in order, and lights at most three a second", () => {
  for (const rate of [0.5, 1, 2, 3, 6, 12]) {
    const timing = new FilmTiming(30, rate);
    const seen = new Set<number>();
    const lit: number[] = [];
    for (let frame = 0; frame < timing.seconds * 24; frame++) {
      const { frame: shownFrame, beat, age, mixing } = timing.instantAt(frame / 24);
      seen.add(shownFrame);
      if (lit.at(-1) !== beat) lit.push(beat);
      expect(age).toBeGreaterThanOrEqual(-1e-9);
      expect(beat).toBeLessThanOrEqual(shownFrame);
      expect(mixing).toBeLessThanOrEqual(1);
    }
    expect([...seen]).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(timing.beatDuration).toBeGreaterThanOrEqual(1 / 3);
    for (let i = 1; i < lit.length; i++) {
      expect((lit[i]! - lit[i - 1]!) / rate).toBeGreaterThanOrEqual(1 / 3 - 1e-9);
    }
    if (rate <= 2) expect(lit).toHaveLength(30);
  }
});

const measure = (text: string, size: number) => Array.from(text).length * size * 0.5;
const caption = (classes: number): Caption => ({
  title: "a run",
  mark: "",
  facts: ["step 450", "loss 2.427 nats per token", "171 of 2,271 rows lit"],
  notes: ["UMAP map of step 448", "5.5 in 10 neighbours on the map are real"],
  legend: {
    title: "Colour: class",
    entries: Array.from({ length: classes }, (_, i) => ({ tint: "#ffc06a", name: `class ${i}` })),
    more: (rest) => `and ${rest} more`,
  },
});

describe("the caption of a picture", () => {
  for (const [width, height] of [
    [1440, 810],
    [900, 900],
    [390, 844],
  ] as const) {
    it(`stays within ${width} by ${height} and leaves room for the city`, () => {
      const { marks, insets } = layOutCaption(caption(100), width, height, measure);
      for (const { text, x, y, size } of marks) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x + measure(text, size)).toBeLessThanOrEqual(width);
        expect(y - size / 2).toBeGreaterThanOrEqual(0);
        expect(y + size / 2).toBeLessThanOrEqual(height);
        expect(y < insets.top || y > height - insets.bottom).toBe(true);
      }
      expect(height - insets.top - insets.bottom).toBeGreaterThan(height / 2);
    });
  }

  it("has all the facts, and the number of classes that did not fit", () => {
    const texts = layOutCaption(caption(100), 1440, 810, measure).marks.map(({ text }) => text);
    expect(texts.join(" ")).toContain(
      "step 450  ·  loss 2.427 nats per token  ·  171 of 2,271 rows",
    );
    const named = texts.filter((text) => /^class \d+$/.test(text)).length;
    expect(named).toBeGreaterThan(5);
    expect(texts.at(-1)).toBe(`and ${100 - named} more`);
    const few = layOutCaption(caption(3), 1440, 810, measure).marks;
    expect(few.at(-1)?.text).toBe("class 2");
  });

  it("breaks lines between facts, and truncates a name that is too long", () => {
    const narrow = layOutCaption(caption(0), 240, 400, measure).marks.map(({ text }) => text);
    expect(narrow).toContain("step 450");
    const long = layOutCaption({ ...caption(0), title: "🏙".repeat(400) }, 390, 844, measure);
    expect(long.marks[0]!.text).toMatch(/^(🏙){5,}…$/u);
  });

  it("names the author in the corner, and truncates the title before it", () => {
    const made = { ...caption(0), title: "long ".repeat(80), mark: "Lamplighter" };
    const [title, ...rest] = layOutCaption(made, 390, 844, measure).marks;
    const mark = rest.at(-1)!;
    expect(mark.text).toBe("Lamplighter");
    expect(mark.x + measure(mark.text, mark.size)).toBeLessThanOrEqual(390);
    expect(title!.x + measure(title!.text, title!.size)).toBeLessThan(mark.x);
  });
});

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
