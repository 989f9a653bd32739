import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { levelOf, PANELS, type PanelName } from "../../model/view/view-options";
import { formatViewState, parseViewState } from "../../model/view/view-state";
import { ViewSettings } from "./view-settings.svelte";

const WIDE = 1_280;
const NARROW = 390;

/** Return new settings that have read an address. */
function read(query: string): ViewSettings {
  const settings = new ViewSettings();
  settings.applyView(parseViewState(query));
  return settings;
}

/** Return the address of some settings, with or without a token in focus. */
function write(settings: ViewSettings, focused: boolean): string {
  return formatViewState({ ...settings.toViewState(focused), token: focused ? 3 : null });
}

describe.each([WIDE, NARROW])("the panel in the address of a page %d px wide", (width) => {
  beforeEach(() => vi.stubGlobal("innerWidth", width));
  afterEach(() => vi.unstubAllGlobals());

  it("survives a round trip, as does its level", () => {
    for (const panel of [...PANELS, null] as (PanelName | null)[])
      for (const focused of [false, true]) {
        const settings = new ViewSettings();
        settings.panel = panel;
        const query = write(settings, focused);
        const again = read(query);
        expect([again.panel, levelOf(again.panel)], query).toEqual([panel, levelOf(panel)]);
        expect(write(again, focused)).toBe(query);
      }
  });

  it("is omitted for a page without a panel and a word", () => {
    expect(write(new ViewSettings(), false)).toBe("");
    expect(read("").panel).toBeNull();
  });

  it("is closed explicitly only if a word would open it", () => {
    const settings = new ViewSettings();
    expect(write(settings, true)).toBe("?token=3&folded=1");
    settings.panel = "token";
    expect(write(settings, true)).toBe("?token=3");
    expect(write(settings, false)).toBe("?panel=token");
  });

  it("is the card of a linked word, in the course only if there is room beside the map", () => {
    expect(read("?token=3").panel).toBe("token");
    expect(read("?token=3&lesson=1.2").panel).toBe(width === WIDE ? "token" : null);
    expect(read("?token=3&folded=1").panel).toBeNull();
    expect(read("?panel=matrix&folded=1").panel).toBeNull();
  });
});

describe("a direction", () => {
  it("is chosen by its words, its tab, its panel and another map, but not by anything else or elsewhere", () => {
    const settings = read("?panel=geometry&lab=axis");
    for (const change of [
      { panel: "geometry" },
      { lab: "axis" },
      { of: "dog" },
      { map: "linear" },
    ] as const)
      expect(settings.choosesDirection(change)).toBe(true);
    expect(settings.choosesDirection({ look: null, token: 3 })).toBe(false);
    expect(read("?panel=geometry").choosesDirection({ panel: "geometry" })).toBe(false);
    expect(read("?panel=token&lab=axis").choosesDirection({ lab: "axis" })).toBe(false);
  });
});

describe("the lab", () => {
  beforeEach(() => vi.stubGlobal("innerWidth", WIDE));
  afterEach(() => vi.unstubAllGlobals());

  it("reopens at its last open panel", () => {
    const settings = read("?panel=measures");
    expect(settings.labPanel).toBe("measures");
    for (const view of [{ panel: "token" }, { panel: "runs" }, { folded: true }] as const) {
      settings.applyView(view);
      expect(settings.labPanel).toBe("measures");
    }
  });
});

describe("a view that names a step under the microscope", () => {
  beforeEach(() => vi.stubGlobal("innerWidth", WIDE));
  afterEach(() => vi.unstubAllGlobals());

  it("opens it; the microscope alone opens none", () => {
    expect(read("?panel=microscope&at=1").stepToOpen).toBe(1);
    expect(read("?panel=ask&at=1").stepToOpen).toBeNull();
    const settings = read("?panel=microscope&at=1");
    settings.applyView({ panel: "microscope", folded: null });
    expect(settings.stepToOpen).toBeNull();
  });

  it("names the claim while the board is open, and keeps it for the next time", () => {
    const settings = read("?panel=claims&claim=9");
    expect(settings.toViewState(false).claim).toBe(9);
    settings.applyView({ folded: true });
    expect([settings.toViewState(false).claim, settings.details.claim]).toEqual([null, 9]);
  });
});

describe("the path of a word", () => {
  it("goes with its word, unlike other trails", () => {
    const settings = read("?folded=1&trails=chosen&over=0");
    settings.applyView({ token: "cat" });
    expect(settings.showsWay).toBe(true);
    settings.applyView({ token: null });
    expect(settings.toViewState(false)).toMatchObject({ trails: null, over: null });
    const movers = read("?folded=1&trails=movers&over=0");
    movers.applyView({ token: null });
    expect(movers.toViewState(false)).toMatchObject({ trails: "movers", over: 0 });
  });
});

describe("a question, and a number under the microscope", () => {
  beforeEach(() => vi.stubGlobal("innerWidth", WIDE));
  afterEach(() => vi.unstubAllGlobals());

  it("leave the address with their panels, which keep them for the next time", () => {
    const settings = read("?panel=ask&ask=what_if&say=the+cat+barked&row=dog.3&micro=0.2");
    expect(settings.toViewState(false)).toMatchObject({ ask: "what_if", row: null, micro: null });
    settings.applyView({ panel: "microscope" });
    expect(settings.toViewState(false)).toMatchObject({
      ...{ ask: null, say: null },
      row: { token: "dog", coordinate: 3 },
    });
    settings.applyView({ folded: true });
    const { row, micro, say } = settings.toViewState(false);
    expect([row, micro, say, settings.asked.prompt]).toEqual([null, null, null, "the cat barked"]);
  });
});

describe("a highlighted section", () => {
  it("belongs to its panel, and goes with it", () => {
    const settings = read("?panel=step&section=river");
    expect(settings.toViewState(false).section).toBe("river");
    settings.applyView({ at: 7 });
    expect(settings.section).toBe("river");
    settings.applyView({ panel: "cost", folded: null });
    expect(settings.section).toBeNull();
    settings.applyView({ panel: "cost", section: "order" });
    expect(settings.section).toBe("order");
    settings.applyView({ folded: true });
    expect(settings.section).toBeNull();
  });

  it("goes with the experiment that it belonged to", () => {
    const settings = read("?panel=experiments&ask=bench&section=answer");
    settings.applyView({ ask: "rotation" });
    expect(settings.section).toBeNull();
  });

  it("is dropped from the view of a panel that lacks it", () => {
    expect(read("?panel=map&section=river").toViewState(false).section).toBeNull();
    expect(read("?section=river").toViewState(false).section).toBeNull();
  });
});
