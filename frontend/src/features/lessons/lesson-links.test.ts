import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hasSection, LAB_EXPERIMENTS, WORD_EXPERIMENTS } from "../../model/view/view-options";
import { parseViewState } from "../../model/view/view-state";
import { parseTeacherAddress, teacherAddress } from "./teacher-address";

const LESSONS = join(import.meta.dirname, "../../../../static/lessons");

/** Return the views of all texts in a folder: of stages, of links, and of worksheets. */
function viewsIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return viewsIn(path);
    return readFileSync(path, "utf8").match(/\?[a-z]+=[^\s)\]]+/g) ?? [];
  });
}

const views = [...new Set(viewsIn(LESSONS))].map((query) => ({
  query,
  words: new URLSearchParams(query),
  view: parseViewState(query),
}));

describe("each link of the course and its teacher's pages", () => {
  it("names a panel that the page opens as it is named", () => {
    expect(views.length).toBeGreaterThan(100);
    for (const { query, words, view } of views) expect(view.panel, query).toBe(words.get("panel"));
  });

  it("names an experiment and a section of that panel", () => {
    for (const { query, view } of views) {
      const kinds = view.panel === "experiments" ? LAB_EXPERIMENTS : WORD_EXPERIMENTS;
      if (view.ask !== null) expect(kinds, query).toContain(view.ask);
      if (view.section !== null) expect(hasSection(view.panel, view.section), query).toBe(true);
    }
  });
});

describe("the address of the teacher's page", () => {
  it("names a run and a part", () => {
    for (const run of ["2026-11-27-lamptown-1", "a run&teacher=9"])
      expect(parseTeacherAddress(teacherAddress(run, 3))).toEqual({ run, part: 3 });
  });

  it("is null without a run, or with a part that is not a number", () => {
    for (const query of ["", "?run=a", "?teacher=3", "?run=a&teacher=", "?run=a&teacher=-1"])
      expect(parseTeacherAddress(query)).toBeNull();
    for (const part of ["100", "1.2", "javascript:alert(1)", "../1"])
      expect(parseTeacherAddress(`?run=a&teacher=${part}`)).toBeNull();
  });
});
