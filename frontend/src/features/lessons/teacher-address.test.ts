import { describe, expect, it } from "vitest";
import { parseTeacherAddress, teacherAddress } from "./teacher-address";

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
