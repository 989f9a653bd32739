import { describe, expect, it, vi } from "vitest";
import { paletteEntries } from "./palette";

const stores = (presenter: boolean, packed = false) => {
  const commands = new Proxy({} as Record<string, ReturnType<typeof vi.fn>>, {
    get: (made, name: string) => (made[name] ??= vi.fn()),
  });
  const server = {
    presenter,
    packed: packed ? { answers: false } : null,
    answers: !packed,
    teaches: true,
    labPanels: ["step", "measures", "run"],
  };
  const run = {
    requestedStep: null,
    status: { phase: "running" },
    districts: {
      names: ["Sea animals", "Towns"],
      ids: [4, 9],
      of: [0, 0, 1],
    },
  };
  return { commands, server, openRun: { run }, preferences: { enlarged: false } };
};

const entries = (text: string, given = stores(true)) =>
  paletteEntries(text, given as unknown as Parameters<typeof paletteEntries>[1]);
const names = (text: string, given = stores(true)) => entries(text, given).map(({ name }) => name);

describe("the palette", () => {
  it("lists panels and commands for an empty text", () => {
    expect(names("")).toEqual(expect.arrayContaining(["step", "claims", "toggleMap", "class"]));
    expect(names("")).not.toContain("district");
  });

  it("finds entries that have each word in their name, in any case", () => {
    expect(names("WHOLE map")).toEqual(["showWholeMap"]);
    expect(names("whole towns")).toEqual([]);
    expect(names("towns")).toEqual(["district"]);
  });

  it("leaves out commands that this viewer cannot use", () => {
    for (const name of ["trainOneStep", "class"]) {
      expect(names("")).toContain(name);
      expect(names("", stores(false))).not.toContain(name);
    }
    const inFile = names("", stores(false, true));
    for (const name of ["ask", "microscope", "claims", "geometry", "runs"])
      expect(inFile).not.toContain(name);
    // A step that arrives live has no first beat to hold.
    expect(names("")).not.toContain("toggleBeat");
  });

  it("runs the command of an entry", () => {
    const given = stores(true);
    entries("measures", given)[0]!.does();
    expect(given.commands["openPanel"]).toHaveBeenCalledWith("measures");
    entries("larger", given)[0]!.does();
    expect(given.commands["setPreference"]).toHaveBeenCalledWith("enlarged", true);
  });
});
