import { expect, test } from "vitest";
import { parseViewState } from "../../model/view/view-state";
import { heldView, lackingPanel, lackingStep } from "./held-view";

const view = (panel: string) => parseViewState(`?word=dog&at=0&panel=${panel}`);

test("a server shows every panel", () => {
  for (const panel of ["cost", "geometry", "ask"])
    expect(lackingPanel(view(panel), null)).toBeNull();
  expect(heldView(view("cost"), null)).toEqual(view("cost"));
});

test("a file shows a view without the panel that it lacks", () => {
  const packed = { answers: true };
  for (const panel of ["cost", "geometry", "claims", "microscope", "step", "matrix", "map"]) {
    expect(lackingPanel(view(panel), packed)).toBe(panel);
    expect(heldView(view(panel), packed)).toEqual({ ...view(panel), panel: null });
  }
  for (const panel of ["token", "measures", "ask"])
    expect(heldView(view(panel), packed)).toEqual(view(panel));
});

test("a file shows answers if it has any", () => {
  expect(lackingPanel(view("ask"), { answers: false })).toBe("ask");
});

test("a step that a file lacks is reported with its replacement", () => {
  const heldAt = (step: number) => Math.max(12, step);
  expect(lackingStep(parseViewState("?at=0"), heldAt)).toEqual({ wanted: 0, shown: 12 });
  expect(lackingStep(parseViewState("?from=0&speed=50"), heldAt)).toEqual({ wanted: 0, shown: 12 });
  expect(lackingStep(parseViewState("?at=500"), heldAt)).toBeNull();
  expect(lackingStep(parseViewState("?word=dog"), heldAt)).toBeNull();
});
